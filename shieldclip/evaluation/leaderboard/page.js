"use strict";

// Figures as numbers ("−0.4", "3,179,009"), a dash last, anything else as text.
const value = (row, column) => {
  const text = row.cells[column].querySelector(".figure").textContent.trim();
  const number = Number(text.replaceAll(",", "").replace("\u2212", "-"));
  return text === "\u2013" ? null : Number.isNaN(number) ? text : number;
};

const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);

const sort = (table, column, direction) => {
  const rows = [...table.tBodies[0].rows];
  rows.sort((one, other) => {
    const [a, b] = [value(one, column), value(other, column)];
    if (a === null || b === null) return (a === null) - (b === null);
    return direction * compare(a, b);
  });
  table.tBodies[0].append(...rows);
};

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sort(table, column, ascending ? 1 : -1);
    });
  });
}
