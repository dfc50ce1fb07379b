/* The confusion matrix as a table: each cell with mistakes is a button that shows the images. */

import { choice, cut, make, tip } from "./dom.js";
import { images, report } from "./data.js";
import { axis, chart, palette, tooltip } from "./charts.js";
import { download } from "./figure.js";

/** More classes than this are shown as a picture, with buttons for the most frequent mistakes. */
const MOST_CLASSES = 26;
const LISTED = 60;
/** Images on the page are so many pixels wide. */
const SHOWN = 72;

export function drawConfusion(place) {
  let chosen = report.chosen[0];
  const frame = make("div");
  const album = make("div", { class: "album", role: "region", "aria-live": "polite", "aria-label": "Misclassified images" });
  const options = report.chosen.map((one, k) => [k, `${one.label} on ${one.dataset}`]);
  const controls = [
    ...(options.length > 1 ? [choice("Model", options, (k) => { chosen = report.chosen[k]; show(); })] : []),
    make("button", {
      type: "button", class: "quiet-button", "aria-label": "The confusion matrix as a CSV file",
      onclick: () => download("confusion", { columns: ["true class", "predicted class", "images"], rows: chosen.confusion.flatMap((row, k) => row.map((count, m) => [chosen.classes[k], chosen.classes[m], count])) }),
    }, "CSV"),
  ];
  const open = (true_, predicted, button) => {
    frame.querySelectorAll("[aria-pressed=true]").forEach((other) => other.setAttribute("aria-pressed", "false"));
    button.setAttribute("aria-pressed", "true");
    fill(album, chosen, true_, predicted);
  };
  let seen = false; // images are read when they come near
  const openWorst = () => {
    const buttons = [...frame.querySelectorAll("button[data-count]")];
    buttons.sort((a, b) => b.dataset.count - a.dataset.count)[0]?.click();
  };
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    seen = true;
    openWorst();
  }, { rootMargin: "200px" }).observe(frame);
  function show() {
    frame.className = chosen.classes.length <= MOST_CLASSES ? "" : "many";
    frame.replaceChildren(chosen.classes.length <= MOST_CLASSES ? matrix(chosen, open) : overview(chosen, open));
    const wrong = chosen.confusion.some((counts, row) => counts.some((count, column) => count && row !== column));
    album.replaceChildren(make("p", { class: "quiet" }, wrong ? "Choose a cell with mistakes to see its images." : `${chosen.label} made no mistake on ${chosen.dataset}.`));
    if (seen) openWorst();
  }
  place.replaceChildren(make("div", { class: "controls" }, ...controls), make("div", { class: "confusions" }, frame, album));
  show();
}

function matrix(chosen, open) {
  const { classes, confusion, label, dataset } = chosen;
  const head = make("tr", {}, make("th", { scope: "col", class: "corner" }, "predicted →", make("br"), "true ↓"),
    ...classes.map((name) => make("th", { scope: "col", class: "turned" }, make("span", {}, cut(name, 18)))));
  const rows = confusion.map((counts, row) => {
    const total = counts.reduce((a, b) => a + b, 0) || 1;
    return make("tr", {}, make("th", { scope: "row", title: classes[row] }, cut(classes[row], 18)), ...counts.map((count, column) => {
      const share = count / total;
      const style = `--v:${(row === column ? share : Math.sqrt(share)).toFixed(3)}`;
      if (!count) return make("td", {}, make("span", { class: "none" }, "·"));
      if (row === column) return make("td", { class: "right", style }, String(count));
      return make("td", { class: "wrong", style }, cellButton(chosen, row, column, String(count), open));
    }));
  });
  const wide = classes.length > 14 || Math.max(...classes.map((name) => name.length)) > 8;
  return make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Confusion matrix" }, make(
    "table", { class: `matrix ${wide ? "wide" : ""}` },
    make("caption", {}, `${label} on ${dataset}: test images by true class (row) and predicted class (column)`),
    make("thead", {}, head), make("tbody", {}, ...rows),
  ));
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

/** Many classes: the whole matrix as a picture, and the most frequent mistakes as buttons. */
function overview(chosen, open) {
  const { classes, confusion, label, dataset } = chosen;
  const cells = confusion.flatMap((counts, row) => counts.map((count, column) => [column, row, count])).filter(([, , count]) => count);
  const here = make("div", { class: "chart", style: "height:560px" });
  const axisLabel = { interval: Math.ceil(classes.length / 20) - 1 };
  chart(here, {
    renderer: "canvas",
    describe: () => `Confusion matrix of ${label} on ${dataset}, ${classes.length} classes`,
    option: (colours) => ({
      grid: { left: 60, right: 16, top: 10, bottom: 60 },
      tooltip: tooltip(colours, ({ data }) => tip(`${classes[data[1]]} taken for ${classes[data[0]]}`, [["images", data[2]]])),
      xAxis: axis(colours, { type: "category", data: classes.map((_, k) => k), name: "predicted class, by number", axisLabel, splitLine: { show: false } }),
      yAxis: axis(colours, { type: "category", data: classes.map((_, k) => k), inverse: true, name: "true class, by number", nameGap: 40, axisLabel, splitLine: { show: false } }),
      visualMap: { show: false, min: 0, max: Math.max(...cells.map(([, , count]) => count)), inRange: { color: palette().ramp } },
      series: [{ type: "heatmap", data: cells, progressive: 0 }],
    }),
  });
  const worst = cells.filter(([column, row]) => column !== row).sort((a, b) => b[2] - a[2] || a[1] - b[1] || a[0] - b[0]).slice(0, LISTED);
  const list = make("ul", { class: "pairs" }, ...worst.map(([column, row, count]) =>
    make("li", {}, cellButton(chosen, row, column, `${cut(classes[row], 20)} → ${cut(classes[column], 20)}: ${count}`, open))));
  return make("div", {}, here, make("h3", {}, `The ${worst.length} most frequent mistakes`), list);
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
  const picture = new Image();
  const scale = SHOWN / sheet.width;
  const tiles = shown.map(([place, confidence]) => {
    const file = sheet.files?.[place];
    const sure = confidence >= 0.9995 && confidence < 1 ? "p > 0.999" : `p = ${confidence.toFixed(3)}`;
    const canvas = make("canvas", {
      width: sheet.width, height: sheet.height, role: "img", style: `width:${SHOWN}px;height:${Math.round(scale * sheet.height)}px`,
      "aria-label": `${file ? `${file}: ` : ""}${a} taken for ${b} with a confidence of ${confidence.toFixed(3)}`,
    });
    const name = file ? [make("span", { class: "file", title: file }, file.split("/").pop())] : [];
    return { place, canvas, element: make("figure", { class: "tile", style: `max-width:${SHOWN + 24}px` }, canvas, make("figcaption", {}, sure, ...name)) };
  });
  album.append(make("div", { class: "tiles" }, ...tiles.map(({ element }) => element)));
  picture.onload = () => {
    for (const { place, canvas } of tiles) {
      const [x, y] = [(place % sheet.across) * sheet.width, Math.floor(place / sheet.across) * sheet.height];
      canvas.getContext("2d").drawImage(picture, x, y, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height);
      canvas.dataset.drawn = "yes";
    }
  };
  picture.src = sheet.source;
}
