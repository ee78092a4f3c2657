"use strict";
(() => {
  const root = document.documentElement;
  const query = document.getElementById("query");
  const bodies = [...document.querySelectorAll("table.sortable > tbody")];
  const chips = [...document.querySelectorAll(".chips button")];
  const wanted = { words: [], verdict: "" };

  for (const each of document.querySelectorAll("[hidden]")) each.hidden = false;

  // --- filter: every word must stand somewhere in the row ---
  const texts = new Map();
  for (const body of bodies) for (const row of body.rows) texts.set(row, row.textContent.toLowerCase());

  function fits(row) {
    const text = texts.get(row);
    const right = !wanted.verdict || !("verdict" in row.dataset) || row.dataset.verdict === wanted.verdict;
    return right && wanted.words.every((word) => text.includes(word));
  }

  function filter() {
    for (const body of bodies) {
      const rows = [...body.rows].filter((row) => texts.has(row));
      let shown = 0;
      for (const row of rows) {
        row.hidden = !fits(row);
        shown += row.hidden ? 0 : 1;
      }
      tell(body, rows, shown);
    }
  }

  function tell(body, rows, shown) {
    body.querySelector(":scope > .nothing")?.remove();
    if (!shown) {
      const cell = body.insertRow().insertCell();
      cell.parentElement.className = "nothing";
      cell.colSpan = body.parentElement.tHead.rows[0].cells.length;
      cell.textContent = "No row has all of that.";
    }
    const count = body.closest("section").querySelector("h2 .count");
    const all = rows.length.toLocaleString("en");
    if (count) count.textContent = shown === rows.length ? all : `${shown.toLocaleString("en")} of ${all}`;
  }

  query.addEventListener("input", () => {
    wanted.words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    filter();
  });

  for (const chip of chips) {
    chip.addEventListener("click", () => {
      wanted.verdict = wanted.verdict === chip.dataset.verdict ? "" : chip.dataset.verdict;
      for (const each of chips) each.setAttribute("aria-pressed", String(each.dataset.verdict === wanted.verdict));
      filter();
    });
  }

  // --- sort: a click on a head, and another one for the other way round ---
  function value(row, column, numbers) {
    const text = row.cells[column]?.textContent.trim() ?? "";
    if (!numbers) return text.toLowerCase();
    const number = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(number) ? -Infinity : number;
  }

  function sort(table, head, column) {
    const numbers = head.dataset.sort === "number";
    const was = head.getAttribute("aria-sort");
    const up = was ? was === "descending" : !numbers;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows].map((row) => [value(row, column, numbers), row]);
    rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (up ? 1 : -1));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, head, column));
      head.replaceChildren(button);
    });
  }

  // --- light and dark, keys, print ---
  function turn() {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }
  document.getElementById("theme").addEventListener("click", turn);
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (event.key === "Escape" && typing) {
      query.value = "";
      query.dispatchEvent(new Event("input"));
      query.blur();
    } else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      if (event.key === "/") {
        event.preventDefault();
        query.focus();
      } else if (event.key === "d") turn();
    }
  });

  function below() {
    root.style.setProperty("--below", `${document.querySelector("header").offsetHeight - 1}px`);
  }
  below();
  addEventListener("resize", below);

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
  });
  addEventListener("afterprint", () => {
    for (const each of closed) each.open = false;
  });
})();
