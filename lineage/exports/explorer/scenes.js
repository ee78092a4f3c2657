// A scene is what one view shows: boxes with rows, and links between their ports.
function makeBox(table, group, way, rows, hidden) {
  const grouped = group >= 0;
  const g = grouped ? group : groupOf(way, table);
  const title = grouped ? groupName(way, group) : tableName(table);
  const [lead, name] = titleOf(title, grouped ? -1 : table);
  const foot = hidden > 0 ? 1 : 0;
  return {
    table: grouped ? -1 : table, group: grouped ? group : -1, hue: (g * 137.5 + 205) % 360, title, lead, name,
    rows, hidden, at: new Map(rows.map((c, i) => [c, i])), w: 130,
    h: rows.length + foot ? SIZES.head + SIZES.row * (rows.length + foot) + 4 : SIZES.head,
  };
}
const rowY = (box, i) => box.y + SIZES.head + SIZES.row * (i + 0.5);
function port(box, column) {
  const i = column >= 0 ? box.at.get(column) : undefined;
  return i === undefined ? box.y + SIZES.head / 2 : rowY(box, i);
}

// The whole map, by positions that came with the page.
function overview(level, way, opened) {
  if (level === "folders") return opened.size ? drilled(way, opened) : folders(way);
  const full = level === "columns";
  const place = full ? D.tables.full : D.tables.titles;
  const boxes = [];
  for (let t = 0; t < TABLES; t++) {
    const width = firstColumn[t + 1] - firstColumn[t];
    const shown = full ? Math.min(width, SIZES.rows) : 0;
    const columns = Array.from({ length: shown }, (_, i) => firstColumn[t] + i);
    const box = makeBox(t, -1, way, columns, full ? width - shown : 0);
    [box.x, box.y, box.w] = [place.x[t], place.y[t], place.width[t]];
    box.note = full ? "" : String(width);
    box.weight = 0;
    boxes.push(box);
  }
  const links = tableLinks.map((l) => (
    { from: boxes[l.a], to: boxes[l.b], s: -1, t: -1, code: l.direct ? -1 : -2, n: l.n }));
  for (const { a, b } of tableLinks) { boxes[a].weight++; boxes[b].weight++; }
  return { boxes, links, faint: true };
}
function folders(way) {
  const groups = D.groups[way];
  const counts = new Int32Array(groups.names.length);
  for (const g of groups.of) counts[g]++;
  const boxes = groups.names.map((_, g) => {
    const box = makeBox(-1, g, way, [], 0);
    const { x, y, width } = groups.titles;
    [box.x, box.y, box.w] = [x[g], y[g], width[g]];
    box.note = String(counts[g]);
    box.weight = counts[g];
    return box;
  });
  return { boxes, links: between(boxes, tableLinks, (t) => boxes[groups.of[t]]), faint: true };
}
function between(boxes, pairs, boxOf) {
  const found = new Map(), number = new Map(boxes.map((box, i) => [box, i]));
  for (const { a, b, n, direct } of pairs) {
    const from = boxOf(a), to = boxOf(b);
    if (!from || !to || from === to) continue;
    const key = number.get(from) * boxes.length + number.get(to);
    const link = found.get(key) || { from, to, s: -1, t: -1, code: -2, n: 0 };
    link.n += n;
    if (direct) link.code = -1;
    found.set(key, link);
  }
  return [...found.values()];
}
// Some folders opened: their tables, and the folders next to them.
function drilled(way, opened) {
  const inside = (t) => opened.has(groupOf(way, t));
  const pairs = tableLinks.filter((l) => inside(l.a) || inside(l.b));
  const tables = new Set(), groups = new Map();
  for (let t = 0; t < TABLES; t++) if (inside(t)) tables.add(t);
  const outside = pairs.flatMap((l) => [l.a, l.b]).filter((t) => !inside(t));
  for (const t of outside) {
    const g = groupOf(way, t);
    if (!groups.has(g)) groups.set(g, new Set());
    groups.get(g).add(t);
  }
  const boxOf = new Map(), groupBox = new Map();
  for (const t of tables) boxOf.set(t, fitted(tableBox(t, way)));
  for (const [g, some] of groups) {
    const box = fitted(makeBox(-1, g, way, [], 0));
    box.order = D.groups[way].titles.y[g];
    box.note = String(some.size);
    groupBox.set(g, box);
  }
  const boxes = [...boxOf.values(), ...groupBox.values()];
  const number = new Map(boxes.map((box, i) => [box, i]));
  const find = (t) => boxOf.get(t) || groupBox.get(groupOf(way, t));
  const links = between(boxes, pairs, find);
  arrange(boxes, links.map((l) => [number.get(l.from), number.get(l.to)]));
  return { boxes, links, faint: true };
}
function tableBox(t, way) {
  const box = makeBox(t, -1, way, [], 0);
  box.order = D.tables.titles.y[t] + D.tables.titles.layer[t] / 1e3;
  box.note = String(firstColumn[t + 1] - firstColumn[t]);
  return box;
}
// As wide as its longest text, within reason.
function fitted(box) {
  const need = Math.max(textWidth(box.lead, 12.5, 400) + textWidth(box.name, 12.5, 600) + 42 + textWidth(box.note || "", 11, 400),
    ...box.rows.map((c) => textWidth(rowName(c), 12, 400) + 44));
  box.w = Math.round(Math.min(320, Math.max(130, need)));
  return box;
}

