// What is chosen and how it is shown; the controls, the keys and the address.
const state = {
  table: -1, column: -1, way: "schema", opened: new Set(), wide: new Set(),
  overLevel: "", focusLevel: "", up: START.upstream, down: START.downstream, depth: START.depth,
  conditions: START.kinds === "all", tab: "details", found: null,
};
const focusing = () => state.table >= 0;

function automatic(found) {
  const groups = D.groups[state.way].names.length;
  if (!found) return TABLES <= 60 ? "columns" : TABLES > 250 && groups >= 4 ? "folders" : "tables";
  const tables = new Set([...found.columns].map((c) => tableOf[c])).size;
  return tables <= 120 ? "columns" : tables <= 600 ? "tables" : "folders";
}
function chosenColumns() {
  if (state.column >= 0) return [state.column];
  const all = [];
  for (let c = firstColumn[state.table]; c < firstColumn[state.table + 1]; c++) all.push(c);
  return all;
}

// Build the scene for the state, and show it. `keep`: stay where the reader is looking.
function show(keep = false) {
  state.found = focusing() ? closure(chosenColumns(), state) : null;
  const level = levelNow();
  stage.scene = focusing()
    ? focused(state.found, state, level, state.way, state.opened, state.wide)
    : overview(level, state.way, state.opened);
  stage.hover = stage.cursor = null;
  $("tip").hidden = true;
  if (!keep) focusing() ? fitChosen() : fitAll();
  syncControls(level);
  showWhere();
  showPanel();
  draw();
}
const levelNow = () => (focusing() ? state.focusLevel : state.overLevel) || automatic(state.found);

// --- the address: every choice is a step in the browser's history

function go(table, column) {
  location.hash = hashOf(table, column);
  arrive();
}
let arrived = null;
function arrive() {
  arrived = location.hash;
  const { table, column, text } = fromHash(location.hash);
  if (text) say(`no table or column ${text} in this page`, true);
  if (table !== state.table || column !== state.column) {
    state.wide.clear();
    state.opened.clear();
    state.tab = "details";
  }
  Object.assign(state, { table, column });
  document.title = table < 0 ? START.title
    : `${column >= 0 ? fullName(column) : tableName(table)} · ${START.title}`;
  show();
}
window.addEventListener("hashchange", () => { if (location.hash !== arrived) arrive(); });

function press(hit) {
  if (!hit) return;
  const { box, column } = hit;
  if (column === -2 && focusing()) { state.wide.add(box.table); show(true); }
  else if (box.group >= 0) openFolder(box.group);
  else go(box.table, column >= 0 ? column : -1);
}
function openFolder(g) {
  if (state.opened.has(g)) state.opened.delete(g);
  else state.opened.add(g);
  if (levelNow() !== "folders") {
    if (focusing()) { go(-1, -1); return; }
    state.overLevel = "folders";
  }
  show();
}
function back() {
  if (focusing()) go(-1, -1);
  else if (state.opened.size) { state.opened.clear(); show(); }
  else { state.overLevel = ""; show(); }
}

// --- words above the map

function showWhere() {
  const parts = [];
  if (focusing()) {
    const { up, down, edges: used } = state.found;
    const name = state.column >= 0 ? fullName(state.column) : tableName(state.table);
    const seeds = chosenColumns().length;
    parts.push(h("button", { type: "button", onclick: back, title: "Back to the map (Esc)" }, "← Map"), h("b", {}, name),
      h("span", {}, [state.up && `${count(up.size - seeds, "column")} upstream`,
        state.down && `${count(down.size - seeds, "column")} downstream`,
        `${count(stage.scene.tables, "table")} in view`].filter(Boolean).join(" · ")));
    if (used.size > MOST_LINKS) parts.push(h("span", { class: "warn" },
      `${used.size.toLocaleString("en")} edges, drawn from table to table; less depth shows columns`));
  } else if (state.opened.size) {
    parts.push(h("button", { type: "button", onclick: back }, "← Map"),
      h("b", {}, [...state.opened].map((g) => groupName(state.way, g)).join(", ")), h("span", {}, "and its neighbours"));
  } else {
    parts.push(h("span", {}, `${count(TABLES, "table")} · ${count(COLUMNS, "column")} · choose one to see its lineage`));
  }
  if (D.left_out.length) parts.push(h("span", { class: "warn", title: D.left_out.join("; ") }, "something is left out: see Map"));
  $("where").replaceChildren(...parts);
}
function say(text, seen = false) {
  $("said").textContent = text;
  if (seen) {
    const toast = h("div", { class: "toast" }, text);
    $("stage").append(toast);
    setTimeout(() => toast.remove(), 4000);
  }
}

