/* ROC curves of each class against the rest, whole and in the upper left corner. */

import { choice, cut, fixed, make, tip } from "./dom.js";
import { numberOf, report } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";

/** How far the corner reaches from 0 and from 1. */
const CORNERS = [0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005];
const STYLES = ["solid", "dashed", "dotted"];

export function drawRoc(place) {
  const keys = report.chosen.map((one, k) => [String(k), `${one.label} on ${one.dataset}`]);
  const classes = [...new Set(report.chosen.map(({ dataset }) => dataset))].flatMap((dataset) => {
    const models = report.chosen.filter((one) => one.dataset === dataset);
    if (models.length < 2) return [];
    return models[0].roc.map(([label]) => [JSON.stringify([dataset, label]), `class ${models[0].classes[label]} of ${dataset}`]);
  });
  let chosen = keys[0][0];
  let corner = tellingCorner(curves(chosen));
  const corners = choice("Corner", CORNERS.map((size) => [size, `${size} × ${size}`]), (size) => { corner = Number(size); zoomed.redraw(); });
  corners.querySelector("select").value = String(corner);
  const { body, changed } = figure(place, {
    name: "roc",
    heading: "ROC, each class against the rest",
    controls: [choice("Curves of", [...keys, ...classes], (key) => { chosen = key; show(); }), corners],
    caption: () => {
      const many = report.chosen.some((one) => one.roc.length < one.classes.length);
      return `True positive rate by false positive rate on the test images, whole and in the upper left corner, with the area under each curve. Zoom further with Ctrl and the wheel, or with two fingers.${many ? " Of many classes the 20 with the smallest areas." : ""}`;
    },
    table: () => ({
      columns: ["model", "data set", "class", "auc", "false_positive_rate", "true_positive_rate"],
      rows: curves(chosen).flatMap(({ model, name, auc, x, y }) => x.map((rate, k) => [model.label, model.dataset, name, auc, rate, y[k]])),
    }),
  });
  const legend = make("ul", { class: "keys" });
  const drawings = [() => 1, () => corner].map((reach, k) => {
    const here = box(isNarrow() ? 320 : 440, "half");
    here.id = k ? "roc-corner" : "roc";
    body.append(here);
    return chart(here, {
      option: (colours) => option(colours, curves(chosen), reach()),
      describe: () => curves(chosen).map(({ title, auc }) => `${title}: area ${fixed(auc)}`).join(", "),
    });
  });
  const zoomed = drawings[1];
  body.append(legend);
  function show() {
    changed();
    legend.replaceChildren(...curves(chosen).map(({ title, auc, number }, k) => make(
      "li",
      { onmouseenter: () => mark("highlight", k), onmouseleave: () => mark("downplay", k) },
      make("i", { style: `border-color:var(--s${number % 7});border-top-style:${STYLES[Math.floor(number / 7) % 3]}` }),
      cut(title, 32), make("span", { class: "area" }, fixed(auc)),
    )));
    drawings.forEach((drawing) => drawing.redraw());
  }
  const mark = (type, seriesIndex) => drawings.forEach((drawing) => drawing.instance()?.dispatchAction({ type, seriesIndex }));
  show();
}

/** The curves of a model, or of all models for a class. */
function curves(chosen) {
  const key = JSON.parse(chosen);
  if (typeof key === "number") {
    const model = report.chosen[key];
    return model.roc.map(([label, auc, x, y], k) => ({ model, name: model.classes[label], title: model.classes[label], auc, x, y, number: k }));
  }
  const [dataset, wanted] = key;
  return report.chosen
    .filter((one) => one.dataset === dataset)
    .flatMap((model) => model.roc
      .filter(([label]) => label === wanted)
      .map(([label, auc, x, y]) => ({ model, name: model.classes[label], title: model.label, auc, x, y, number: numberOf(model.model) })));
}

/** The smallest corner in which the bend of every curve can be seen. */
function tellingCorner(shown) {
  const bends = shown.filter(({ x }) => x.length).map(({ x, y }) => Math.min(...x.map((rate, k) => Math.max(rate, 1 - y[k]))));
  const wanted = 2 * Math.max(0.002, ...bends);
  return CORNERS.filter((size) => size >= wanted).at(-1) ?? CORNERS[0];
}

function option(colours, shown, reach) {
  const short = (rate) => String(Number(rate.toFixed(4)));
  const zoom = { filterMode: "none", type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false };
  return {
    grid: { left: 58, right: 14, top: 30, bottom: 46 },
    title: { text: reach === 1 ? "whole" : "upper left corner", left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesIndex, data }) => {
      const { model, name, auc } = shown[seriesIndex];
      return tip(`${name}, ${model.label}`, [["false positive rate", fixed(data[0])], ["true positive rate", fixed(data[1])], ["area", fixed(auc)]]);
    }, { trigger: "item" }),
    dataZoom: [{ xAxisIndex: 0, ...zoom }, { yAxisIndex: 0, ...zoom }],
    xAxis: axis(colours, { type: "value", min: 0, max: reach, name: "false positive rate", axisLabel: { formatter: short } }),
    yAxis: axis(colours, { type: "value", min: 1 - reach, max: 1, name: "true positive rate", nameGap: 42, splitNumber: reach === 1 ? 5 : 4, axisLabel: { formatter: short } }),
    series: shown.map(({ title, x, y, number }) => ({
      type: "line", name: title, data: x.map((rate, n) => [rate, y[n]]), symbol: "circle", symbolSize: 5, showSymbol: false, clip: true,
      lineStyle: { width: 1.8, color: colourOf(colours, number), type: STYLES[Math.floor(number / 7) % 3] },
      itemStyle: { color: colourOf(colours, number) },
      emphasis: { focus: "series", lineStyle: { width: 3 } },
    })),
  };
}
