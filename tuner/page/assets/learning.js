/* Accuracy and loss by epoch of the best five trials. */

import { choice, fixed, setting, tip } from "./dom.js";
import { completed, labelOf, report, searchedDatasets, searchedModels, settings } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";

const BEST = 5;
const { name: chosenBy, column, label } = report.objective;
const UNPENALISED = Object.values(report.curves).some((curve) => curve.unpenalised_loss) ? ["unpenalised_loss"] : [];
/** What is drawn: by accuracy and loss, the loss without penalties where there are any, and the objective where it is
 * another, of which training knows nothing. */
const DRAWN = [
  ["accuracy", "accuracy"], ["loss", "loss"], ...UNPENALISED.map((metric) => [metric, "loss without penalties"]),
  ...(chosenBy === "accuracy" ? [] : [[chosenBy, label]]),
];
const RECORDED = [
  ...["accuracy", "loss", ...UNPENALISED].flatMap((metric) => [metric, `val_${metric}`]),
  ...(chosenBy === "accuracy" ? [] : [column]),
];

export function drawLearning(place) {
  const scopes = searchedDatasets.flatMap((dataset) => [
    ...(searchedModels.length > 1 ? [{ dataset, model: null }] : []),
    ...searchedModels.map((model) => ({ dataset, model })),
  ]).filter((scope) => best(scope).length);
  if (!scopes.length) return place.remove();
  let chosen = scopes[0];
  let late = false;
  const name = ({ dataset, model }) =>
    (model === null ? "all models" : labelOf(model)) + (searchedDatasets.length > 1 ? ` on ${dataset}` : "");
  const controls = [
    ...(scopes.length > 1 ? [choice("Trials of", scopes.map((scope, k) => [k, name(scope)]), (k) => { chosen = scopes[k]; show(); })] : []),
    choice("Epochs", [["", "all"], ["late", "second half"]], (which) => { late = which === "late"; show(); }),
  ];
  const { body, changed } = figure(place, {
    name: "curves",
    heading: "The best trials, epoch by epoch",
    controls,
    caption: () => `Thick: ${report.validates_on}. Thin: training. ${best(chosen).length === 1 ? "The best trial" : `The best ${best(chosen).length} trials`} of ${name(chosen)}.`,
    table: () => ({
      columns: ["trial", "model", "data set", "rank", "epoch", ...RECORDED],
      rows: best(chosen).flatMap((trial) => {
        const curve = report.curves[trial.trial];
        return curve.val_accuracy.map((_, epoch) => [
          trial.trial, labelOf(trial.model), trial.dataset, trial.rank, epoch + 1,
          ...RECORDED.map((metric) => curve[metric]?.[epoch] ?? null),
        ]);
      }),
    }),
  });
  const drawings = DRAWN.map(([metric, words]) => {
    const here = box(isNarrow() ? 300 : 330, "half");
    body.append(here);
    return chart(here, {
      option: (colours) => option(colours, best(chosen), metric, words, late),
      describe: () => `${words} by epoch of the best trials of ${name(chosen)}`,
    });
  });
  function show() {
    changed();
    drawings.forEach((drawing) => drawing.redraw());
  }
}

function best({ dataset, model }) {
  return completed
    .filter((trial) => trial.dataset === dataset && (model === null || trial.model === model) && report.curves[trial.trial])
    .slice(0, BEST);
}

function option(colours, trials, metric, words, late) {
  const epochs = Math.max(...trials.map((trial) => report.curves[trial.trial].val_accuracy.length));
  const first = late ? Math.ceil(epochs / 2) : 1;
  const ends = epochs > first ? { min: first, max: epochs }
    : { min: first - 0.5, max: first + 0.5, axisLabel: { customValues: [first] } }; // a single epoch stands in the middle
  const names = trials.map((trial, k) => `${k + 1}  ${labelOf(trial.model)} ${fixed(trial.score)}`);
  const line = (trial, k, which, thin) => ({
    type: "line", name: names[k], z: thin ? 2 : 3,
    data: (report.curves[trial.trial][which] ?? []).map((value, epoch) => [epoch + 1, value]).filter(([epoch]) => epoch >= first),
    symbol: "circle", symbolSize: 5, showSymbol: report.curves[trial.trial].loss.length === 1,
    lineStyle: { width: thin ? 1 : 2.2, opacity: thin ? 0.6 : 1, type: k > 3 ? "dashed" : "solid" },
    itemStyle: { color: colourOf(colours, k) },
    tooltip: { show: !thin },
    silent: thin,
  });
  return {
    grid: { left: 52, right: 14, top: isNarrow() ? 96 : 74, bottom: 46 },
    legend: {
      top: 22, left: 0, itemWidth: 18, itemHeight: 8, itemGap: 12, textStyle: { color: colours.quiet, fontSize: 11 }, data: names,
    },
    title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesName, data }) => {
      const trial = trials[names.indexOf(seriesName)];
      return tip(seriesName, [["epoch", data[0]], [words, fixed(data[1])], ...settings(trial).map(([n, v]) => [n, setting(v)])]);
    }, { trigger: "item" }),
    xAxis: axis(colours, { type: "value", name: "epoch", minInterval: 1, splitLine: { show: false }, ...ends }),
    yAxis: axis(colours, {
      type: "value", scale: true, splitNumber: 5,
      max: metric === "accuracy" ? ({ max, min }) => Math.min(1, max + 0.05 * (max - min)) : undefined,
      axisLabel: { formatter: (y) => String(Number(y.toPrecision(3))), showMaxLabel: metric === "accuracy" ? false : undefined },
    }),
    series: trials.flatMap((trial, k) => [
      line(trial, k, `val_${metric}`, false), ...(report.curves[trial.trial][metric] ? [line(trial, k, metric, true)] : []),
    ]),
  };
}
