// Search over tables and columns, the best first. Every word must be found.
const MOST_HITS = 60;
const lowerNames = D.names.map((name) => name.toLowerCase());
const lowerTables = D.tables.name.map((name) => name.toLowerCase());

function search(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return { hits: [], total: 0 };
  const hits = [];
  for (let t = 0; t < TABLES; t++) {
    const score = words.reduce((sum, w) => (sum < 0 ? sum : added(sum, tableScore(t, w))), 0);
    if (score > 0) hits.push({ score: score + 4, table: t, column: -1, name: tableName(t) });
  }
  const byName = words.map((w) => lowerNames.map((name) => score(name, w)));
  for (let c = 0; c < COLUMNS; c++) {
    let sum = 0, own = false;
    for (let i = 0; i < words.length && sum >= 0; i++) {
      const mine = byName[i][D.columns[c]];
      const one = mine || pathScore(c, words[i], words.length > 1);
      own ||= mine > 0 || words[i].includes(".");
      sum = added(sum, one);
    }
    if (sum > 0 && own) hits.push({ score: sum, table: tableOf[c], column: c, name: columnName(c) });
  }
  hits.sort((a, b) => b.score - a.score || a.name.length - b.name.length
    || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.table - b.table));
  return { hits: hits.slice(0, MOST_HITS), total: hits.length };
}
const added = (sum, one) => (one > 0 ? sum + one : -1);
function tableScore(t, word) {
  const name = lowerTables[t];
  const own = score(name.slice(name.lastIndexOf(".") + 1), word);
  return Math.max(own, score(name, word) * 0.9);
}
function pathScore(c, word, loose) {
  const name = lowerNames[D.columns[c]], table = lowerTables[tableOf[c]];
  if (word.includes(".")) {
    const full = `${table}.${name}`;
    if (full === word) return 120;
    if (full.endsWith("." + word)) return 110;
    if (full.includes(word)) return 50 - full.length * 0.02;
  }
  return loose && table.includes(word) ? 12 : 0;
}
function score(name, word) {
  if (name === word) return 100;
  const at = name.indexOf(word);
  if (at === 0) return 80 - (name.length - word.length) * 0.2;
  if (at > 0) {
    const edge = /[^a-z0-9]/.test(name[at - 1]);
    return (edge ? 60 : 40) - Math.min(20, (name.length - word.length) * 0.1);
  }
  return word.length > 2 && inOrder(name, word) ? 8 - Math.min(6, name.length * 0.05) : 0;
}
function inOrder(name, word) {
  let at = -1;
  for (const letter of word) if ((at = name.indexOf(letter, at + 1)) < 0) return false;
  return true;
}
