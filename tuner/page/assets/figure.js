/* The frame of a figure: its heading, its choices, its charts, its caption, and the same as a table and as CSV. */

import { make, setting } from "./dom.js";
import { report } from "./data.js";
import { oneStop } from "./arrows.js";
import { canDraw } from "./charts.js";
import { pictureButtons } from "./saving.js";

/** Rows of a figure's table that are shown in the page; the file has all. */
const MOST_ROWS = 200;

/**
 * Fill a place with the frame of a figure.
 *
 * `table` returns {columns, rows} of what is shown at the moment. Returns where charts go, and `changed`, to be called
 * when they show something else.
 */
export function figure(place, { name, heading, caption, controls = [], table }) {
  const body = make("div", { class: "charts" });
  const words = make("figcaption", {}, caption());
  const rows = make("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": `${heading} as a table` });
  const details = make(
    "details",
    { class: "as-table", open: !canDraw, ontoggle: () => details.open && rows.replaceChildren(tableOf(table(), heading)) },
    make("summary", {}, "As a table"),
    rows,
  );
  const save = make("button", { type: "button", class: "quiet-button", onclick: () => download(name, table()) }, "CSV");
  save.setAttribute("aria-label", `${heading} as a CSV file`);
  const pictures = pictureButtons(heading, () => ({ frame, name, heading }));
  const foot = make("div", { class: "figure-foot" }, make("div", { class: "toolbar", role: "toolbar", "aria-label": "Save" }, save, ...pictures), details);
  oneStop(foot, ".toolbar > button, .as-table > summary");
  const frame = make(
    "figure",
    { "aria-label": heading },
    make("h3", {}, heading),
    controls.length ? make("div", { class: "controls" }, ...controls) : null,
    body,
    words,
    foot,
  );
  place.replaceChildren(frame);
  const changed = () => {
    words.replaceChildren(caption());
    if (details.open) rows.replaceChildren(tableOf(table(), heading));
  };
  return { body, changed, frame };
}

/** An empty box for a chart. */
export function box(height, more = "") {
  return make("div", { class: `chart ${more}`, style: `height:${height}px` });
}

function tableOf({ columns, rows }, heading) {
  const shown = rows.slice(0, MOST_ROWS);
  const more = rows.length > shown.length ? `; the first ${MOST_ROWS} of ${rows.length} rows, all are in the CSV` : "";
  const cell = (value) => make("td", typeof value === "number" ? { class: "number" } : {}, setting(value));
  return make(
    "table",
    {},
    make("caption", {}, heading + more),
    make("thead", {}, make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column)))),
    make("tbody", {}, ...shown.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

/** Save a table as a CSV file. */
export function download(name, { columns, rows }) {
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: `${report.search}-${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
