// What feeds the chosen columns and what they feed, step by step, with the edges on the way.
// An edge is its number in `edges`; a condition is -1 - its number in `rows`.
function closure(seeds, { up, down, depth, conditions }) {
  const found = { up: new Map(), down: new Map(), edges: new Set() };
  for (const seed of seeds) { found.up.set(seed, 0); found.down.set(seed, 0); }
  if (up) spread(seeds, found.up, found.edges, depth, conditions, stepsUp);
  if (down) spread(seeds, found.down, found.edges, depth, conditions, stepsDown);
  found.columns = new Set([...found.up.keys(), ...found.down.keys()]);
  return found;
}
function spread(seeds, reached, used, depth, conditions, steps) {
  let frontier = [...seeds];
  for (let step = 1; frontier.length && (!depth || step <= depth); step++) {
    const next = [];
    for (const column of frontier)
      for (const [edge, others] of steps(column, conditions)) {
        used.add(edge);
        for (const other of others)
          if (!reached.has(other)) { reached.set(other, step); next.push(other); }
      }
    frontier = next;
  }
}
function* stepsUp(column, conditions) {
  for (const e of at(edgesIn, column)) yield [e, [edges.source[e]]];
  if (conditions) for (const r of rowsInto(column)) yield [-1 - r, [rows.source[r]]];
}
function* stepsDown(column, conditions) {
  for (const e of at(edgesOut, column)) yield [e, [edges.target[e]]];
  if (conditions) for (const r of at(rowsOut, column)) yield [-1 - r, members(rows.set[r])];
}
