// The search box: hits of rank.js as a list that keys walk through.
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

