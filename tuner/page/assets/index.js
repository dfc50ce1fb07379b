/* Sorts the overview of all reports by the column whose heading is pressed. */
"use strict";
const table = document.getElementById("overview");
const body = table.tBodies[0];
[...table.tHead.rows[0].cells].forEach((cell, place) => {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sort";
  button.append(...cell.childNodes);
  cell.append(button);
  button.addEventListener("click", () => {
    const down = cell.getAttribute("aria-sort") === "ascending" || (!cell.hasAttribute("aria-sort") && cell.className === "number");
    for (const other of cell.parentNode.cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    const valueOf = (row) => row.cells[place].dataset.value ?? row.cells[place].textContent.trim();
    const compare = ([a], [b]) => {
      if (a === "" || b === "") return (a === "") - (b === ""); // what is missing comes last either way
      const order = cell.className === "number" ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
      return down ? -order : order;
    };
    body.append(...[...body.rows].map((row) => [valueOf(row), row]).sort(compare).map(([, row]) => row));
  });
});
