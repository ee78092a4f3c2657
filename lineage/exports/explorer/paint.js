// Drawing a scene with a pen. `look`: colours, scale, what is chosen, pointed at, under the cursor.
const COLOURS = ["bg", "panel", "ink", "muted", "line", "accent", "chosen", "hover", "identity",
  "transformation", "aggregation", "indirect", "cycle", "link"];
function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
const DASHES = { certain: [], inferred: [7, 4], ambiguous: [2, 4], unknown: [1, 5], coarse: [4, 4] };
const SIGNS = { IDENTITY: "=", TRANSFORMATION: "ƒ", AGGREGATION: "Σ" };
const kindColour = (code, c) =>
  (isDirect(code) ? c[kindOf(code).toLowerCase()] : c.indirect);

function paintScene(pen, scene, look) {
  const marked = highlighted(scene, look);
  for (const link of scene.links) if (!marked.links.has(link)) paintLink(pen, scene, link, look, marked);
  for (const link of marked.links) paintLink(pen, scene, link, look, marked);
  for (const box of scene.boxes)
    if (visible(box, look)) {
      pen.begin(box.title);
      paintBox(pen, box, look, marked);
      pen.end();
    }
  if (LEGIBLE > 12.5 * look.scale) paintLabels(pen, scene, look, marked);
}
// From far away the titles are too small: as on a map, those of the largest that have room.
const LEGIBLE = 6.8;
function paintLabels(pen, scene, look, marked) {
  const { scale, c } = look, size = 11 / scale, taken = [];
  const first = (box) => (box.table >= 0 && box.table === look.table ? 1e9 : 0)
    + (marked.boxes.has(box) ? 1e6 : 0) + (box.weight ?? box.h);
  const seen = scene.boxes.filter((box) => visible(box, look)).sort((a, b) => first(b) - first(a));
  for (const box of seen.slice(0, 1200)) {
    if (taken.length > 120) break;
    const text = fit(box.name, 170 / scale, size, 600), w = textWidth(text, size, 600) + 10 / scale;
    const h = 17 / scale, x = box.x + box.w / 2 - w / 2, y = box.y + Math.min(box.h, 2.5 * h) / 2 - h / 2;
    const gap = 3 / scale;
    if (taken.some((t) => x < t.x + t.w + gap && t.x < x + w + gap && y < t.y + h + gap && t.y < y + h + gap)) continue;
    taken.push({ x, y, w });
    const dim = marked.any && !marked.boxes.has(box) ? 0.35 : 1;
    pen.rect(x, y, w, h, 4 / scale, { fill: c.panel, stroke: c.line, width: 1 / scale, alpha: 0.92 * dim });
    pen.text(text, x + w / 2, y + h / 2, { size, weight: 600, fill: c.ink, anchor: "middle", alpha: dim });
  }
}
// What the pointer is on, with what is linked to it.
function highlighted(scene, look) {
  const hot = look.hover || (scene.faint ? look.cursor : null);
  const links = new Set(), boxes = new Set();
  if (!hot) return { links, boxes, any: false };
  for (const link of scene.links) {
    const row = hot.column >= 0 && !scene.faint;
    const out = link.from === hot.box && (!row || link.s === hot.column || link.s < 0);
    const into = link.to === hot.box && (!row || link.t === hot.column || link.t < 0);
    if (out || into) { links.add(link); boxes.add(link.from); boxes.add(link.to); }
  }
  boxes.add(hot.box);
  return { links, boxes, any: true };
}
function visible(box, { view }) {
  return !view || (box.x < view.right && box.x + box.w > view.left
    && box.y < view.bottom && box.y + box.h > view.top);
}
function linkCurve(link) {
  const x1 = link.from.x + link.from.w, y1 = port(link.from, link.s);
  const x2 = link.to.x, y2 = port(link.to, link.t);
  if (link.from === link.to) { // a loop on the right
    const out = 46 + Math.abs(y2 - y1) * 0.15;
    return [x1, y1, x1 + out, y1, x1 + out, y2 + (y1 === y2 ? 18 : 0), x1, y2 + (y1 === y2 ? 6 : 0)];
  }
  if (x2 <= x1) { // back to the left, below both boxes
    const low = Math.max(link.from.y + link.from.h, link.to.y + link.to.h) + 30;
    const y = (low - (y1 + y2) / 8) / 0.75;
    return [x1, y1, x1 + 140, y, x2 - 140, y, x2, y2];
  }
  const bend = Math.max(36, (x2 - x1) * 0.45);
  return [x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2];
}
// A line that would run behind boxes goes between them: through the gap of each column of boxes that
// is nearest to where it would be. Found once, as the boxes of a scene stay where they are.
function linkPath(link, scene) {
  if (!link.path) link.path = detour(link, scene) || linkCurve(link);
  return link.path;
}
const ROUTED = 4000; // lines; of more, nobody follows one between the boxes
function detour(link, scene) {
  const x1 = link.from.x + link.from.w, x2 = link.to.x;
  if (x2 <= x1 || scene.links.length > ROUTED) return null;
  const between = columnsOf(scene).filter((col) => col.left > x1 && col.right < x2);
  if (!between.some((col) => col.boxes.some((box) => crosses(linkCurve(link), box)))) return null;
  const y1 = port(link.from, link.s), y2 = port(link.to, link.t), points = [[x1, y1]];
  for (const col of between) {
    const [x, y] = points[points.length - 1];
    const level = gap(col, y + (y2 - y) * ((col.left + col.right) / 2 - x) / (x2 - x));
    points.push([col.left - 6, level], [col.right + 6, level]);
  }
  points.push([x2, y2]);
  const path = points[0].slice();
  for (let i = 1; i < points.length; i++) {
    const [a, b] = points[i - 1], [x, y] = points[i], bend = (x - a) / 2;
    path.push(a + bend, b, x - bend, y, x, y);
  }
  return path;
}
function crosses([x1, y1, xa, ya, xb, yb, x2, y2], box) {
  for (let i = 1; i < 32; i++) {
    const t = i / 32, s = 1 - t;
    const a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, d = t * t * t;
    const x = a * x1 + b * xa + c * xb + d * x2, y = a * y1 + b * ya + c * yb + d * y2;
    if (x > box.x && x < box.x + box.w && y > box.y - 2 && y < box.y + box.h + 2) return true;
  }
  return false;
}
// The boxes of a scene by the columns they stand in, from left to right, each from top to bottom.
function columnsOf(scene) {
  if (scene.columns) return scene.columns;
  const columns = [];
  for (const box of [...scene.boxes].sort((a, b) => a.x - b.x)) {
    const last = columns[columns.length - 1];
    if (last && box.x < last.right) {
      last.boxes.push(box);
      last.right = Math.max(last.right, box.x + box.w);
    } else columns.push({ left: box.x, right: box.x + box.w, boxes: [box] });
  }
  for (const col of columns) col.boxes.sort((a, b) => a.y - b.y);
  return (scene.columns = columns);
}
// The height nearest to `y` at which no box of a column stands.
function gap({ boxes }, y) {
  let best = Infinity, above = -Infinity;
  for (const box of [...boxes, null]) {
    const top = above + 8, bottom = box ? box.y - 8 : Infinity; // room between two boxes
    const level = top > bottom ? (top + bottom) / 2 : Math.min(Math.max(y, top), bottom);
    if (Math.abs(level - y) < Math.abs(best - y)) best = level;
    if (box) above = Math.max(above, box.y + box.h);
  }
  return best;
}
function paintLink(pen, scene, link, look, marked) {
  const p = linkPath(link, scene), { c, scale, view } = look;
  const xs = p.filter((_, i) => i % 2 === 0), ys = p.filter((_, i) => i % 2);
  const [x, y] = [xs[xs.length - 1], ys[ys.length - 1]]; // where it ends
  if (view && (Math.max(...xs) < view.left || Math.min(...xs) > view.right
    || Math.max(...ys) < view.top || Math.min(...ys) > view.bottom)) return;
  const hot = marked.links.has(link);
  const thin = 1 / Math.max(scale, 0.25);
  const many = Math.min(1, 12 / Math.sqrt(scene.links.length + 1)); // the more, the fainter
  if (link.code < 0) {
    const stroke = hot ? c.accent : c.link;
    const alpha = hot ? 0.95 : marked.any ? 0.1 : scene.faint ? 0.15 + 0.45 * many : 0.35 + 0.5 * many;
    pen.curve(p, { stroke, width: (hot ? 1.6 : 1) * thin, dash: link.code === -2 ? DASHES.coarse : [], alpha });
    if (hot || !scene.faint) pen.arrow(x, y, 7 * Math.min(thin, 1.6), stroke, alpha);
    return;
  }
  const turns = link.s >= 0 && link.t >= 0 && circleOf.has(link.s)
    && circleOf.get(link.s) === circleOf.get(link.t);
  const stroke = turns ? c.cycle : kindColour(link.code, c);
  const alpha = hot ? 1 : marked.any ? 0.12 : (isDirect(link.code) ? 0.4 : 0.3) + 0.55 * many;
  const width = (hot ? 2.4 : isDirect(link.code) ? 1.6 : 1.1) * Math.min(1.6, Math.max(1, thin * 0.6));
  pen.curve(p, { stroke, width, dash: DASHES[certaintyOf(link.code)], alpha });
  if (link.from === link.to) pen.rect(x, y - 2, 4, 4, 2, { fill: stroke, alpha });
  else pen.arrow(x, y, 7, stroke, alpha);
}

