/* The confusion matrix as a table: each cell with mistakes is a button that shows the images. */

import { cutMiddle, make, tip } from "./dom.js";
import { images, report } from "./data.js";
import { oneStop } from "./arrows.js";
import { axis, chart, isNarrow, tooltip } from "./charts.js";
import { download } from "./figure.js";
import { pictureButtons } from "./saving.js";
import { chosenChoices, chosenShown, classShown } from "./selection.js";
import { onChange, valueOf } from "./store.js";
import { heatOf, heatSwitch, sure, tiles } from "./tiles.js";

/** More classes than this are shown as a picture, with buttons for the most frequent mistakes. */
const MOST_CLASSES = 26;
const LISTED = 60;
/** A cell of the picture is so many pixels wide and high, at least; names beside it take so many. */
const [CELL, NAMES] = [11, 150];
const VIEWS = [["count", "numbers of images"], ["row", "% of each true class"], ["column", "% of each predicted class"]];

export function drawConfusion(place) {
  let chosen = chosenShown();
  let view = "count";
  const frame = make("div");
  const album = make("div", { class: "album", role: "region", "aria-live": "polite", "aria-label": "Misclassified images" });
  let reopen = () => {};
  const views = make("select", { onchange: () => { view = views.value; show(); } });
  const save = make("div", { class: "toolbar", role: "toolbar", "aria-label": "Save" },
    make("button", {
      type: "button", class: "quiet-button", "aria-label": "The confusion matrix as a CSV file",
      onclick: () => download("confusion", { columns: ["true class", "predicted class", "images"], rows: chosen.confusion.flatMap((row, k) => row.map((count, m) => [chosen.classes[k], chosen.classes[m], count])) }),
    }, "CSV"),
    ...pictureButtons("The confusion matrix", () => {
      const cells = cellsOf(chosen, view);
      const many = chosen.classes.length > MOST_CLASSES;
      return { frame, name: "confusion", heading: titleOf(chosen, cells), ...(many ? {} : tablePicture(chosen, cells)) };
    }));
  oneStop(save, "button");
  const controls = [...chosenChoices(), make("label", { class: "choice" }, "Cells", views), heatSwitch(), save];
  const open = (true_, predicted, button) => {
    frame.querySelectorAll("[aria-pressed=true]").forEach((other) => other.setAttribute("aria-pressed", "false"));
    button?.setAttribute("aria-pressed", "true");
    reopen = () => fill(album, chosen, true_, predicted);
    reopen();
  };
  let seen = false; // images are read when they come near
  const openWorst = () => {
    const [every, some] = ["button", ".of-class button"].map((which) => [...frame.querySelectorAll(`${which}[data-count]`)]);
    (some.length ? some : every).sort((a, b) => b.dataset.count - a.dataset.count)[0]?.click();
  };
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    seen = true;
    openWorst();
  }, { rootMargin: "200px" }).observe(frame);
  /** Offer the views of a model: numbers, shares, and the difference from each other model of its data set. */
  function offer() {
    const others = report.chosen.filter((one) => one !== chosen && one.dataset === chosen.dataset);
    const every = [...VIEWS, ...others.map((one) => [`− ${one.model}`, `${chosen.label} − ${one.label}`])];
    views.replaceChildren(...every.map(([value, text]) => make("option", { value }, text)));
    view = every.some(([value]) => value === view) ? view : "count";
    views.value = view;
  }
  function show() {
    const cells = cellsOf(chosen, view);
    const few = chosen.classes.length <= MOST_CLASSES;
    frame.className = few ? "" : "many";
    frame.replaceChildren(few ? matrix(chosen, cells, open) : overview(chosen, cells, open), ramp(cells));
    reopen = () => {};
    followClass();
    const wrong = chosen.confusion.some((counts, row) => counts.some((count, column) => count && row !== column));
    album.replaceChildren(make("p", { class: "quiet" }, wrong ? "Choose a cell with mistakes to see its images." : `${chosen.label} made no mistake on ${chosen.dataset}.`));
    if (seen) openWorst();
  }
  /** Mark the row and the column of the class that is looked at; of a picture show its mistakes alone beside it. */
  function followClass() {
    markClass(frame.querySelector(".matrix"), classShown(chosen));
    frame.querySelector(".worst")?.replaceChildren(...worst(chosen, open));
    for (const row of document.querySelectorAll(".heat [data-class]")) row.classList.toggle("of-class", row.dataset.class === valueOf("label"));
  }
  place.replaceChildren(make("div", { class: "controls" }, ...controls), make("div", { class: "confusions" }, frame, album));
  onChange(["model", "dataset", "label"], (names) => {
    if (names.some((name) => name !== "label")) {
      chosen = chosenShown();
      offer();
      return show();
    }
    followClass();
    return seen && openWorst();
  });
  onChange(["heat"], () => reopen());
  offer();
  show();
}

