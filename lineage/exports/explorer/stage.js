// The canvas: what part of the scene is seen, and what the pointer is on.
const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), context = canvas.getContext("2d");
const stage = {
  scene: { boxes: [], links: [], faint: true }, scale: 1, x: 0, y: 0, width: 0, height: 0,
  hover: null, cursor: null, fitted: null, colours: colours(), dark: false, drawn: 0,
};

function resize() {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = $("view").getBoundingClientRect();
  Object.assign(stage, { width, height });
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  if (stage.fitted) stage.fitted(); // until the reader moves, all of it stays in view
  draw();
}
let waiting = 0;
function draw() {
  if (!waiting) waiting = requestAnimationFrame(() => { waiting = 0; drawNow(); });
}
function drawNow() {
  const ratio = window.devicePixelRatio || 1, { scale, x, y, width, height, colours: c } = stage;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.globalAlpha = 1;
  context.fillStyle = c.bg;
  context.fillRect(0, 0, width, height);
  context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
  paintScene(new CanvasPen(context), stage.scene, look());
  if (!stage.drawn++) performance.mark("unwet-first-frame");
}
function look() {
  const { scale, x, y, width, height } = stage;
  return {
    c: stage.colours, dark: stage.dark, scale, table: state.table, column: state.column,
    hover: stage.hover, cursor: stage.cursor,
    view: { left: -x / scale, top: -y / scale, right: (width - x) / scale, bottom: (height - y) / scale },
  };
}

// Zooming keeps the point at (px, py) where it is.
const CLOSEST = 2.5;
function zoomAt(px, py, factor) {
  stage.fitted = null;
  const scale = Math.min(CLOSEST, Math.max(least() * 0.6, stage.scale * factor));
  const by = scale / stage.scale;
  stage.x = px - (px - stage.x) * by;
  stage.y = py - (py - stage.y) * by;
  stage.scale = scale;
  draw();
}
const zoomMiddle = (factor) => zoomAt(stage.width / 2, stage.height / 2, factor);
const PAD = 48;
function least() {
  const area = bounds(stage.scene);
  return Math.min(1.15, (stage.width - 2 * PAD) / area.w, (stage.height - 2 * PAD) / area.h);
}
function fitAll() {
  stage.fitted = fitAll;
  stage.hover = null; // what was under the pointer has moved away
  $("tip").hidden = true;
  const area = bounds(stage.scene);
  stage.scale = Math.max(0.01, least());
  stage.x = (stage.width - area.w * stage.scale) / 2 - area.x * stage.scale;
  stage.y = (stage.height - area.h * stage.scale) / 2 - area.y * stage.scale;
  draw();
}
// All of it if it stays legible; else the chosen box, and what is around it.
function fitChosen() {
  const box = stage.scene.boxes.find((each) => each.table === state.table);
  if (least() >= 0.55 || !box) { fitAll(); return; }
  stage.fitted = fitChosen;
  stage.scale = Math.max(0.75, least());
  const row = state.column >= 0 ? port(box, state.column) : box.y + Math.min(box.h / 2, 200);
  const area = bounds(stage.scene);
  stage.x = held(stage.width / 2 - (box.x + box.w / 2) * stage.scale, area.x, area.w, stage.width);
  stage.y = held(stage.height / 2 - row * stage.scale, area.y, area.h, stage.height);
  draw();
}
// Moved so that no room is wasted beyond the edge of the scene.
function held(offset, start, size, room) {
  const first = PAD - start * stage.scale, last = room - PAD - (start + size) * stage.scale;
  return first < last ? (first + last) / 2 : Math.min(first, Math.max(last, offset));
}
function reveal(box, y) {
  stage.fitted = null;
  const left = box.x * stage.scale + stage.x, right = left + box.w * stage.scale;
  const at = y * stage.scale + stage.y;
  if (left < 20) stage.x += 20 - left;
  if (right > stage.width - 20) stage.x -= right - stage.width + 20;
  if (at < 40) stage.y += 40 - at;
  if (at > stage.height - 40) stage.y -= at - stage.height + 40;
}

