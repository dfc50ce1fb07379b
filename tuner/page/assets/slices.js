/* The score of each trial by its value of each parameter, a panel each; lines are medians. */

import { cut, fixed, make, setting, tip } from "./dom.js";
import { completed, labelOf, noHigher, numberOf, report, searchedModels } from "./data.js";
import { axis, chart, colourOf, symbolOf, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { OF_TRIALS } from "./filters.js";
import { inDrawingOrder, markOf, pointedAt } from "./marks.js";
import { datasetShown, linkedChoice } from "./selection.js";
import { onChange } from "./store.js";
import { modelLegend } from "./legend.js";

/** Panels that are shown at first. */
const PANELS = 6;
/** Multiples of it, without their whole part, lie evenly: points are spread by them, and always alike. */
const GOLDEN = 0.618034;

export function drawSlices(place) {
  const there = report.slices.map(({ dataset }) => dataset);
  const choose = () => report.slices.find(({ dataset }) => dataset === datasetShown(there));
  let chosen = choose();
  let all = false;
  const mine = () => completed.filter(({ dataset }) => dataset === chosen.dataset);
  const controls = report.slices.length > 1
    ? [linkedChoice("Data set", "dataset", there.map((name) => [name, name]), () => datasetShown(there))]
    : [];
  const ranked = () => report.importance.some(({ dataset }) => dataset === chosen.dataset);
  const { body, changed, frame } = figure(place, {
    name: "slices",
    heading: "Score by each parameter",
    controls,
    caption: () => {
      const below = chosen.low === null ? 0 : mine().filter(({ score }) => score < chosen.low).length;
      const edge = below ? ` Triangles at the lower edge stand for ${below} ${below === 1 ? "trial" : "trials"} further down.` : "";
      return `Each mark is a trial on ${chosen.dataset}, by its value of each parameter${ranked() ? ", the most important first" : ""}. Lines join the medians of each model.${edge}`;
    },
    table: () => ({
      columns: ["trial", "model", ...chosen.panels.map(({ name }) => name), report.objective.column],
      rows: mine().map((t) => [t.trial, labelOf(t.model), ...chosen.panels.map(({ name }) => valueOf(t, name)), t.score]),
    }),
  });
  const more = make("button", { type: "button", class: "quiet-button", onclick: () => { all = true; show(); } }, "Show all parameters");
  frame.querySelector(".charts").before(modelLegend(searchedModels));
  function show() {
    changed();
    const panels = all ? chosen.panels : chosen.panels.slice(0, PANELS);
    body.replaceChildren(...panels.map((panel) => {
      const here = box(220, "third");
      chart(here, {
        ofTrials: true,
        follows: OF_TRIALS,
        renderer: completed.length > 400 ? "canvas" : "svg",
        option: (colours) => option(colours, chosen, panel, mine()),
        describe: () => `${capital(report.objective.words)} by ${panel.name} on ${chosen.dataset}`,
      });
      return here;
    }));
    if (!all && chosen.panels.length > PANELS) body.append(more);
  }
  onChange(["dataset"], () => {
    if (choose() === chosen) return;
    chosen = choose();
    show();
  });
  show();
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const valueOf = (trial, name) => (name === "model" ? labelOf(trial.model) : trial.values[name] ?? null);

function option(colours, slice, panel, trials) {
  const low = slice.low;
  const there = panel.lines.map(({ model }) => model);
  const few = panel.values !== null;
  const beside = few && panel.name !== "model" && there.length > 1;
  const width = 0.72 / (beside ? there.length : 1);
  const middle = (k) => (beside ? (k - (there.length - 1) / 2) * width : 0);
  const top = Math.max(...trials.map(({ score }) => score));
  const bottom = low ?? Math.min(...trials.map(({ score }) => score));
  const room = 0.06 * (top - bottom || 0.01);
  const position = new Map(few ? panel.values.map((value, k) => [value, k]) : []);
  const placed = there.flatMap((label, k) =>
    trials
      .filter((trial) => labelOf(trial.model) === label && valueOf(trial, panel.name) !== null)
      .map((trial, n) => {
        const value = valueOf(trial, panel.name);
        const spread = few ? ((GOLDEN * n + 0.5) % 1 - 0.5) * 0.7 * width : 0;
        const below = low !== null && trial.score < low;
        const number = numberOf(trial.model);
        return {
          name: trial.trial,
          value: [few ? position.get(value) + middle(k) + spread : value, below ? bottom - 0.6 * room : trial.score],
          symbol: below ? "triangle" : symbolOf(number), symbolRotate: below ? 180 : 0, trial,
          ...markOf(colours, trial, { color: colourOf(colours, number), opacity: trials.length > 300 ? 0.4 : 0.6 }, trials.length > 300 ? 5 : 7),
        };
      }));
  const points = new Map(placed.map((point) => [point.trial, point]));
  const numberOfLabel = (label) => numberOf(report.models.find((model) => model.label === label)?.name);
  const lines = panel.lines.flatMap(({ model, at, median }, k) => {
    const look = { color: colourOf(colours, numberOfLabel(model)), width: 2 };
    const medians = at.map((x, n) => [few ? x + middle(k) : x, Math.max(median[n], bottom)]);
    const joined = panel.ordered ? [{ type: "line", data: medians, lineStyle: look, symbol: "none", silent: true, z: 4 }] : [];
    const dashes = few
      ? [{
          type: "custom", silent: true, z: 4, data: medians,
          renderItem: (_, api) => {
            const [a, b] = [-0.42, 0.42].map((side) => api.coord([api.value(0) + side * width, api.value(1)]));
            return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: look.color, lineWidth: 3 } };
          },
        }]
      : [];
    return [...joined, ...dashes];
  });
  const ticks = few ? panel.values.map((_, k) => k) : null;
  const crowded = few && panel.values.map((value) => setting(value).length).reduce((a, b) => a + b, 0) > 26;
  return {
    grid: { left: 46, right: 10, top: 10, bottom: crowded ? 66 : 46 },
    tooltip: tooltip(colours, ({ data }) => tip(`${labelOf(data.trial.model)}, rank ${data.trial.rank}`, [
      [panel.name, setting(valueOf(data.trial, panel.name))],
      [report.objective.head, fixed(data.trial.score)],
    ]), { trigger: "item" }),
    xAxis: axis(colours, {
      type: panel.log ? "log" : "value", name: panel.name, nameGap: crowded ? 48 : 28, splitLine: { show: false },
      nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
      ...(few ? { min: -0.55, max: panel.values.length - 0.45 } : { scale: true, splitNumber: 4 }),
      axisLabel: {
        formatter: (x) => (few ? cut(setting(panel.values[x] ?? ""), 12) : setting(Number(x.toPrecision(4)))),
        rotate: crowded ? 35 : 0, hideOverlap: !crowded,
        ...(ticks ? { customValues: ticks } : {}),
      },
    }),
    yAxis: axis(colours, {
      type: "value", min: bottom - room, max: noHigher(top + room), splitNumber: 4,
      axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false },
    }),
    series: [
      { type: "scatter", data: inDrawingOrder(placed.map(({ trial }) => trial)).map((trial) => points.get(trial)), emphasis: pointedAt(colours) },
      ...lines,
    ],
  };
}
