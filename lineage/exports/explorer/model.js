// The data as typed arrays, with names. Keys and codes: see page_data.py.
const D = JSON.parse(document.getElementById("data").textContent);
const START = D.start;
const SIZES = D.sizes;
const TABLES = D.tables.name.length;
const COLUMNS = D.columns.length;

const firstColumn = new Int32Array(TABLES + 1);
const tableOf = new Int32Array(COLUMNS);
for (let t = 0, c = 0; t < TABLES; t++) {
  firstColumn[t] = c;
  for (let i = 0; i < D.tables.columns[t]; i++) tableOf[c++] = t;
  firstColumn[t + 1] = c;
}

const columnName = (c) => D.names[D.columns[c]];
const isStar = (c) => columnName(c) === "*"; // columns that nobody names: all of a table, or its others
const NAMED = D.columns.filter((_, c) => !isStar(c)).length;
const tableName = (t) => D.tables.name[t];
const isResult = (t) => D.tables.result[t] === 1;
// A title in two parts: where it is, and what it is called.
function titleOf(name, table) {
  const temporary = name.indexOf("@", 1); // name@file: a temporary table that several files make
  if (table >= 0 && temporary > 0 && !isResult(table) && name.includes("/", temporary))
    return ["", `${name.slice(0, temporary)} @ ${name.slice(name.lastIndexOf("/") + 1)}`];
  const short = name.startsWith(D.shared) ? name.slice(D.shared.length) : name;
  const cut = table < 0 ? 0 : isResult(table) ? short.lastIndexOf("/", short.lastIndexOf("/") - 1) + 1
    : short.lastIndexOf(".", short.length - 2) + 1;
  return [short.slice(0, cut), short.slice(cut)];
}
const fullName = (c) => tableName(tableOf[c]) + "." + columnName(c);
const kindOf = (code) => D.kinds[code >> 2];
const certaintyOf = (code) => D.certainties[code & 3];
const isDirect = (code) => code >> 2 < 3;
const groupOf = (way, t) => D.groups[way].of[t];
const groupName = (way, g) => D.groups[way].names[g];

// Edges that carry values; those read through a `*` are added at the end, without a place.
const edges = (() => {
  const given = D.edges.source.length;
  const target = new Int32Array(given);
  for (let i = 0, t = 0; i < given; i++) target[i] = t += D.edges.target[i];
  const fed = new Uint8Array(COLUMNS);
  for (const t of target) fed[t] = 1;
  const through = [];
  for (let t = 0; t < TABLES; t++) {
    const from = firstColumn[t], to = firstColumn[t + 1];
    let star = -1;
    for (let c = from; c < to; c++) if (fed[c] && columnName(c) === "*") star = c;
    if (star >= 0) for (let c = from; c < to; c++) if (!fed[c]) through.push(star, c);
  }
  const all = { count: given + through.length / 2, given };
  all.source = new Int32Array(all.count);
  all.target = new Int32Array(all.count);
  all.code = new Uint8Array(all.count).fill(D.certainties.indexOf("inferred"));
  all.source.set(D.edges.source);
  all.target.set(target);
  all.code.set(D.edges.code);
  for (let i = given, j = 0; i < all.count; i++, j += 2) {
    all.source[i] = through[j];
    all.target[i] = through[j + 1];
  }
  return all;
})();

// Numbers of edges by one of their ends: those of end n are list[start[n]] up to start[n + 1].
function byEnd(ends, size) {
  const start = new Int32Array(size + 1);
  for (const end of ends) start[end + 1]++;
  for (let i = 0; i < size; i++) start[i + 1] += start[i];
  const list = new Int32Array(ends.length), next = start.slice(0, size);
  for (let i = 0; i < ends.length; i++) list[next[ends[i]]++] = i;
  return { start, list };
}
const edgesOut = byEnd(edges.source, COLUMNS);
const edgesIn = byEnd(edges.target, COLUMNS);
function* at(index, end) {
  for (let i = index.start[end]; i < index.start[end + 1]; i++) yield index.list[i];
}

