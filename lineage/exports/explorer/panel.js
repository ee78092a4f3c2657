// The side panel: the same as the map, as text.
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const ICONS = {
  copy: "M5 5V2.5h8.5V11H11M2.5 5H11v8.5H2.5z", done: "M3 8.5l3.5 3.5L13 4.5",
  theme: "M8 2.5a5.5 5.5 0 1 0 0 11zM8 2.5a5.5 5.5 0 0 1 0 11", side: "M2.5 3.5h11v9h-11zM9.5 3.5v9",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
};
function icon(name) {
  const make = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const picture = make("svg", { viewBox: "0 0 16 16", width: 14, height: 14, fill: "none",
    stroke: "currentColor", "stroke-width": 1.4, "aria-hidden": "true" });
  picture.append(make("path", { d: ICONS[name] }));
  return picture;
}
const count = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
const KIND_WORDS = {
  IDENTITY: "as it is", TRANSFORMATION: "computed from it", AGGREGATION: "aggregated",
  JOIN: "joined on", FILTER: "filtered by", GROUP_BY: "grouped by", SORT: "sorted by",
  WINDOW: "window", CONDITIONAL: "decides a CASE",
};
const CERTAINTY_WORDS = {
  certain: "the statement says so", inferred: "the likeliest reading, with its evidence",
  ambiguous: "one of several candidates", unknown: "nobody knows where it belongs",
};

