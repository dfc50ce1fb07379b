/* Score against what a model costs: parameters of every trial, file size and latency of the chosen ones. */

import { compact, figures, fixed, make, setting, tip } from "./dom.js";
import { completed, labelOf, noHigher, noLower, numberOf, report, settings, timing, trialOf } from "./data.js";
import { axis, chart, colourOf, isNarrow, symbolOf, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { OF_TRIALS } from "./filters.js";
import { inDrawingOrder, markOf, pointedAt } from "./marks.js";
import { datasetShown, linkedChoice } from "./selection.js";
import { onChange } from "./store.js";
import { modelLegend } from "./legend.js";

export function drawCost(place) {
  const datasets = report.datasets.filter((name) => completed.some(({ dataset }) => dataset === name) || report.chosen.some(({ dataset }) => dataset === name));
  let chosen = datasetShown(datasets);
  const panels = () => [sizes(chosen), files(chosen), latencies(chosen)].filter(({ points }) => new Set(points.map(({ x }) => x)).size > 1);
  const { body, changed, frame } = figure(place, {
    name: "cost",
    heading: `What ${report.objective.label} costs`,
    controls: datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((name) => [name, name]), () => datasetShown(datasets))] : [],
    caption: () => "The dashed line joins the Pareto front, whose marks are large: no other trial, or model, is better than one on it in cost or in score without being worse in the other. Test accuracy is the mean over retrainings." + (panels().some(({ points, low }) => points.some(({ y }) => y < low)) ? " Each triangle at the lower edge is a trial further down." : ""),
    table: () => ({
      columns: ["score", "cost", "data set", "model", "trial", "score_value", "cost_value", "pareto_front"],
      rows: panels().flatMap(({ score, cost, points }) => points.map((p) => [score, cost, chosen, labelOf(p.model), p.trial, p.y, p.x, p.front])),
    }),
  });
  frame.querySelector(".charts").before(modelLegend(report.models.map(({ name }) => name)));
  function show() {
    changed();
    const found = panels();
    if (!found.length) return body.replaceChildren(make("p", { class: "quiet" }, "All cost the same here."));
    return body.replaceChildren(...found.map((panel) => {
      const here = box(isNarrow() ? 280 : 310, ["", "", "half", "third"][found.length]);
      chart(here, {
        ofTrials: panel.own,
        follows: panel.own ? OF_TRIALS : [],
        renderer: panel.points.length > 400 ? "canvas" : "svg",
        option: (colours) => option(colours, panel),
        describe: () => `${panel.score} by ${panel.cost} on ${chosen}`,
      });
      return here;
    }));
  }
  onChange(["dataset"], () => {
    if (chosen === datasetShown(datasets)) return;
    chosen = datasetShown(datasets);
    show();
  });
  show();
}

function sizes(dataset) {
  const front = new Set(report.fronts.find((one) => one.dataset === dataset)?.trials ?? []);
  const points = completed.filter((t) => t.dataset === dataset && t.size).map((t) => ({
    x: t.size, y: t.score, model: t.model, trial: t.trial, front: front.has(t.trial),
    lines: [...settings(t).map(([name, value]) => [name, setting(value)])],
  }));
  const low = report.slices.find((one) => one.dataset === dataset)?.low ?? null;
  return { score: report.objective.words, cost: "parameters", text: compact, points, low, own: true };
}

const models = (dataset) => report.chosen.filter((one) => one.dataset === dataset);

function files(dataset) {
  const found = models(dataset);
  const front = new Set(report.file_fronts.find((one) => one.dataset === dataset)?.models ?? []);
  const points = found.map((m) => ({ x: Number(m.megabytes.toFixed(3)), y: m.retrained_mean, model: m.model, trial: null, front: front.has(m.model), lines: [] }));
  return { score: "mean test accuracy", cost: "file, MB", text: (x) => figures(x), points, named: true };
}

