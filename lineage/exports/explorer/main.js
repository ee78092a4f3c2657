// What is chosen and how it is shown; the controls, the keys and the address.
const state = {
  table: -1, column: -1, way: "schema", opened: new Set(), wide: new Set(),
  overLevel: "", focusLevel: "", up: START.upstream, down: START.downstream, depth: START.depth,
  conditions: START.kinds === "all", tab: "details", found: null,
};
const focusing = () => state.table >= 0;

function automatic(found) {
  const groups = D.groups[state.way].names.length;
  if (!found) return TABLES <= 60 ? "columns" : TABLES > 200 && groups >= 5 ? "folders" : "tables";
  const tables = new Set([...found.columns].map((c) => tableOf[c]));
  const some = new Set([...tables].map((t) => groupOf(state.way, t))).size;
  return tables.size <= 60 ? "columns" : tables.size <= 200 || some < 4 ? "tables" : "folders";
}
function chosenColumns() {
  if (state.column >= 0) return [state.column];
  const all = [];
  for (let c = firstColumn[state.table]; c < firstColumn[state.table + 1]; c++) all.push(c);
  return all;
}

// Folders are of use if there are some, and none holds nearly everything.
function betterWay() {
  const share = (way) => {
    const sizes = new Map();
    for (const g of D.groups[way].of) sizes.set(g, (sizes.get(g) || 0) + 1);
    return Math.max(...sizes.values(), 0) / TABLES;
  };
  const some = D.groups.folder.names.length;
  return some > 2 && some <= 300 && share("folder") < share("schema") * 0.8 ? "folder" : "schema";
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
  showLegend();
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
    const { up, down } = state.found, { many } = stage.scene;
    const name = state.column >= 0 ? fullName(state.column) : tableName(state.table);
    const seeds = chosenColumns().length;
    parts.push(h("button", { type: "button", onclick: back, title: "Back to the map (Esc)" }, "← Map"), h("b", {}, name),
      h("span", {}, [state.up && `${count(up.size - seeds, "column")} upstream`,
        state.down && `${count(down.size - seeds, "column")} downstream`,
        `${count(stage.scene.tables, "table")} in view`].filter(Boolean).join(" · ")));
    if (many) parts.push(h("span", { class: "warn" },
      `${many.toLocaleString("en")} lines are too many: drawn from table to table; less depth shows columns`));
  } else if (state.opened.size) {
    parts.push(h("button", { type: "button", onclick: back }, "← Map"),
      h("b", {}, [...state.opened].map((g) => groupName(state.way, g)).join(", ")), h("span", {}, "and its neighbours"));
  } else {
    parts.push(h("span", {}, `${count(TABLES, "table")} · ${count(NAMED, "column")} · choose one to see its lineage`));
  }
  if (D.left_out.length) parts.push(h("span", { class: "warn", title: D.left_out.join("; ") }, "something is left out: see Map"));
  $("where").replaceChildren(...parts);
}
function say(text, seen = false) {
  $("said").textContent = text;
  if (seen) {
    const toast = h("div", { class: "toast" }, text);
    $("view").append(toast);
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
    return h("span", {}, picture, label);
  };
  $("legend").replaceChildren(...legendLines(stage.colours, stage.scene)
    .flatMap((each) => (each.label === "certain" ? [h("hr"), line(each)] : [line(each)])));
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
state.way = betterWay();
if (innerWidth < 720) document.body.classList.add("closed");
setTheme(prefersDark.matches);
resize();
new ResizeObserver(() => resize()).observe($("view"));
if (D.center[0] >= 0 && !location.hash) history.replaceState(null, "", "#" + hashOf(...D.center));
arrive();