// The box under a point of the canvas; its column, or -2 on "+ n more", -1 elsewhere.
function under(px, py) {
  const x = (px - stage.x) / stage.scale, y = (py - stage.y) / stage.scale;
  for (let i = stage.scene.boxes.length - 1; i >= 0; i--) {
    const box = stage.scene.boxes[i];
    if (x < box.x || x > box.x + box.w || y < box.y || y > box.y + box.h) continue;
    const row = Math.floor((y - box.y - SIZES.head) / SIZES.row);
    const legible = SIZES.row * stage.scale >= 6.5;
    if (!legible || row < 0 || row > box.rows.length) return { box, column: -1 };
    return { box, column: row < box.rows.length ? box.rows[row] : box.hidden > 0 ? -2 : -1 };
  }
  return null;
}
function pointAt(px, py) {
  const hit = under(px, py);
  const same = hit && stage.hover && hit.box === stage.hover.box && hit.column === stage.hover.column;
  if (same || (!hit && !stage.hover)) { placeTip(px, py); return; }
  stage.hover = hit;
  canvas.style.cursor = hit ? "pointer" : "grab";
  showTip(hit, px, py);
  draw();
}
function showTip(hit, px, py) {
  const tip = $("tip");
  tip.hidden = !hit;
  if (!hit) return;
  const { box, column } = hit;
  const text = column >= 0 ? fullName(column)
    : column === -2 ? `show ${count(box.hidden, "more column")}` : box.title;
  const more = column >= 0 ? degrees(column) : box.group >= 0 ? `folder, ${count(Number(box.note), "table")}`
    : count(firstColumn[box.table + 1] - firstColumn[box.table], "column");
  tip.replaceChildren(h("b", {}, text), h("br"), more);
  placeTip(px, py);
}
function placeTip(px, py) {
  const tip = $("tip");
  tip.style.left = `${Math.min(px + 14, stage.width - tip.offsetWidth - 8)}px`;
  tip.style.top = `${py + 18 + tip.offsetHeight > stage.height ? py - tip.offsetHeight - 10 : py + 18}px`;
}
const degrees = (c) => {
  const into = edgesIn.start[c + 1] - edgesIn.start[c], out = edgesOut.start[c + 1] - edgesOut.start[c];
  return `fed by ${into}, feeds ${out}${circleOf.has(c) ? ", in a circle" : ""}`;
};

// One finger or the mouse pans, two fingers or the wheel zoom, a tap chooses.
const pointers = new Map();
let moved = 0;
function pointersOf(event) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  if (!pointers.size) moved = 0;
  pointers.set(event.pointerId, pointersOf(event));
});
canvas.addEventListener("pointermove", (event) => {
  const now = pointersOf(event), before = pointers.get(event.pointerId);
  if (!before) { pointAt(now.x, now.y); return; }
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
  moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
  if (others.length) {
    const [o] = others, span = (p) => Math.hypot(p.x - o.x, p.y - o.y) || 1;
    zoomAt((now.x + o.x) / 2, (now.y + o.y) / 2, span(now) / span(before));
    moved = 99;
  }
  const share = others.length ? 0.5 : 1;
  if (moved > 4) {
    stage.fitted = null;
    stage.x += (now.x - before.x) * share;
    stage.y += (now.y - before.y) * share;
    canvas.style.cursor = "grabbing";
    $("tip").hidden = true;
    draw();
  }
  pointers.set(event.pointerId, now);
});
function lift(event) {
  if (!pointers.delete(event.pointerId)) return;
  canvas.style.cursor = "grab";
  if (event.type === "pointerup" && moved <= 4 && !pointers.size) {
    const { x, y } = pointersOf(event);
    press(under(x, y));
  }
}
canvas.addEventListener("pointerup", lift);
canvas.addEventListener("pointercancel", lift);
canvas.addEventListener("pointerleave", () => {
  if (pointers.size) return;
  stage.hover = null;
  $("tip").hidden = true;
  draw();
});
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = pointersOf(event);
  const step = event.deltaY * (event.deltaMode === 1 ? 16 : 1);
  zoomAt(x, y, Math.exp(-Math.max(-120, Math.min(120, step)) * (event.ctrlKey ? 0.01 : 0.0022)));
}, { passive: false });