// Conditions: one source, a set of columns of one table.
const rows = D.rows;
const ROWS = rows.source.length;
const setTable = D.sets.map((set) => tableOf[set[0]]);
const rowsOut = byEnd(rows.source, COLUMNS);
const rowsIn = byEnd(rows.set.map((set) => setTable[set]), TABLES);
const setSize = D.sets.map((set) => set.reduce((sum, n, i) => sum + (i % 2 ? n : 0), 0));
function* members(set) {
  const stretches = D.sets[set];
  for (let i = 0; i < stretches.length; i += 2)
    for (let c = stretches[i]; c < stretches[i] + stretches[i + 1]; c++) yield c;
}
function isMember(set, column) {
  const s = D.sets[set];
  for (let i = 0; i < s.length; i += 2)
    if (column >= s[i] && column < s[i] + s[i + 1]) return true;
  return false;
}
function* rowsInto(column) {
  for (const r of at(rowsIn, tableOf[column])) if (isMember(rows.set[r], column)) yield r;
}

// Places: edges first, then conditions.
const placeStart = (() => {
  const start = new Int32Array(edges.given + ROWS + 1);
  let sum = 0, i = 0;
  for (const count of D.edges.places) { start[i++] = sum; sum += 3 * count; }
  for (const count of rows.places) { start[i++] = sum; sum += 3 * count; }
  start[i] = sum;
  return start;
})();
const placeOf = (file, line, column) =>
  ({ file: D.files[file], line, column, sql: D.lines[file]?.[line] ?? "" });
function triples(flat, from, to) {
  const found = [];
  for (let i = from; i < to; i += 3)
    found.push(placeOf(flat[i], flat[i + 1], flat[i + 2]));
  return found;
}
const placesAt = (i) => triples(D.places, placeStart[i], placeStart[i + 1]);
const placesOfEdge = (e) => (e < edges.given ? placesAt(e) : []);
const placesOfRow = (r) => placesAt(edges.given + r);
function evidenceOf(i) {
  const flat = D.evidence[i];
  return flat ? triples(flat, 0, flat.length) : [];
}
const unresolved = D.unresolved.map(([code, message, file, line, column]) => (
  { code, message, place: placeOf(file, line, column) }));
const placeText = (p) => `${p.file}:${p.line}:${p.column}`;
const findingsAt = (() => {
  const found = new Map();
  for (const each of unresolved) found.set(placeText(each.place), each);
  return found;
})();

// Circles of columns that feed each other.
const circleOf = new Map();
D.circles.forEach((circle, i) => circle.forEach((c) => circleOf.set(c, i)));

// Links between tables, each pair once, with the number of column edges.
const tableLinks = (() => {
  const count = new Map();
  const add = (a, b) => {
    if (a !== b) { const k = a * TABLES + b; count.set(k, (count.get(k) || 0) + 1); }
  };
  for (let i = 0; i < edges.given; i++) add(tableOf[edges.source[i]], tableOf[edges.target[i]]);
  const direct = [...count];
  count.clear();
  for (let r = 0; r < ROWS; r++) add(tableOf[rows.source[r]], setTable[rows.set[r]]);
  const seen = new Set(direct.map(([k]) => k));
  const pair = ([k, n], direct) => ({ a: Math.floor(k / TABLES), b: k % TABLES, n, direct });
  return [...direct.map((each) => pair(each, true)),
    ...[...count].filter(([k]) => !seen.has(k)).map((each) => pair(each, false))];
})();

// Deep links: #relation.column, or #relation.
function hashOf(table, column) {
  if (table < 0) return "";
  const text = column >= 0 ? fullName(column) : tableName(table);
  return encodeURIComponent(text).replace(/%(2F|3A|40|24|2C|3B|2B|3D|3F)/g, decodeURIComponent);
}
function fromHash(hash) {
  let text = hash.replace(/^#/, "");
  try { text = decodeURIComponent(text); } catch { /* a stray %: as it stands */ }
  if (!text) return { table: -1, column: -1 };
  return named(text) || named(text.toLowerCase(), true) || { table: -1, column: -1, text };
}
function named(text, fold = false) {
  const same = (name) => (fold ? name.toLowerCase() : name) === text;
  for (let t = 0; t < TABLES; t++) if (same(tableName(t))) return { table: t, column: -1 };
  const tails = [];
  for (let c = 0; c < COLUMNS; c++) {
    const t = tableOf[c], name = columnName(c);
    const long = tableName(t).length + 1 + name.length;
    if (long === text.length && same(fullName(c))) return { table: t, column: c };
    if (long > text.length && text.length > name.length && fold
      && fullName(c).toLowerCase().endsWith("." + text)) tails.push(c);
  }
  return tails.length === 1 ? { table: tableOf[tails[0]], column: tails[0] } : null;
}
