/* Accuracy and loss by epoch of the best five trials: each with the colour of its model and, by its place, its dashes. */

import { choice, fixed, make, setting, tip } from "./dom.js";
import { completed, curveOf, labelOf, numberOf, report, searchedDatasets, searchedModels, settings } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { OF_TRIALS, strengthOf } from "./filters.js";
import { datasetShown, letterOf, linkedChoice, modelShown } from "./selection.js";
import { onChange } from "./store.js";
import { dashOf, lineKey, lineLook } from "./legend.js";

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
  const datasets = [...new Set(scopes.map(({ dataset }) => dataset))];
  const models = [...new Set(scopes.map(({ model }) => model))];
  const choose = () => {
    const there = scopes.filter(({ dataset }) => dataset === datasetShown(datasets));
    return there.find(({ model }) => model === modelShown(models)) ?? there[0];
  };
  let chosen = choose();
  let late = false;
  const name = ({ dataset, model }) =>
    (model === null ? "all models" : labelOf(model)) + (searchedDatasets.length > 1 ? ` on ${dataset}` : "");
  const controls = [
    ...(datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((one) => [one, one]), () => choose().dataset)] : []),
    ...(models.length > 1 ? [linkedChoice("Trials of", "model", models.map((one) => [one ?? "", one === null ? "all models" : labelOf(one)]), () => choose().model ?? "")] : []),
    choice("Epochs", [["", "all"], ["late", "second half"]], (which) => { late = which === "late"; show(); }),
  ];
  const { body, changed } = figure(place, {
    name: "curves",
    heading: "The best trials, epoch by epoch",
    controls,
    caption: () => {
      const count = Math.min(BEST, best(chosen).length);
      const pins = best(chosen).some(letterOf) ? ", with pinned ones" : "";
      return `${count === 1 ? "This is the best trial" : `These are the best ${count} trials`} of ${name(chosen)}${pins}: thick lines are scores on ${report.validates_on}, thin ones on training images. Colours are those of models${count > 1 ? ", and dashes tell trials apart" : ""}.`;
    },
    table: () => ({
      columns: ["trial", "model", "data set", "rank", "epoch", ...RECORDED],
      rows: best(chosen).flatMap((trial) => {
        const curve = Object.fromEntries(Object.entries(curveOf(trial)).map(([name, points]) => [name, new Map(points)]));
        return [...curve[column].keys()].map((epoch) => [
          trial.trial, labelOf(trial.model), trial.dataset, trial.rank, epoch, ...RECORDED.map((metric) => curve[metric]?.get(epoch) ?? null),
        ]);
      }),
    }),
  });
  const legend = make("ul", { class: "keys" });
  body.append(legend);
  const drawings = DRAWN.map(([metric, words]) => {
    const here = box(isNarrow() ? 300 : 330, "half");
    body.append(here);
    return chart(here, {
      ofTrials: true,
      follows: OF_TRIALS,
      option: (colours) => option(colours, best(chosen), metric, words, late),
      describe: () => `${words} by epoch of the best trials of ${name(chosen)}`,
    });
  });
  function tell() {
    changed();
    const mark = (type, trial) => drawings.forEach((drawing) => drawing.instance()?.dispatchAction({ type, seriesName: trial.trial }));
    legend.replaceChildren(...best(chosen).map((trial, k) => lineKey(
      { ...lineLook(numberOf(trial.model)), dash: k, title: `${letterOf(trial) || k + 1}  ${labelOf(trial.model)}`, value: fixed(trial.score) },
      { onmouseenter: () => mark("highlight", trial), onmouseleave: () => mark("downplay", trial) },
    )));
  }
  function show() {
    tell();
    drawings.forEach((drawing) => drawing.redraw());
  }
  onChange(["model", "dataset"], () => {
    chosen = choose();
    show();
  });
  onChange(OF_TRIALS, tell);
  show();
}

function best({ dataset, model }) {
  const there = completed.filter((trial) => trial.dataset === dataset && strengthOf(trial) && (report.curves[trial.trial] || report.histories.trials[trial.trial]));
  const ranked = there.filter((trial) => model === null || trial.model === model).slice(0, BEST);
  return [...ranked, ...there.filter((trial) => letterOf(trial) && !ranked.includes(trial))];
}

function option(colours, trials, metric, words, late) {
  if (!trials.length) return { title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } } };
  const curves = new Map(trials.map((trial) => [trial, curveOf(trial)]));
  const pointsOf = (trial, which) => curves.get(trial)[which] ?? [];
  const epochs = Math.max(...trials.map((trial) => pointsOf(trial, "val_loss").at(-1)?.[0] ?? 1));
  const first = late ? Math.ceil(epochs / 2) : 1;
  const ends = epochs > first ? { min: first, max: epochs }
    : { min: first - 0.5, max: first + 0.5, axisLabel: { customValues: [first] } }; // a single epoch stands in the middle
  const line = (trial, k, which, thin) => ({
    type: "line", name: trial.trial, id: thin ? undefined : `${trial.model} ${trial.trial}`, z: letterOf(trial) ? 5 : thin ? 2 : 3,
    data: pointsOf(trial, which).filter(([epoch]) => epoch >= first),
    symbol: "circle", symbolSize: 5, showSymbol: pointsOf(trial, which).length === 1,
    lineStyle: { width: thin ? 1 : letterOf(trial) ? 3.2 : 2.2, opacity: (thin ? 0.6 : 1) * strengthOf(trial), type: dashOf(k) },
    itemStyle: { color: colourOf(colours, numberOf(trial.model)) },
    emphasis: { lineStyle: { width: 4, opacity: 1 } },
    tooltip: { show: !thin },
    silent: thin,
  });
  return {
    grid: { left: 52, right: 14, top: 34, bottom: 46 },
    title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesName, data }) => {
      const place = trials.findIndex(({ trial }) => trial === seriesName);
      const trial = trials[place];
      return tip(`${letterOf(trial) || place + 1}  ${labelOf(trial.model)} ${fixed(trial.score)}`, [["epoch", data[0]], [words, fixed(data[1])], ...settings(trial).map(([n, v]) => [n, setting(v)])]);
    }, { trigger: "item" }),
    xAxis: axis(colours, { type: "value", name: "epoch", minInterval: 1, splitLine: { show: false }, ...ends }),
    yAxis: axis(colours, {
      type: "value", scale: true, splitNumber: 5,
      max: metric === "accuracy" ? ({ max, min }) => Math.min(1, max + 0.05 * (max - min)) : undefined,
      axisLabel: { formatter: (y) => String(Number(y.toPrecision(3))), showMaxLabel: metric === "accuracy" ? false : undefined },
    }),
    series: trials.flatMap((trial, k) => [
      line(trial, k, `val_${metric}`, false), ...(pointsOf(trial, metric).length ? [line(trial, k, metric, true)] : []),
    ]),
  };
}