function paintBox(pen, box, look, marked) {
  const { c, scale } = look;
  const far = SIZES.row * scale < 6.5 && box.h > SIZES.head; // rows are not legible: title only
  const dim = marked.any && !marked.boxes.has(box) ? 0.45 : 1;
  const chosen = box.table >= 0 && box.table === look.table;
  const under = look.cursor && look.cursor.box === box;
  const edge = chosen || under ? c.accent : c.line;
  const stripe = `hsl(${box.hue} 48% ${look.dark ? 62 : 52}%)`;
  const small = 12.5 * scale < LEGIBLE;
  const fill = small ? `hsl(${box.hue} ${look.dark ? "28% 24%" : "52% 90%"})` : c.panel;
  if (box.group >= 0) // a folder looks like a pile of sheets
    pen.rect(box.x + 4, box.y + 4, box.w, box.h, 6, { fill: c.panel, stroke: edge, alpha: dim });
  pen.rect(box.x, box.y, box.w, box.h, 6,
    { fill, stroke: edge, width: chosen || under ? 2 : 1, alpha: dim });
  pen.rect(box.x + 0.5, box.y + 0.5, 4, box.h - 1, [5, 0, 0, 5], { fill: stripe, alpha: dim });
  if (far) { paintFar(pen, box, look, dim); return; }
  if (small) return;
  const note = box.note || "";
  paintTitle(pen, box, box.w - 26 - (note ? textWidth(note, 11, 400) + 8 : 0), c, dim);
  if (note) pen.text(note, box.x + box.w - 10, box.y + SIZES.head / 2,
    { size: 11, fill: c.muted, anchor: "end", alpha: dim });
  if (box.rows.length || box.hidden) {
    pen.rect(box.x + 5, box.y + SIZES.head - 1, box.w - 6, 1, 0, { fill: c.line, alpha: dim });
    box.rows.forEach((column, i) => paintRow(pen, box, column, i, look, dim));
    if (box.hidden > 0)
      pen.text(`+ ${box.hidden.toLocaleString("en")} more`, box.x + 14, rowY(box, box.rows.length),
        { size: 11, fill: c.accent, alpha: dim });
  }
}
// The name is what matters; what stands before it gets the room that is left.
function paintTitle(pen, box, room, c, alpha) {
  const y = box.y + SIZES.head / 2, name = fit(box.name, room, 12.5, 600);
  const left = room - textWidth(name, 12.5, 600);
  let lead = box.lead;
  if (lead && textWidth(lead, 12.5, 400) > left) lead = left > 40 ? fit(lead, left, 12.5, 400) : "";
  const runs = [{ text: lead, weight: 400, fill: c.muted }, { text: name, weight: 600, fill: c.ink }];
  pen.runs(runs.filter((run) => run.text), box.x + 14, y, { size: 12.5, alpha });
}
function paintFar(pen, box, look, dim) {
  const lines = [box.lead, box.name].filter(Boolean);
  const widest = Math.max(...lines.map((line) => textWidth(line, 1, 600)));
  const size = Math.min((box.w - 24) / widest, (box.h - 8) / lines.length / 1.15, 34);
  if (size * look.scale < LEGIBLE || LEGIBLE > 12.5 * look.scale) return;
  lines.forEach((line, i) => pen.text(line, box.x + 14 + (box.w - 24) / 2,
    box.y + box.h / 2 + (i - (lines.length - 1) / 2) * size * 1.15,
    { size, weight: 600, fill: look.c.ink, anchor: "middle", alpha: dim }));
}
const rowName = (c) => {
  if (!isStar(c)) return columnName(c);
  const t = tableOf[c];
  return firstColumn[t + 1] - firstColumn[t] > 1 ? "others (*)" : "all columns (*)";
};
function paintRow(pen, box, column, i, look, dim) {
  const { c } = look, y = rowY(box, i);
  const chosen = column === look.column;
  const hot = look.hover && look.hover.box === box && look.hover.column === column;
  const under = look.cursor && look.cursor.column === column;
  if (chosen || hot || under)
    pen.rect(box.x + 6, y - SIZES.row / 2 + 1, box.w - 8, SIZES.row - 2, 4,
      { fill: chosen ? c.chosen : c.hover, stroke: under ? c.accent : "", width: 1.5, alpha: dim });
  const turns = circleOf.has(column);
  const name = rowName(column), star = isStar(column);
  pen.text(fit(name, box.w - (turns ? 44 : 26), 12, chosen ? 700 : 400), box.x + 14, y,
    { size: 12, weight: chosen ? 700 : 400, fill: star ? c.muted : c.ink, alpha: dim });
  if (turns) pen.text("↻", box.x + box.w - 10, y, { size: 13, weight: 700, fill: c.cycle, anchor: "end", alpha: dim });
}