/**
 * What the cells of a view hold.
 *
 * `values` are numbers by true and predicted class; `most` is the largest beside the diagonal, without its sign, by which
 * colours go; `text` writes a value; `signed` says whether values are differences; `what` calls them.
 */
function cellsOf({ model, label, dataset, classes, confusion }, view) {
  const beside = (values) => Math.max(...values.flatMap((row, a) => row.map((value, b) => (a === b ? 0 : Math.abs(value)))), 0);
  const sums = (rows) => rows.map((row) => row.reduce((a, b) => a + b, 0));
  if (view.startsWith("− ")) {
    const other = report.chosen.find((one) => one.model === view.slice(2) && one.dataset === dataset && one.model !== model);
    const values = confusion.map((row, a) => row.map((count, b) => count - other.confusion[a][b]));
    const text = (value) => (value > 0 ? `+${value}` : String(value).replace("-", "−"));
    return { values, most: beside(values), text, signed: true, what: `test images more or fewer than ${other.label}` };
  }
  if (view === "count") return { values: confusion, most: beside(confusion), text: String, signed: false, what: "test images" };
  const totals = view === "row" ? sums(confusion) : sums(classes.map((_, b) => confusion.map((row) => row[b])));
  const values = confusion.map((row, a) => row.map((count, b) => (100 * count) / (totals[view === "row" ? a : b] || 1)));
  const text = (value) => (value && (value < 0.95 || (value > 99 && value < 100)) ? value.toFixed(1) : String(Math.round(value)));
  return { values, most: beside(values), text, signed: false, what: view === "row" ? "% of the test images of each true class" : "% of the test images taken for each class" };
}

/** How strong the colour of a cell is, from 0 to 1: of mistakes by the largest of them. */
const strength = ({ values, most }, row, column) =>
  Math.min(1, Math.abs(values[row][column]) / (most || 1));

/** What the colours of mistakes go by. */
function ramp({ most, text, signed }) {
  if (!most) return make("span");
  const bar = make("span", { class: signed ? "ramp-bar signed" : "ramp-bar wrong-bar" });
  return make("div", { class: "ramp mistakes-ramp" }, signed ? `${text(-most)} fewer mistakes` : "mistakes: 0", bar, signed ? `${text(most)} more` : text(most));
}

const titleOf = ({ label, dataset }, { what }) => `${label} on ${dataset}: ${what} by true class (row) and predicted class (column)`;