// The address of a place: START.link with its slots filled.
function linkTo({ file, line, column }) {
  const absolute = /^([a-z]:)?[\\/]/i.test(file);
  const path = encodeURI(file.replaceAll("\\", "/")).replace(/[?#]/g, encodeURIComponent);
  const slots = {
    path: absolute ? path : START.link.startsWith("{path}") ? (START.base || "./") + path : path,
    abspath: `/${absolute ? path : `${encodeURI(START.root)}/${path}`}`.replace(/^\/+/, "/"), line, column,
  };
  return START.link.replace(/\{(path|abspath|line|column)\}/g, (_, name) => slots[name]);
}
function placeItem(place) {
  const text = placeText(place);
  const where = h("span", { class: "place" },
    h("a", { href: linkTo(place), title: `Open ${text}` }, h("bdi", {}, text)), copyButton(text));
  return place.sql ? h("div", {}, where, sqlLine(place)) : where;
}
// The line of SQL, with what is meant marked.
function sqlLine({ sql, column }) {
  const start = sql.length - sql.trimStart().length, at = Math.max(start, column - 1);
  const name = sql.slice(at).match(/^["`[]?[\w$.]+["`\]]?/)?.[0] ?? "";
  const lead = at - start > 60 ? "…" + sql.slice(at - 50, at) : sql.slice(start, at);
  return h("code", { class: "sql" }, lead, h("mark", {}, name), sql.slice(at + name.length));
}
function copyButton(text) {
  const button = h("button", { type: "button", class: "copy", title: `Copy ${text}`, "aria-label": `Copy ${text}` }, icon("copy"));
  button.addEventListener("click", async () => {
    await copyText(text);
    say(`copied ${text}`);
    button.replaceChildren(icon("done"));
    setTimeout(() => button.replaceChildren(icon("copy")), 1200);
  });
  return button;
}
async function copyText(text) {
  try { await navigator.clipboard.writeText(text); } catch { // pages from a file may not
    const area = h("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
// The first few of a list, and a button for the rest.
function listed(items, make, most = 25) {
  const list = h("ul", {}, ...items.slice(0, most).map((item) => h("li", {}, make(item))));
  if (items.length > most) {
    const more = h("button", { type: "button", class: "more" }, `${(items.length - most).toLocaleString("en")} more`);
    more.addEventListener("click", () => list.replaceWith(listed(items, make, most * 20)));
    list.append(h("li", {}, more));
  }
  return list;
}
function columnButton(c) {
  return h("button", { type: "button", class: "name", title: fullName(c), onclick: () => go(tableOf[c], c) },
    h("span", { class: "of" }, tableName(tableOf[c]) + "."), h("wbr"), columnName(c));
}
function tableButton(t) {
  return h("button", { type: "button", class: "name", title: tableName(t), onclick: () => go(t, -1) }, tableName(t));
}
const kindBadge = (code) => {
  const kind = kindOf(code), css = isDirect(code) ? kind.toLowerCase() : "indirect";
  return h("span", { class: `badge ${css}`, title: KIND_WORDS[kind] },
    (SIGNS[kind] ? SIGNS[kind] + " " : "") + kind.toLowerCase().replace("_", " "));
};
const sureBadge = (code) => {
  const sure = certaintyOf(code);
  return sure === "certain" ? null
    : h("span", { class: `badge sure ${sure}`, title: CERTAINTY_WORDS[sure] }, sure);
};

function edgeItem({ end, code, places, evidence, through }) {
  const box = h("div", { class: "edge" }, columnButton(end),
    h("span", { class: "badges" }, kindBadge(code), sureBadge(code)));
  if (through) box.append(h("p", { class: "hint" }, "through *: the star's columns are not known"));
  if (places.length) box.append(listed(places, placeItem, 4));
  if (evidence.length)
    box.append(h("p", { class: "hint" }, "inferred because of"), listed(evidence, placeItem, 3));
  const said = new Set(places.map((p) => findingsAt.get(placeText(p))).filter(Boolean));
  for (const finding of said) box.append(h("p", { class: "hint warn" }, finding.message));
  return box;
}
const asEdge = (e, end) => ({ end, code: edges.code[e], places: placesOfEdge(e),
  evidence: e < edges.given ? evidenceOf(e) : [], through: e >= edges.given });
const asRow = (r, end) => ({ end, code: rows.code[r], places: placesOfRow(r),
  evidence: evidenceOf(edges.given + r), through: false });
function section(title, items, make, open = true, none = "nothing in this pile") {
  return h("details", { open }, h("summary", {}, title, h("span", { class: "n" }, items.length.toLocaleString("en"))),
    items.length ? listed(items, make) : h("p", { class: "hint" }, none));
}

function columnPanel(c) {
  const t = tableOf[c];
  const into = [...at(edgesIn, c)].map((e) => asEdge(e, edges.source[e]));
  const out = [...at(edgesOut, c)].map((e) => asEdge(e, edges.target[e]));
  const filters = [...rowsInto(c)].map((r) => asRow(r, rows.source[r]));
  const decides = [...at(rowsOut, c)].map((r) => ({ r, table: setTable[rows.set[r]] }));
  return [
    h("h2", {}, columnName(c), copyButton(fullName(c))),
    h("p", { class: "of" }, "in ", tableButton(t)),
    circlePart([c]),
    section("Fed by", into, edgeItem, true,
      filters.length ? "no values of other columns, only the conditions below" : undefined),
    section("Feeds", out, edgeItem),
    section("Under conditions on", filters, edgeItem, into.length === 0),
    section("Is a condition of", decides, ({ r, table }) => rowItem(r, table), false),
  ];
}
function rowItem(r, table) {
  const size = setSize[rows.set[r]];
  const width = firstColumn[table + 1] - firstColumn[table];
  const which = size === width && size > 1 ? "all its columns" : count(size, "column");
  return h("div", { class: "edge" }, tableButton(table),
    h("span", { class: "badges" }, kindBadge(rows.code[r]), sureBadge(rows.code[r]), h("span", { class: "hint" }, which)),
    listed(placesOfRow(r), placeItem, 4));
}
function circlePart(columns) {
  const ids = new Set(columns.map((c) => circleOf.get(c)).filter((i) => i !== undefined));
  if (!ids.size) return null;
  const circle = [...ids].flatMap((i) => D.circles[i]);
  return h("div", { class: "circle" }, h("strong", {}, "↻ part of a circle"),
    h("p", { class: "hint" }, "these columns feed each other:"), listed(circle, columnButton, 8));
}
function tablePanel(t) {
  const columns = Array.from({ length: firstColumn[t + 1] - firstColumn[t] }, (_, i) => firstColumn[t] + i);
  const before = tableLinks.filter((l) => l.b === t), after = tableLinks.filter((l) => l.a === t);
  const neighbour = (link, other) => h("div", { class: "edge" }, tableButton(other),
    h("span", { class: "badges" }, h("span", { class: "hint" },
      link.direct ? count(link.n, "edge") : "conditions only")));
  const files = [...new Set(columns.flatMap((c) => [...at(edgesIn, c)]).flatMap(placesOfEdge).map((p) => p.file))].sort();
  return [
    h("h2", {}, tableName(t), copyButton(tableName(t))),
    h("p", { class: "of" }, isResult(t) ? "the rows that the SELECTs of this file return" : groupName(state.way, groupOf(state.way, t))),
    circlePart(columns),
    section("Columns", columns, (c) => h("button", { type: "button", class: "name", onclick: () => go(t, c) },
      rowName(c), circleOf.has(c) ? h("span", { class: "turns" }, " ↻") : null)),
    section("Reads", before, (l) => neighbour(l, l.a)),
    section("Read by", after, (l) => neighbour(l, l.b)),
    section("Filled in", files, (file) => placeItem({ file, line: 1, column: 1 }), false),
  ];
}
function mapPanel() {
  const groups = D.groups[state.way].names, sizes = new Int32Array(groups.length);
  for (const g of D.groups[state.way].of) sizes[g]++;
  const direct = edges.given, all = ROWS;
  return [
    h("h2", {}, START.title),
    h("dl", { class: "facts" },
      ...[["tables", TABLES], ["columns", NAMED], ["values passed on", direct], ["conditions", all],
        ["circles", D.circles.length], ["unresolved names", unresolved.length], ["files", D.files.length]]
        .flatMap(([label, n]) => [h("dt", {}, label), h("dd", {}, n.toLocaleString("en"))])),
    D.left_out.length ? h("div", { class: "circle" }, h("strong", {}, "Left out of this page"),
      listed(D.left_out, (text) => text)) : null,
    h("p", { class: "hint" }, "Choose a column: search for it (/), or open a table. Only what feeds it and what it feeds is drawn then."),
    D.circles.length ? section("Circles", D.circles, (circle) => columnButton(circle[0]), false) : null,
    section(state.way === "schema" ? "Schemas" : "Folders", groups.map((_, g) => g), (g) =>
      h("div", { class: "edge" }, h("button", { type: "button", class: "name", onclick: () => openFolder(g) }, groups[g]),
        h("span", { class: "badges" }, h("span", { class: "hint" }, count(sizes[g], "table"))))),
  ];
}
function unresolvedPanel() {
  return [
    h("h2", {}, "Unresolved names"),
    h("p", { class: "hint" }, unresolved.length
      ? "Nothing is dropped because of these: their edges are marked ambiguous or unknown. A schema file (--schema) settles most."
      : "Every name was resolved."),
    listed(unresolved, (each) => h("div", { class: "edge" }, h("span", { class: "badge sure" }, each.code.toLowerCase()),
      " ", each.message, listed([each.place], placeItem)), 100),
  ];
}
