/* ROC curves of each class against the rest, whole and in the upper left corner. */

import { choice, fixed, make, tip } from "./dom.js";
import { numberOf, report } from "./data.js";
import { axis, chart, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { chosenChoices, chosenShown, chosenThere, classChoice, classShown, linkedChoice } from "./selection.js";
import { field, onChange, valueOf } from "./store.js";
import { dashOf, lineKey, lineLook } from "./legend.js";
import { ZOOM, zoomButtons } from "./zoom.js";

/** How far the corner reaches from 0 and from 1. */
const CORNERS = [1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005];

/** How false positive rates stand on the axes of curves. */
field("rates", { initial: "log", read: (text) => (["log", "linear"].includes(text) ? text : null) });
export const isLog = () => valueOf("rates") === "log";
export const ratesChoice = () => linkedChoice("Axis", "rates", [["log", "logarithmic"], ["linear", "linear"]]);

/** Where a rate of 0 stands on a logarithmic axis: at half an image, as in the report. */
export const leastRate = (models) => 0.5 / Math.max(1, ...models.map((model) => model.test_size));

/** What guessing gives, for charts with a linear axis. */
export const guess = (colours) => ({
  type: "line", data: [[0, 0], [1, 1]], symbol: "none", silent: true, z: 1, clip: true, lineStyle: { color: colours.quiet, width: 1.2, type: "dashed" },
});

export function drawRoc(place) {
  let wanted = 0; // how large a corner was asked for, or 0: as the curves need it
  const corner = () => wanted || tellingCorner(curves());
  const corners = choice("Corner", [[0, "as the curves need"], ...CORNERS.slice(1).map((size) => [size, `${size} × ${size}`])], (size) => {
    wanted = Number(size);
    show();
  });
  const drawings = [];
  const { body, changed } = figure(place, {
    name: "roc",
    heading: "ROC, each class against the rest",
    controls: [...chosenChoices(), classChoice("Curves of", "each class"), ratesChoice(), corners, zoomButtons(() => drawings, [0, 1])],
    caption: () => {
      const many = report.chosen.some((one) => one.roc.length < one.classes.length);
      return `The left chart shows the true positive rate by the false positive rate on the test images${isLog() ? ", which stands on a logarithmic axis" : "; the dashed line is what guessing gives"}. The right chart shows the upper left corner alone, up to a false positive rate of ${corner()}. Beside each class stands the area under its curve.${many ? " Of many classes the 20 with the smallest areas are drawn." : ""} Zoom with the buttons, with Ctrl and the wheel, or with two fingers.`;
    },
    table: () => ({
      columns: ["model", "data set", "class", "auc", "false_positive_rate", "true_positive_rate"],
      rows: curves().flatMap(({ model, name, auc, x, y }) => x.map((rate, k) => [model.label, model.dataset, name, auc, rate, y[k]])),
    }),
  });
  const legend = make("ul", { class: "keys" });
  for (const inCorner of [false, true]) {
    const here = box(isNarrow() ? 320 : 440, "half");
    here.id = inCorner ? "roc-corner" : "roc";
    body.append(here);
    drawings.push(chart(here, {
      option: (colours) => option(colours, curves(), inCorner ? corner() : 1, !inCorner && isLog(), inCorner),
      describe: () => curves().map(({ title, auc }) => `${title}: area ${fixed(auc)}`).join(", "),
    }));
  }
  body.append(legend);
  function show() {
    changed();
    legend.replaceChildren(...curves().map(({ title, auc, look }, k) => lineKey(
      { ...look, title, value: fixed(auc) },
      { onmouseenter: () => mark("highlight", k), onmouseleave: () => mark("downplay", k) },
    )));
    drawings.forEach((drawing) => drawing.redraw());
  }
  const mark = (type, seriesIndex) => drawings.forEach((drawing) => drawing.instance()?.dispatchAction({ type, seriesIndex }));
  onChange(["model", "dataset", "label", "rates"], show);
  show();
}

/** The curves of each class of the model that is shown, in colours of classes, or of all models for the class that is
 * looked at, in those of models. */
function curves() {
  const shown = chosenShown();
  const wanted = classShown(shown);
  const curve = (model, [label, auc, x, y]) => ({ model, name: model.classes[label], auc, x, y });
  if (wanted === null) return shown.roc.map((one, k) => ({ ...curve(shown, one), title: shown.classes[one[0]], look: lineLook(k, true) }));
  return chosenThere().flatMap((model) => model.roc
    .filter(([label]) => label === wanted)
    .map((one) => ({ ...curve(model, one), title: model.label, look: lineLook(numberOf(model.model)) })));
}

/** The smallest corner in which the bend of every curve can be seen. */
function tellingCorner(shown) {
  const bends = shown.filter(({ x }) => x.length).map(({ x, y }) => Math.min(...x.map((rate, k) => Math.max(rate, 1 - y[k]))));
  const wanted = 2 * Math.max(0.002, ...bends);
  return CORNERS.filter((size) => size >= wanted).at(-1) ?? 1;
}

function option(colours, shown, reach, log, inCorner) {
  const short = (rate) => String(Number(rate.toPrecision(3)));
  const least = leastRate(shown.map(({ model }) => model));
  return {
    grid: { left: 58, right: 14, top: 30, bottom: 46 },
    title: { text: inCorner ? "upper left corner" : "whole", left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesIndex, dataIndex }) => {
      const { model, name, auc, x, y } = shown[seriesIndex];
      return tip(`${name}, ${model.label}`, [["false positive rate", fixed(x[dataIndex])], ["true positive rate", fixed(y[dataIndex])], ["area", fixed(auc)]]);
    }, { trigger: "item" }),
    dataZoom: [{ xAxisIndex: 0, filterMode: "none", ...ZOOM }, { yAxisIndex: 0, filterMode: "none", ...ZOOM }],
    xAxis: axis(colours, { type: log ? "log" : "value", min: log ? least : 0, max: reach, name: "false positive rate", axisLabel: { formatter: short, showMinLabel: log ? false : null } }),
    yAxis: axis(colours, { type: "value", min: 1 - reach, max: 1, name: "true positive rate", nameGap: 42, splitNumber: reach === 1 ? 5 : 4, axisLabel: { formatter: short } }),
    series: [
      ...shown.map(({ title, x, y, look }) => ({
        type: "line", name: title, data: x.map((rate, n) => [log ? Math.max(rate, least) : rate, y[n]]),
        symbol: "circle", symbolSize: 5, showSymbol: false, clip: true,
        lineStyle: { width: 1.8, color: look.colour(colours), type: dashOf(look.dash) },
        itemStyle: { color: look.colour(colours) },
        emphasis: { focus: "series", lineStyle: { width: 3 } },
      })),
      ...(log ? [] : [guess(colours)]),
    ],
  };
}