function matrix(chosen, cells, open) {
  const { classes, confusion } = chosen;
  const head = make("tr", {}, make("th", { scope: "col", class: "corner" }, "predicted →", make("br"), "true ↓"),
    ...classes.map((name) => make("th", { scope: "col", class: "turned", title: name }, make("span", {}, cutMiddle(name, 18)))));
  const rows = confusion.map((counts, row) => make("tr", {},
    make("th", { scope: "row", title: classes[row] }, cutMiddle(classes[row], 18)),
    ...counts.map((count, column) => {
      const value = cells.values[row][column];
      const right = row === column;
      if (!count && !value) return make("td", {}, make("span", { class: "none" }, "·"));
      const good = cells.signed ? value > 0 === right : right;
      const share = right && !cells.signed ? count / (counts.reduce((a, b) => a + b, 0) || 1) : strength(cells, row, column);
      const look = { class: !value && cells.signed ? null : good ? "right" : "wrong", style: `--v:${share.toFixed(3)}` };
      return make("td", look, right || !count ? cells.text(value) : cellButton(chosen, row, column, cells.text(value), open));
    })));
  const wide = isNarrow() || classes.length > 14 || Math.max(...classes.map((name) => name.length)) > 8;
  const table = make(
    "table", { class: `matrix ${wide ? "wide" : ""}` },
    make("caption", {}, titleOf(chosen, cells)),
    make("thead", {}, head), make("tbody", {}, ...rows),
  );
  oneStop(table, "button", "tr");
  return make("div", { class: "scroll", role: "region", "aria-label": "Confusion matrix" }, table);
}

/** Mark a class in the matrix, or none. */
function markClass(table, label) {
  for (const cell of table?.querySelectorAll("th, td") ?? []) {
    const [row, column] = [cell.parentNode.rowIndex - 1, cell.cellIndex - 1];
    cell.classList.toggle("of-class", label !== null && (row === label || column === label));
  }
}

function cellButton(chosen, row, column, text, open) {
  const [a, b] = [chosen.classes[row], chosen.classes[column]];
  const count = chosen.confusion[row][column];
  const button = make("button", {
    type: "button", "aria-pressed": "false", "data-count": count, title: `${a} taken for ${b}`,
    "aria-label": `${count} of ${a} taken for ${b}: show the images`, onclick: () => open(row, column, button),
  }, text);
  return button;
}

/** Many classes: the whole matrix as a picture with a name for each row, and the most frequent mistakes as buttons. */
function overview(chosen, cells, open) {
  const { classes, confusion, label, dataset } = chosen;
  const here = make("div", { class: "chart", style: `height:${70 + CELL * classes.length}px;min-width:${NAMES + CELL * classes.length}px` });
  here.id = "confusion-overview";
  chart(here, {
    renderer: "canvas",
    follows: ["label"],
    describe: () => `Confusion matrix of ${label} on ${dataset}, ${classes.length} classes`,
    ready: (instance) => instance.on("click", ({ data }) => data && data[0] !== data[1] && confusion[data[1]][data[0]] && open(data[1], data[0])),
    option: (colours) => picture(colours, chosen, cells),
  });
  const words = make("p", { class: "quiet" }, `${titleOf(chosen, cells)}. The diagonal is grey.`);
  return make("div", {}, words, make("div", { class: "scroll", role: "region", "aria-label": "Confusion matrix" }, here), make("div", { class: "worst" }));
}

/** The matrix of few classes as it is saved: larger cells, each with its value. */
function tablePicture(chosen, cells) {
  const names = chosen.classes.map((name) => cutMiddle(name, 18));
  const [wide, high] = [48, 34].map((size) => size * names.length);
  const turned = Math.max(...names.map((name) => name.length)) > 6;
  const below = turned ? 150 : 60;
  const value = (colours) => ({
    itemStyle: { borderColor: colours.card, borderWidth: 2 },
    label: { show: true, color: colours.ink, formatter: ({ data }) => cells.text(data[2]) },
  });
  const option = (colours) => {
    const { xAxis, yAxis, grid, series, ...rest } = picture(colours, chosen, cells);
    const axisLabel = { fontSize: 12 };
    return {
      ...rest,
      grid: { ...grid, bottom: below },
      xAxis: { ...xAxis, data: names, name: "predicted class", nameGap: below - 24, axisLabel: { ...xAxis.axisLabel, ...axisLabel, rotate: turned ? 90 : 0 } },
      yAxis: { ...yAxis, data: names, name: "true class", nameGap: NAMES - 22, axisLabel: { ...yAxis.axisLabel, ...axisLabel } },
      series: series.map((one) => ({ ...one, ...value(colours) })),
    };
  };
  return { option, width: NAMES + wide + 8, height: 6 + high + below };
}