// --- the side panel

function showPanel() {
  const tabs = [["details", focusing() ? "Details" : "Map"], ["unresolved", `Unresolved ${unresolved.length.toLocaleString("en")}`]];
  $("tabs").replaceChildren(...tabs.map(([id, label]) => h("button", {
    type: "button", role: "tab", id: `tab-${id}`, "aria-selected": String(state.tab === id), "aria-controls": "body",
    onclick: () => { state.tab = id; showPanel(); },
  }, label)));
  const parts = state.tab === "unresolved" ? unresolvedPanel()
    : state.column >= 0 ? columnPanel(state.column) : focusing() ? tablePanel(state.table) : mapPanel();
  $("body").replaceChildren(...parts.filter(Boolean));
  $("body").scrollTop = 0;
}
function toggleSide() {
  const closed = document.body.classList.toggle("closed");
  $("side").setAttribute("aria-expanded", String(!closed));
  resize();
  show(true);
}

// --- controls

function choice(id, options, read, write) {
  const field = $(id);
  for (const [value, label, title] of options) {
    const input = h("input", { type: "radio", name: id, value });
    input.addEventListener("change", () => write(value));
    field.append(h("label", { title }, input, h("span", {}, label)));
  }
  return () => { for (const input of field.querySelectorAll("input")) input.checked = input.value === read(); };
}
const setDirection = (value) => {
  Object.assign(state, { up: value !== "down", down: value !== "up" });
  show();
};
const syncDirection = choice("direction",
  [["up", "Upstream", "Only what feeds it (u)"], ["both", "Both", "Both (b)"], ["down", "Downstream", "Only what it feeds (n)"]],
  () => (state.up && state.down ? "both" : state.up ? "up" : "down"), setDirection);
const syncLevel = choice("level",
  [["folders", "Folders", "A box for each folder (1)"], ["tables", "Tables", "Titles only (2)"], ["columns", "Columns", "With columns (3)"]],
  levelNow, setLevel);