// The closure of the chosen columns, and nothing else.
const FOCUS_ROWS = 30; // columns of one table, before "+ n more"
function focused(found, chosen, level, way, opened, wide) {
  const columnsOf = new Map();
  for (const c of [...found.columns].sort((a, b) => a - b)) {
    if (!columnsOf.has(tableOf[c])) columnsOf.set(tableOf[c], []);
    columnsOf.get(tableOf[c]).push(c);
  }
  const boxOf = new Map(), groupBox = new Map();
  for (const [t, columns] of columnsOf) {
    const g = groupOf(way, t);
    if (level === "folders" && t !== chosen.table && !opened.has(g)) {
      if (!groupBox.has(g)) {
        const box = makeBox(-1, g, way, [], 0);
        box.order = D.groups[way].titles.y[g];
        box.tables = 0;
        groupBox.set(g, box);
      }
      groupBox.get(g).tables++;
      boxOf.set(t, groupBox.get(g));
      continue;
    }
    boxOf.set(t, focusBox(t, columns, chosen, level, way, wide));
  }
  for (const box of groupBox.values()) box.note = String(box.tables);
  const boxes = [...new Set(boxOf.values())];
  boxes.forEach(fitted);
  const number = new Map(boxes.map((box, i) => [box, i]));
  const rowLinks = focusLinks(found, boxOf, number, false);
  const many = rowLinks.length > MOST_LINKS;
  const links = many ? focusLinks(found, boxOf, number, true) : rowLinks;
  arrange(boxes, links.map((l) => [number.get(l.from), number.get(l.to)]));
  return { boxes, links, faint: false, tables: columnsOf.size, many: many ? rowLinks.length : 0 };
}
function focusBox(t, columns, chosen, level, way, wide) {
  const all = level !== "tables" || (t === chosen.table && chosen.column >= 0);
  const most = wide.has(t) ? Infinity : FOCUS_ROWS;
  let shown = all ? columns.slice(0, most) : [];
  if (all && chosen.table === t && chosen.column >= 0 && !shown.includes(chosen.column))
    shown = [chosen.column, ...shown.slice(0, most - 1)];
  const box = makeBox(t, -1, way, shown, all ? columns.length - shown.length : 0);
  box.order = D.tables.titles.y[t] + D.tables.titles.layer[t] / 1e3;
  if (!all) box.note = String(columns.length);
  return box;
}
const MOST_LINKS = 1500; // more are drawn from table to table
function focusLinks(found, boxOf, number, titles) {
  const links = new Map();
  const add = (from, to, s, t, code) => {
    const fromRow = !titles && from.at.has(s) ? s : -1, toRow = !titles && to.at.has(t) ? t : -1;
    if (from === to && (fromRow < 0 || (toRow < 0 && isDirect(code)))) return;
    // without a row at either end there is no kind to show: only whether values flow
    const shown = fromRow >= 0 && (toRow >= 0 || !isDirect(code)) ? code : isDirect(code) ? -1 : -2;
    const key = [number.get(from), number.get(to), fromRow, toRow, shown].join();
    const known = links.get(key);
    if (known) known.n++;
    else links.set(key, { from, to, s: fromRow, t: toRow, code: shown, n: 1 });
  };
  for (const edge of found.edges) {
    if (edge >= 0) {
      const s = edges.source[edge], t = edges.target[edge];
      add(boxOf.get(tableOf[s]), boxOf.get(tableOf[t]), s, t, edges.code[edge]);
      continue;
    }
    const r = -1 - edge, set = rows.set[r], s = rows.source[r];
    const only = setSize[set] === 1 ? D.sets[set][0] : -1;
    const from = boxOf.get(tableOf[s]), to = boxOf.get(setTable[set]);
    if (from && to) add(from, to, s, only, rows.code[r]);
  }
  return [...links.values()];
}