/** The matrix as a picture. */
function picture(colours, chosen, cells) {
  const { classes, confusion } = chosen;
  const all = cells.values.flatMap((values, row) => values.map((value, column) => [column, row, value])).filter(([, , value]) => value);
  const looked = classShown(chosen);
  const axisLabel = { interval: 0, fontSize: 10, hideOverlap: false, color: (_, k) => (Number(k) === looked ? colours.accent : colours.quiet) };
  return {
    grid: { left: NAMES, right: 8, top: 6, bottom: 56 },
    tooltip: tooltip(colours, ({ data }) => tip(`${classes[data[1]]} taken for ${classes[data[0]]}`, [
      [cells.what, cells.text(data[2])], ["images", confusion[data[1]][data[0]]],
    ])),
    xAxis: axis(colours, { type: "category", data: classes.map((_, k) => k), name: "predicted class, by number", nameGap: 32, axisLabel: { ...axisLabel, rotate: 90 }, splitLine: { show: false } }),
    yAxis: axis(colours, { type: "category", data: classes.map((name, k) => `${cutMiddle(name, 18)}  ${k}`), inverse: true, axisLabel, splitLine: { show: false } }),
    visualMap: [
      {
        show: false, seriesIndex: 0, min: cells.signed ? -cells.most : 0, max: cells.most || 1,
        inRange: { color: cells.signed ? [colours.good, colours.card, colours.warm] : [colours.faint, colours.warm] },
      },
      { show: false, seriesIndex: 1, min: 0, max: 1, inRange: { color: [colours.pale] } },
    ],
    series: [
      { type: "heatmap", data: all.filter(([column, row]) => column !== row), progressive: 0 },
      { type: "heatmap", data: all.filter(([column, row]) => column === row), progressive: 0 },
    ],
  };
}

/** The most frequent mistakes as buttons under a heading; of the class that is looked at alone, where there is one. */
function worst(chosen, open) {
  const { classes, confusion } = chosen;
  const looked = classShown(chosen);
  const mistakes = confusion.flatMap((counts, row) => counts.map((count, column) => [column, row, count]))
    .filter(([column, row, count]) => count && column !== row && (looked === null || column === looked || row === looked));
  const found = mistakes.sort((a, b) => b[2] - a[2] || a[1] - b[1] || a[0] - b[0]).slice(0, LISTED);
  const list = make("ul", { class: "pairs" }, ...found.map(([column, row, count]) =>
    make("li", {}, cellButton(chosen, row, column, `${cutMiddle(classes[row], 20)} → ${cutMiddle(classes[column], 20)}: ${count}`, open))));
  oneStop(list, "button");
  return [make("h3", {}, `The ${found.length} most frequent mistakes${looked === null ? "" : ` with ${cutMiddle(classes[looked], 40)}`}`), list];
}

/** Show the images of a cell. */
function fill(album, chosen, row, column) {
  const { sheets, cells } = images();
  const sheet = sheets[chosen.dataset];
  const found = cells.find(([dataset, model, a, b]) => dataset === chosen.dataset && model === chosen.model && a === row && b === column);
  const count = chosen.confusion[row][column];
  const [a, b] = [chosen.classes[row], chosen.classes[column]];
  const shown = found ? found[4] : [];
  const some = shown.length < count ? `, the ${shown.length} that it was surest of` : ", the surest first";
  const text = `${chosen.label} took ${count} ${count === 1 ? "image" : "images"} of ${a} for ${b}${count > 1 ? some : ""}.`;
  album.replaceChildren(make("p", {}, text));
  if (!shown.length) return;
  const heat = heatOf(sheet, chosen);
  if (heat) album.append(make("p", { class: "quiet" }, `Red is where it saw ${b} (Grad-CAM).`));
  album.append(tiles(sheet, shown.map(([place, confidence]) => ({
    place, says: `${a} taken for ${b} with a confidence of ${confidence.toFixed(3)}`, lines: [sure(confidence)],
  })), heat));
}