function setLevel(value) {
  state[focusing() ? "focusLevel" : "overLevel"] = value;
  state.opened.clear();
  show();
}
function setDepth(depth) {
  state.depth = depth;
  show();
}
function syncControls(level) {
  syncDirection();
  syncLevel(level);
  if (![...$("depth").options].some((option) => Number(option.value) === state.depth))
    $("depth").append(h("option", { value: state.depth }, String(state.depth)));
  $("depth").value = String(state.depth);
  $("conditions").checked = state.conditions;
  $("way").value = state.way;
  for (const control of [...document.querySelectorAll("#direction input"), $("depth"), $("conditions")])
    control.disabled = !focusing() || (control === $("conditions") && !ROWS);
}
function setTheme(dark) {
  stage.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").setAttribute("aria-pressed", String(dark));
  stage.colours = colours();
  showLegend();
  draw();
}
function showLegend() {
  const line = ({ label, stroke, dash }) => {
    const pen = new SvgPen();
    pen.curve([1, 6, 10, 6, 20, 6, 31, 6], { stroke, dash, width: 2 });
    const picture = h("img", { alt: "", width: 32, height: 12,
      src: `data:image/svg+xml,${encodeURIComponent(pen.document(0, 0, 32, 12, "none"))}` });
    return h("li", {}, picture, label);
  };
  const lines = legendLines(stage.colours);
  const kinds = lines.findIndex(({ label }) => label === "certain");
  $("legend").querySelector("div").replaceChildren(
    h("ul", {}, ...lines.slice(0, kinds).map(line)), h("ul", {}, ...lines.slice(kinds).map(line)));
}
function saveSvg() {
  const name = state.column >= 0 ? fullName(state.column) : focusing() ? tableName(state.table) : START.title;
  const text = sceneAsSvg(stage.scene, look(), name);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const file = `lineage-${name.replace(/[^\w.-]+/g, "_").slice(0, 120)}.svg`;
  h("a", { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  say(`saved ${file}`, true);
}

// --- search

const query = $("query"), hitList = $("hits");
let hits = [], marked = 0;
function lookUp() {
  const { hits: found, total } = search(query.value);
  hits = found;
  marked = 0;
  const items = hits.map((hit, i) => h("li", { role: "option", id: `hit-${i}`,
    onpointerdown: (event) => { event.preventDefault(); take(i); } },
    h("span", { class: "badge" }, hit.column >= 0 ? "column" : "table"),
    h("span", { class: "hit" }, hit.column >= 0 ? columnName(hit.column) : tableName(hit.table)),
    hit.column >= 0 ? h("span", { class: "of" }, tableName(hit.table)) : null));
  if (query.value.trim() && !hits.length) items.push(h("li", { class: "none" }, "nothing found"));
  if (total > hits.length) items.push(h("li", { class: "none" }, `${(total - hits.length).toLocaleString("en")} more; write more letters`));
  hitList.replaceChildren(...items);
  hitList.hidden = !items.length;
  query.setAttribute("aria-expanded", String(!hitList.hidden));
  mark(0);
}
function mark(i) {
  marked = Math.max(0, Math.min(hits.length - 1, i));
  [...hitList.children].forEach((item, n) => item.setAttribute("aria-selected", String(n === marked && n < hits.length)));
  if (hits.length) {
    query.setAttribute("aria-activedescendant", `hit-${marked}`);
    hitList.children[marked].scrollIntoView({ block: "nearest" });
  } else query.removeAttribute("aria-activedescendant");
}
function take(i) {
  const hit = hits[i];
  if (!hit) return;
  leaveSearch();
  go(hit.table, hit.column);
}
function leaveSearch() {
  query.value = "";
  lookUp();
  canvas.focus();
}
query.addEventListener("input", lookUp);
query.addEventListener("blur", () => { hitList.hidden = true; query.setAttribute("aria-expanded", "false"); });
query.addEventListener("focus", () => { if (query.value) lookUp(); });
query.addEventListener("keydown", (event) => {
  const act = {
    ArrowDown: () => mark(marked + 1), ArrowUp: () => mark(marked - 1), Enter: () => take(marked),
    Escape: leaveSearch, PageDown: () => mark(marked + 10), PageUp: () => mark(marked - 10),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
});

// --- keys

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

// --- begin

$("home").textContent = START.title;
for (const name of ["theme", "side", "fit"]) $(name).append(icon(name));
$("home").addEventListener("click", () => { state.opened.clear(); focusing() ? go(-1, -1) : show(); });
for (const depth of DEPTHS) $("depth").append(h("option", { value: depth }, depth ? String(depth) : "all"));
$("depth").addEventListener("change", () => setDepth(Number($("depth").value)));
$("conditions").addEventListener("change", () => setConditions($("conditions").checked));
$("way").addEventListener("change", () => { state.way = $("way").value; state.opened.clear(); show(); });
$("svg").addEventListener("click", saveSvg);
$("theme").addEventListener("click", () => setTheme(!stage.dark));
$("help").addEventListener("click", showKeys);
$("side").addEventListener("click", toggleSide);
$("in").addEventListener("click", () => zoomMiddle(1.3));
$("out").addEventListener("click", () => zoomMiddle(1 / 1.3));
$("fit").addEventListener("click", fitAll);
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
prefersDark.addEventListener("change", (event) => setTheme(event.matches));
if (D.groups.schema.names.length < 3 && D.groups.folder.names.length > D.groups.schema.names.length)
  state.way = "folder";
if (innerWidth < 720) { document.body.classList.add("closed"); $("legend").open = false; }
setTheme(prefersDark.matches);
resize();
new ResizeObserver(() => resize()).observe($("stage"));
if (D.center >= 0 && !location.hash) history.replaceState(null, "", "#" + hashOf(tableOf[D.center], D.center));
arrive();