function latencies(dataset) {
  const points = models(dataset).flatMap((m) => {
    const row = timing.models?.find((one) => one.model === m.model && one.dataset === dataset);
    if (!row?.latency_ms) return [];
    return [{ x: row.latency_ms, y: m.retrained_mean, model: m.model, trial: null, front: row.front, lines: [] }];
  });
  return { score: "mean test accuracy", cost: "latency, ms per image", text: (x) => figures(x), points, named: true };
}

function option(colours, { score, cost, text, points, named, low, own }) {
  const sorted = points.slice().sort((a, b) => a.x - b.x || a.y - b.y);
  const front = sorted.filter((p) => p.front);
  const many = points.length > 300;
  const bottom = low ?? -Infinity;
  const scores = points.map(({ y }) => y).filter((y) => y >= bottom);
  const room = 0.08 * (Math.max(...scores) - Math.min(...scores) || 0.01);
  const [lowest, highest] = own ? [noLower, noHigher] : [(y) => Math.max(0, y), (y) => Math.min(1, y)];
  const least = lowest(Math.min(...scores) - room);
  const ends = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const log = ends[1] > 3 * ends[0];
  const margin = log ? (ends[1] / ends[0]) ** 0.08 : 1 + 0.12 * (ends[1] / ends[0] - 1 || 0.1);
  return {
    grid: { left: 56, right: 18, top: 34, bottom: 48 },
    title: { text: score, left: 0, top: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 400 } },
    tooltip: tooltip(colours, ({ data }) => data.point && tip(labelOf(data.point.model), [
      [cost, text(data.point.x)], [score, fixed(data.point.y)], ["Pareto front", data.point.front ? "yes" : "no"], ...data.point.lines,
    ]), { trigger: "item" }),
    xAxis: axis(colours, {
      type: log ? "log" : "value", min: ends[0] / margin, max: ends[1] * margin, name: cost, splitLine: { show: false },
      nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
      splitNumber: 4,
      axisLabel: log
        ? { formatter: (x) => text(Number(x.toPrecision(2))), customValues: ticks(ends[0] / margin, ends[1] * margin) }
        : { formatter: (x) => text(Number(x.toPrecision(3))), showMinLabel: false, showMaxLabel: false },
    }),
    yAxis: axis(colours, { type: "value", min: least, max: highest(Math.max(...scores) + room), splitNumber: 4,
      axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false } }),
    series: [
      { type: "line", step: "end", data: front.map(({ x, y }) => [x, y]), symbol: "none", silent: true, lineStyle: { color: colours.quiet, width: 1.5, type: "dashed" } },
      {
        type: "scatter", cursor: "default",
        emphasis: pointedAt(colours),
        data: inOrder(sorted, own).map((point) => ({
          name: point.trial, value: [point.x, Math.max(point.y, least + 0.25 * room)], point, symbolRotate: point.y < bottom ? 180 : 0,
          symbol: point.y < bottom ? "triangle" : symbolOf(numberOf(point.model)),
          ...lookOf(colours, point, many, named),
        })),
      },
    ],
  };
}

/** Points in the order in which to draw them. */
function inOrder(points, own) {
  if (!own) return points;
  const byTrial = new Map(points.map((point) => [trialOf(point.trial), point]));
  return inDrawingOrder([...byTrial.keys()]).map((trial) => byTrial.get(trial));
}

function lookOf(colours, { model, trial, front }, many, named) {
  const style = {
    color: colourOf(colours, numberOf(model)), opacity: front || named ? 1 : many ? 0.35 : 0.65,
    borderColor: colours.card, borderWidth: front ? 1.5 : 0,
  };
  const size = front ? 12 : many ? 5 : 8;
  return trial ? markOf(colours, trialOf(trial), style, size) : { symbolSize: size, itemStyle: style };
}

/** Round places on a logarithmic axis: tenfold steps, and 2 and 5 between them where these are few. */
function ticks(low, high) {
  const found = (steps) => {
    const places = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k += 1) {
      places.push(...steps.map((step) => Number((step * 10 ** k).toPrecision(3))).filter((x) => low <= x && x <= high));
    }
    return places;
  };
  return [[1], [1, 3], [1, 2, 5]].map(found).find((places) => places.length > 2) ?? found([1, 1.5, 2, 3, 4, 5, 7]);
}
