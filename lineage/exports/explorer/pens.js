// Two pens with the same strokes: one draws on a canvas, one writes SVG.
const SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const font = (size, weight) => `${weight} ${size}px ${SANS}`;
const ruler = document.createElement("canvas").getContext("2d");
const measured = new Map();
function textWidth(text, size, weight) {
  const key = weight + text;
  let width = measured.get(key);
  if (width === undefined) {
    ruler.font = font(100, weight);
    measured.set(key, width = ruler.measureText(text).width / 100);
  }
  return width * size;
}
// Cut in the middle: names differ at their ends.
function cut(text, room, size, weight) {
  if (textWidth(text, size, weight) <= room) return text;
  let keep = Math.max(1, Math.floor(text.length * room / textWidth(text, size, weight)) - 1);
  for (; keep > 1; keep--) {
    const head = Math.ceil(keep * 0.4);
    const short = text.slice(0, head) + "…" + text.slice(text.length - (keep - head));
    ruler.font = font(size, weight);
    if (ruler.measureText(short).width <= room) return short;
  }
  return "…";
}
const cuts = new Map();
function fit(text, room, size, weight) {
  if (textWidth(text, size, weight) <= room) return text;
  const key = `${Math.round(room)} ${size} ${weight} ${text}`;
  let short = cuts.get(key);
  if (short === undefined) {
    if (cuts.size > 20000) cuts.clear();
    cuts.set(key, short = cut(text, room, size, weight));
  }
  return short;
}

class CanvasPen {
  constructor(context) { this.c = context; }
  begin() {}
  end() {}
  rect(x, y, w, h, r, { fill, stroke, width = 1, alpha = 1 }) {
    const c = this.c;
    c.globalAlpha = alpha;
    c.beginPath();
    if (r) c.roundRect(x, y, w, h, r);
    else c.rect(x, y, w, h);
    if (fill) { c.fillStyle = fill; c.fill(); }
    if (stroke) { c.strokeStyle = stroke; c.lineWidth = width; c.setLineDash([]); c.stroke(); }
  }
  text(text, x, y, { size, weight = 400, fill, anchor = "start", alpha = 1 }) {
    const c = this.c;
    c.globalAlpha = alpha;
    c.font = font(size, weight);
    c.fillStyle = fill;
    c.textAlign = anchor === "middle" ? "center" : anchor;
    c.textBaseline = "middle";
    c.fillText(text, x, y);
  }
  runs(runs, x, y, { size, alpha = 1 }) {
    for (const { text, weight, fill } of runs) {
      this.text(text, x, y, { size, weight, fill, alpha });
      x += textWidth(text, size, weight);
    }
  }
  curve(p, { stroke, width = 1, dash = [], alpha = 1 }) {
    const c = this.c;
    c.globalAlpha = alpha;
    c.strokeStyle = stroke;
    c.lineWidth = width;
    c.setLineDash(dash);
    c.beginPath();
    c.moveTo(p[0], p[1]);
    for (let i = 2; i < p.length; i += 6)
      c.bezierCurveTo(p[i], p[i + 1], p[i + 2], p[i + 3], p[i + 4], p[i + 5]);
    c.stroke();
  }
  arrow(x, y, size, fill, alpha = 1) {
    const c = this.c;
    c.globalAlpha = alpha;
    c.fillStyle = fill;
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x - size, y - size * 0.55);
    c.lineTo(x - size, y + size * 0.55);
    c.fill();
  }
}

const xml = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`)
  .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
const num = (n) => String(Math.round(n * 10) / 10);

class SvgPen {
  constructor() { this.parts = []; }
  begin(name) { this.parts.push(`<g><title>${xml(name)}</title>`); }
  end() { this.parts.push("</g>"); }
  rect(x, y, w, h, r, { fill, stroke, width = 1, alpha = 1 }) {
    this.parts.push(`<rect x="${num(x)}" y="${num(y)}" width="${num(w)}" height="${num(h)}"`
      + ` rx="${Array.isArray(r) ? r[0] : r}" fill="${fill || "none"}"`
      + (stroke ? ` stroke="${stroke}" stroke-width="${num(width)}"` : "") + this.faded(alpha) + "/>");
  }
  text(text, x, y, { size, weight = 400, fill, anchor = "start", alpha = 1 }) {
    this.parts.push(`<text x="${num(x)}" y="${num(y + size * 0.35)}" font-size="${size}"`
      + ` font-weight="${weight}" fill="${fill}" text-anchor="${anchor}"${this.faded(alpha)}>`
      + `${xml(text)}</text>`);
  }
  runs(runs, x, y, { size, alpha = 1 }) {
    const spans = runs.map(({ text, weight, fill }) =>
      `<tspan font-weight="${weight}" fill="${fill}">${xml(text)}</tspan>`);
    this.parts.push(`<text x="${num(x)}" y="${num(y + size * 0.35)}" font-size="${size}"`
      + `${this.faded(alpha)}>${spans.join("")}</text>`);
  }
  curve(p, { stroke, width = 1, dash = [], alpha = 1 }) {
    const [x, y, ...rest] = p.map(num);
    this.parts.push(`<path d="M${x} ${y}C${rest.join(" ")}" fill="none"`
      + ` stroke="${stroke}" stroke-width="${num(width)}"`
      + (dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "") + this.faded(alpha) + "/>");
  }
  arrow(x, y, size, fill, alpha = 1) {
    const [l, t, b] = [x - size, y - size * 0.55, y + size * 0.55].map(num);
    this.parts.push(`<path d="M${num(x)} ${num(y)}L${l} ${t}L${l} ${b}Z" fill="${fill}"`
      + `${this.faded(alpha)}/>`);
  }
  faded(alpha) { return alpha < 1 ? ` opacity="${alpha}"` : ""; }
  document(x, y, w, h, background) {
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${[x, y, w, h].map(num).join(" ")}"`
      + ` width="${num(w)}" height="${num(h)}" font-family="${xml(SANS)}">`
      + `<rect x="${num(x)}" y="${num(y)}" width="${num(w)}" height="${num(h)}" fill="${background}"/>`
      + this.parts.join("\n") + "</svg>\n";
  }
}
