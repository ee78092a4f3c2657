// The keyboard: a cursor over rows and lines, and a key for every control.
function moveCursor(key) {
  const { boxes } = stage.scene;
  if (!boxes.length) return;
  if (!stage.cursor) {
    const box = boxes.find((each) => each.table === state.table) || nearest(boxes);
    stage.cursor = { box, column: box.at.has(state.column) ? state.column : box.rows[0] ?? -1 };
  } else stage.cursor = nextCursor(stage.cursor, key) || stage.cursor;
  const { box, column } = stage.cursor;
  reveal(box, port(box, column));
  say(column >= 0 ? `${fullName(column)}, ${degrees(column)}` : box.title);
  draw();
}
function nearest(boxes) {
  const x = (stage.width / 2 - stage.x) / stage.scale, y = (stage.height / 2 - stage.y) / stage.scale;
  const far = (box) => Math.hypot(box.x + box.w / 2 - x, box.y + box.h / 2 - y);
  return boxes.reduce((best, box) => (far(box) < far(best) ? box : best));
}
function nextCursor({ box, column }, key) {
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const left = key === "ArrowLeft";
    const y = port(box, column);
    const ends = stage.scene.links
      .filter((l) => (left ? l.to : l.from) === box && l.from !== l.to)
      .map((l) => ({ mine: left ? l.t : l.s, box: left ? l.from : l.to, column: left ? l.s : l.t }));
    const own = ends.filter((end) => end.mine === column && column >= 0);
    const far = (end) => Math.abs(port(end.box, end.column) - y);
    const best = (own.length ? own : ends).sort((a, b) => far(a) - far(b))[0];
    return best && { box: best.box, column: best.column >= 0 ? best.column : best.box.rows[0] ?? -1 };
  }
  const step = key === "ArrowUp" ? -1 : 1;
  const row = (box.at.get(column) ?? (step < 0 ? 0 : box.rows.length - 1)) + step;
  if (row >= 0 && row < box.rows.length) return { box, column: box.rows[row] };
  const near = stage.scene.boxes
    .filter((each) => each !== box && Math.abs(each.x - box.x) < each.w / 2 && (each.y - box.y) * step > 0)
    .sort((a, b) => (a.y - b.y) * step)[0];
  return near && { box: near, column: near.rows[step < 0 ? near.rows.length - 1 : 0] ?? -1 };
}
const DEPTHS = [1, 2, 3, 4, 5, 6, 8, 10, 0];
function deeper(by) {
  const now = DEPTHS.indexOf(state.depth);
  setDepth(DEPTHS[Math.max(0, Math.min(DEPTHS.length - 1, (now < 0 ? DEPTHS.length - 1 : now) + by))]);
}
const KEYS = [
  ["/", "search", () => query.focus()],
  ["Escape", "back to the map", back],
  ["Enter", "choose what the cursor is on", () => press(stage.cursor)],
  ["f", "show all of it", fitAll], ["0", "", fitAll],
  ["+", "closer", () => zoomMiddle(1.3)], ["=", "", () => zoomMiddle(1.3)],
  ["-", "further away", () => zoomMiddle(1 / 1.3)],
  ["u", "upstream only", () => focusing() && setDirection("up")],
  ["n", "downstream only", () => focusing() && setDirection("down")],
  ["b", "both directions", () => focusing() && setDirection("both")],
  ["[", "one step less", () => focusing() && deeper(-1)],
  ["]", "one step more", () => focusing() && deeper(1)],
  ["c", "with conditions, or without", () => focusing() && ROWS && setConditions(!state.conditions)],
  ["1", "folders", () => setLevel("folders")], ["2", "tables", () => setLevel("tables")],
  ["3", "columns", () => setLevel("columns")],
  ["s", "save the view as SVG", saveSvg],
  ["d", "light or dark", () => setTheme(!stage.dark)],
  ["p", "side panel", toggleSide],
  ["?", "these keys", showKeys],
];
function setConditions(on) {
  state.conditions = on;
  show();
}
function showKeys() {
  const rows = [["← ↑ → ↓", "move the cursor along rows and lines"], ...KEYS.filter(([, text]) => text)];
  const close = h("button", { type: "button", onclick: () => $("keys").close() }, "Close");
  $("keys").replaceChildren(h("h2", {}, "Keys"),
    h("dl", {}, ...rows.flatMap(([key, text]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, text)])), close);
  $("keys").showModal();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
  const inField = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (inField && event.key !== "Escape" && event.key !== "/") return;
  if (event.key === "Enter" && event.target !== canvas && event.target !== document.body) return;
  if (event.key.startsWith("Arrow")) {
    if (event.target !== canvas && event.target !== document.body) return;
    event.preventDefault();
    moveCursor(event.key);
    return;
  }
  const entry = KEYS.find(([key]) => key === event.key);
  if (!entry) return;
  event.preventDefault();
  entry[2]();
});

