/* The best score so far, by the number of trials or by time. */

import { choice, figures, fixed, setting, tip } from "./dom.js";
import { completed, labelOf, numberOf, noHigher, noLower, report, searchedDatasets, searchedModels, timing } from "./data.js";
import { axis, chart, colourOf, symbolOf, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { OF_TRIALS } from "./filters.js";
import { inDrawingOrder, markOf, pointedAt } from "./marks.js";
import { datasetShown, linkedChoice } from "./selection.js";
import { onChange } from "./store.js";
import { modelLegend } from "./legend.js";

const lowest = report.objective.direction === "min";
const ended = new Map((timing.timeline?.bars ?? []).map(([, , end, , , , trial]) => [trial, end]));

export function drawProgress(place) {
  let by = "number";
  const dataset = () => datasetShown(searchedDatasets);
  const timed = completed.some(({ trial }) => ended.has(trial));
  const at = (trial) => (by === "number" ? trial.order : ended.get(trial.trial) ?? null);
  const lines = () => searchedModels.map((model) => {
    const mine = completed.filter((trial) => trial.model === model && trial.dataset === dataset() && !trial.pruned && at(trial) !== null).sort((a, b) => at(a) - at(b));
    let best = null;
    return { model, trials: mine, best: mine.map(({ score }) => (best = best === null ? score : lowest ? Math.min(best, score) : Math.max(best, score))) };
  }).filter(({ trials }) => trials.length);
  const { body, changed, frame } = figure(place, {
    name: "best-so-far",
    heading: "Best so far",
    controls: [
      ...(searchedDatasets.length > 1 ? [linkedChoice("Data set", "dataset", searchedDatasets.map((name) => [name, name]), dataset)] : []),
      ...(timed ? [choice("By", [["number", "number of trials"], ["time", "time"]], (which) => { by = which; show(); })] : []),
    ],
    caption: () => `Each mark is a trial on ${dataset()}; the line is the best ${report.objective.label} on ${report.validates_on} ${by === "number" ? "among so many trials of a model, in the order in which they were proposed" : "at that time, without pauses"}.`,
    table: () => ({
      columns: ["model", "trial", by === "number" ? "number" : "seconds", report.objective.column, "best_so_far"],
      rows: lines().flatMap(({ model, trials, best }) => trials.map((trial, k) => [labelOf(model), trial.trial, at(trial), trial.score, best[k]])),
    }),
  });
  const here = box(300);
  here.id = "best-so-far";
  frame.querySelector(".charts").before(modelLegend(searchedModels));
  body.append(here);
  const drawing = chart(here, {
    ofTrials: true,
    follows: OF_TRIALS,
    renderer: completed.length > 400 ? "canvas" : "svg",
    option: (colours) => option(colours, lines(), at, by),
    describe: () => lines().map(({ model, trials, best }) => `${labelOf(model)}: ${fixed(best.at(-1))} after ${trials.length} trials`).join(", "),
  });
  function show() {
    changed();
    drawing.redraw();
  }
  onChange(["dataset"], show);
}

function option(colours, lines, at, by) {
  const end = Math.max(1, ...lines.flatMap(({ trials }) => trials.map(at)));
  const unit = by === "number" || end < 180 ? [1, by === "number" ? "number of the trial" : "seconds"] : end < 3 * 3600 ? [60, "minutes"] : [3600, "hours"];
  const scores = lines.flatMap(({ trials }) => trials.map(({ score }) => score)).sort((a, b) => a - b);
  // The worst tenth would take up the scale
  const [low, high] = lowest ? [scores[0], scores[Math.ceil(0.9 * (scores.length - 1))]] : [scores[Math.floor(0.1 * (scores.length - 1))], scores.at(-1)];
  const lasting = lines.map(({ best }) => best.at(-1)); // each model's line is to be seen
  const [least, most] = [Math.min(low, ...lasting), Math.max(high, ...lasting)];
  const room = 0.06 * (most - least || 0.01);
  const ends = [noLower(least - room), noHigher(most + room)];
  const within = (score) => Math.min(Math.max(score, ends[0]), ends[1]);
  const many = scores.length > 300;
  return {
    grid: { left: 56, right: 18, top: 30, bottom: 46 },
    title: { text: report.objective.words, left: 0, top: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 400 } },
    tooltip: tooltip(colours, ({ data }) => data.trial && tip(`${labelOf(data.trial.model)}, rank ${data.trial.rank}`, [
      [unit[1], figures(at(data.trial) / unit[0])], [report.objective.head, fixed(data.trial.score)], ["number", setting(data.trial.order)],
    ]), { trigger: "item" }),
    xAxis: axis(colours, { type: "value", minInterval: by === "number" ? 1 : 0, min: by === "number" ? 1 : 0, max: Math.max(end / unit[0], by === "number" ? 2 : 0), name: unit[1], splitLine: { show: false }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } }, axisLabel: { formatter: (x) => figures(x) } }),
    yAxis: axis(colours, { type: "value", min: ends[0], max: ends[1], splitNumber: 4, axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false } }),
    series: lines.flatMap(({ model, trials, best }) => {
      const colour = colourOf(colours, numberOf(model));
      return [
        { type: "line", step: "end", name: labelOf(model), symbol: "none", silent: true, z: 4, lineStyle: { color: colour, width: 2.2 }, data: [...trials.map((trial, k) => [at(trial) / unit[0], within(best[k])]), [end / unit[0], within(best.at(-1))]] },
        {
          type: "scatter", emphasis: pointedAt(colours),
          data: inDrawingOrder(trials).map((trial) => ({
            name: trial.trial, trial, value: [at(trial) / unit[0], within(trial.score)], symbol: symbolOf(numberOf(model)),
            ...markOf(colours, trial, { color: colour, opacity: many ? 0.3 : 0.5 }, many ? 4 : 6),
          })),
        },
      ];
    }),
  };
}