function bounds(scene) {
  if (!scene.boxes.length) return { x: 0, y: 0, w: 100, h: 60 };
  let [l, t, r, b] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y, w, h } of scene.boxes) {
    l = Math.min(l, x); t = Math.min(t, y); r = Math.max(r, x + w); b = Math.max(b, y + h);
  }
  return { x: l, y: t, w: r - l, h: b - t };
}

// The present view as a picture of its own: all of its boxes, and what the lines mean.
function sceneAsSvg(scene, look, title) {
  const pen = new SvgPen(), c = look.c, area = bounds(scene), pad = 40;
  paintScene(pen, scene, { ...look, scale: 1, view: null, hover: null, cursor: null });
  const top = area.y - 44;
  pen.text(title, area.x, top, { size: 17, weight: 700, fill: c.ink });
  let bottom = area.y + area.h;
  let width = Math.max(area.w, textWidth(title, 17, 700));
  bottom += 40;
  let x = area.x;
  for (const { label, stroke, dash } of legendLines(c, scene)) {
    pen.curve([x, bottom, x + 10, bottom, x + 20, bottom, x + 30, bottom], { stroke, dash, width: 2 });
    pen.text(label, x + 37, bottom, { size: 12, fill: c.muted });
    x += 37 + textWidth(label, 12, 400) + 24;
  }
  width = Math.max(width, x - area.x);
  return pen.document(area.x - pad, top - pad, width + 2 * pad + 8, bottom - top + 2 * pad, c.bg);
}
function legendLines(c, scene) {
  const plain = (label, stroke, dash = []) => ({ label, stroke, dash });
  if (scene.links.every((link) => link.code < 0))
    return [plain("passes values on", c.link), plain("conditions only", c.link, DASHES.coarse)];
  return [plain("identity", c.identity), plain("transformation", c.transformation),
    plain("aggregation", c.aggregation), plain("condition", c.indirect),
    ...(D.circles.length ? [plain("circle", c.cycle)] : []),
    plain("certain", c.ink), plain("inferred", c.ink, DASHES.inferred),
    plain("ambiguous", c.ink, DASHES.ambiguous), plain("unknown", c.ink, DASHES.unknown)];
}
