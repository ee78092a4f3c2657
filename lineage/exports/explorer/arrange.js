// A small layered layout for the boxes of one view; the whole map comes with positions.
// Boxes: {w, h, order}; links: pairs of indices. Sets x and y of each box.
function arrange(boxes, links, across = 110, down = 16) {
  const after = boxes.map(() => []), before = boxes.map(() => []);
  const seen = new Set();
  for (const [a, b] of links) {
    const key = a * boxes.length + b;
    if (a === b || seen.has(key)) continue;
    seen.add(key);
    after[a].push(b);
    before[b].push(a);
  }
  const layer = layersOf(boxes, after);
  const rows = [];
  boxes.forEach((_, i) => (rows[layer[i]] ||= []).push(i));
  const filled = rows.filter(Boolean);
  for (const row of filled) row.sort((a, b) => boxes[a].order - boxes[b].order);
  sweep(filled, after, before);
  let x = 0;
  for (const row of filled) x = stack(row, boxes, before, x, across, down);
}
function layersOf(boxes, after) {
  const order = [], state = new Uint8Array(boxes.length), back = new Set();
  const starts = boxes.map((_, i) => i).sort((a, b) => boxes[a].order - boxes[b].order);
  for (const start of starts) {
    if (state[start]) continue;
    const stack = [[start, 0]];
    state[start] = 1;
    while (stack.length) {
      const top = stack[stack.length - 1];
      const next = after[top[0]][top[1]++];
      if (next === undefined) { state[top[0]] = 2; order.push(top[0]); stack.pop(); }
      else if (state[next] === 1) back.add(top[0] * boxes.length + next);
      else if (!state[next]) { state[next] = 1; stack.push([next, 0]); }
    }
  }
  order.reverse();
  const layer = new Int32Array(boxes.length), fed = new Uint8Array(boxes.length);
  const ahead = (i) => after[i].filter((j) => !back.has(i * boxes.length + j));
  for (const i of order)
    for (const j of ahead(i)) { layer[j] = Math.max(layer[j], layer[i] + 1); fed[j] = 1; }
  for (const i of order) {
    const next = ahead(i);
    if (!fed[i] && next.length) layer[i] = Math.min(...next.map((j) => layer[j])) - 1;
  }
  return layer;
}
function sweep(rows, after, before) {
  const at = [];
  const number = (row) => row.forEach((i, n) => { at[i] = (n + 0.5) / row.length; });
  rows.forEach(number);
  for (let turn = 0; turn < 6; turn++) {
    const towards = turn % 2 ? after : before;
    for (const row of turn % 2 ? [...rows].reverse() : rows) {
      const mean = new Map(row.map((i) => [i, average(towards[i].map((j) => at[j]), at[i])]));
      row.sort((a, b) => mean.get(a) - mean.get(b) || at[a] - at[b]);
      number(row);
    }
  }
}
const average = (values, otherwise) =>
  (values.length ? values.reduce((a, b) => a + b, 0) / values.length : otherwise);

// One layer, folded when it is too high, each box as level with what feeds it as there is room.
function stack(row, boxes, before, x, across, down) {
  const total = row.reduce((sum, i) => sum + boxes[i].h + down, 0);
  const parts = Math.max(1, Math.round(total / Math.max(1600, Math.sqrt(total * 300))));
  let next = 0;
  for (let part = 0; part < parts; part++) {
    const column = [];
    for (let sum = 0; next < row.length && (sum < total / parts || part === parts - 1); next++) {
      column.push(row[next]);
      sum += boxes[row[next]].h + down;
    }
    const width = Math.max(...column.map((i) => boxes[i].w));
    let above = 0;
    const pools = [];
    for (const i of column) {
      const middles = before[i].filter((j) => boxes[j].x !== undefined)
        .map((j) => boxes[j].y + boxes[j].h / 2);
      const want = parts > 1 ? -total / parts / 2
        : average(middles, 0) - boxes[i].h / 2 - above;
      let pool = { mean: want, size: 1 };
      while (pools.length && pools[pools.length - 1].mean > pool.mean) {
        const top = pools.pop(), size = top.size + pool.size;
        pool = { mean: (top.mean * top.size + pool.mean * pool.size) / size, size };
      }
      pools.push(pool);
      above += boxes[i].h + down;
    }
    const shifts = pools.flatMap((pool) => Array(pool.size).fill(pool.mean));
    above = 0;
    column.forEach((i, n) => {
      boxes[i].x = x;
      boxes[i].y = Math.round(shifts[n] + above);
      boxes[i].w = width;
      above += boxes[i].h + down;
    });
    x += width + (part === parts - 1 ? across : across / 2);
  }
  return x;
}
