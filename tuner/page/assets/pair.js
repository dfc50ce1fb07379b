/* The score by two parameters at once, as a map of heat; two clicks in the chart of importance choose them. */

import { choice, compact, cut, fixed, setting, tip } from "./dom.js";
import { completed, report, searchedDatasets } from "./data.js";
import { axis, chart, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { axes, keepAll, OF_TRIALS, passes, valueAt } from "./filters.js";
import { datasetShown, linkedChoice } from "./selection.js";
import { field, onChange, put, valueOf } from "./store.js";

/** Parts into which an axis of many values is cut. */
const PARTS = 6;
const lowest = report.objective.direction === "min";
const byName = new Map(axes.map((axis) => [axis.name, axis]));
/** The parameters of which two can be chosen. */
const PAIRABLE = axes.slice(0, -1).map(({ name }) => name).filter((name) => name !== "data set");
const important = (report.importance[0]?.bars ?? []).filter(([names]) => names.length === 1).map(([[name]]) => name).filter((name) => PAIRABLE.includes(name));
field("pair", {
  initial: [...new Set([...important, ...PAIRABLE])].slice(0, 2),
  read: (text) => {
    const names = text.split(";").map((name) => PAIRABLE.find((one) => encodeURIComponent(one) === name));
    return names.length === 2 && names.every(Boolean) && names[0] !== names[1] ? names : null;
  },
  write: (names) => names.map(encodeURIComponent).join(";"),
});
const chosenPair = () => valueOf("pair");
const SHOWN = [["best", "best"], ["median", "median"], ["count", "number of trials"]];

export function drawPair(place) {
  if (PAIRABLE.length < 2) return place.remove();
  let what = "best";
  const options = PAIRABLE.map((name) => [name, name]);
  const side = (k) => linkedChoice(k ? "by" : "Across", "pair", options, () => chosenPair()[k], (name) => {
    const [a, b] = chosenPair();
    const both = k ? [a, name] : [name, b];
    return both[0] === both[1] ? [b, a] : both; // that of the other side: they change places
  });
  const { body, changed } = figure(place, {
    name: "pair",
    heading: "Score by two parameters",
    controls: [side(0), side(1), choice("Shows", SHOWN, (which) => { what = which; show(); })],
    caption: () => `Each cell holds the trials on ${datasetShown(searchedDatasets)} that filters keep and that have both values; a click keeps those trials everywhere. Two clicks on bars of the importance choose the parameters.`,
    table: () => {
      const { sides, cells } = cellsOf();
      return {
        columns: [...chosenPair(), "trials", `best ${report.objective.column}`, `median ${report.objective.column}`],
        rows: cells.map(({ x, y, count, best, median }) => [sides[0].parts[x].words, sides[1].parts[y].words, count, best, median]),
      };
    },
  });
  const here = box(isNarrow() ? 340 : 380);
  here.id = "pair";
  body.append(here);
  const drawing = chart(here, {
    renderer: "svg",
    follows: OF_TRIALS,
    option: (colours) => option(colours, cellsOf(), what),
    describe: () => `${report.objective.words} by ${chosenPair().join(" and ")}`,
    ready: (instance) => instance.on("click", ({ data }) => {
      if (!data?.cell) return;
      const { sides } = cellsOf();
      keepAll([[sides[0].axis, sides[0].parts[data.cell.x].interval], [sides[1].axis, sides[1].parts[data.cell.y].interval]]);
    }),
  });
  function show() {
    changed();
    drawing.redraw();
  }
  onChange(["pair", "dataset"], show);
  onChange(OF_TRIALS, changed);
}

/** The parts of an axis, each with its words and the interval of places that is it. */
function partsOf(axis) {
  if (axis.values) {
    const text = (value) => (axis.name === "size" ? compact(value) : setting(value));
    return axis.values.map((value, place) => ({ words: text(value), interval: [place - 0.45, place + 0.45] }));
  }
  const width = (axis.high - axis.low) / PARTS || 1;
  const text = (at) => (axis.name === "size" ? compact(valueAt(axis, at)) : setting(Number(valueAt(axis, at).toPrecision(3))));
  return [...Array(PARTS).keys()].map((k) => {
    const [low, high] = [axis.low + k * width, axis.low + (k + 1) * width];
    return { words: `${text(low)} to ${text(high)}`, interval: [low, high] };
  });
}

function cellsOf() {
  const sides = chosenPair().map((name) => ({ axis: byName.get(name), parts: partsOf(byName.get(name)) }));
  const dataset = datasetShown(searchedDatasets);
  const found = new Map();
  for (const trial of completed) {
    if (trial.dataset !== dataset || trial.pruned || !passes(trial)) continue;
    const [x, y] = sides.map(({ axis, parts }) => {
      const place = axis.at(trial);
      return parts.findIndex(({ interval: [low, high] }, k) => place >= low && (place < high || (k === parts.length - 1 && place <= high + 1e-9 * Math.abs(high))));
    });
    if (x < 0 || y < 0) continue;
    const key = `${x},${y}`;
    if (!found.has(key)) found.set(key, { x, y, scores: [] });
    found.get(key).scores.push(trial.score);
  }
  const cells = [...found.values()].map(({ x, y, scores }) => {
    scores.sort((a, b) => a - b);
    const half = (scores.length - 1) / 2;
    return { x, y, count: scores.length, best: lowest ? scores[0] : scores.at(-1), median: (scores[Math.floor(half)] + scores[Math.ceil(half)]) / 2 };
  });
  return { sides, cells: cells.sort((a, b) => a.y - b.y || a.x - b.x) };
}

function option(colours, { sides, cells }, what) {
  const values = cells.map((cell) => cell[what]).sort((a, b) => a - b);
  const turned = lowest && what !== "count";
  // The worst tenth shares one colour, so that the good ones differ
  const ends = turned ? [values[0] ?? 0, values[Math.ceil(0.9 * (values.length - 1))] ?? 1] : [what === "count" ? 0 : values[Math.floor(0.1 * (values.length - 1))] ?? 0, values.at(-1) ?? 1];
  const written = (value) => (what === "count" ? String(value) : fixed(value, 3));
  const labels = sides[0].parts.length * sides[1].parts.length <= (isNarrow() ? 30 : 80);
  const strong = (value) => (value - ends[0]) / (ends[1] - ends[0] || 1);
  const names = (k) => ({
    type: "category", data: sides[k].parts.map(({ words }) => words), name: sides[k].axis.name, splitLine: { show: false }, splitArea: { show: false },
    nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 },
  });
  const crowded = sides[0].parts.some(({ words }) => words.length > 10) && isNarrow();
  return {
    grid: { left: isNarrow() ? 92 : 128, right: 16, top: 8, bottom: crowded ? 104 : 64 },
    tooltip: tooltip(colours, ({ data: { cell } }) => tip(`${sides[0].axis.name} ${sides[0].parts[cell.x].words}, ${sides[1].axis.name} ${sides[1].parts[cell.y].words}`, [
      ["trials", String(cell.count)], [`best ${report.objective.head}`, fixed(cell.best)], [`median ${report.objective.head}`, fixed(cell.median)],
    ]), { trigger: "item" }),
    xAxis: axis(colours, { ...names(0), axisLabel: { rotate: crowded ? 40 : 0, formatter: (text) => cut(text, 24), color: colours.ink, interval: 0, hideOverlap: false, width: 96, overflow: crowded ? "none" : "break" }, nameGap: crowded ? 82 : 42 }),
    yAxis: axis(colours, { ...names(1), axisLabel: { formatter: (text) => cut(text, 16), color: colours.ink }, nameGap: isNarrow() ? 74 : 106 }),
    visualMap: { show: false, type: "continuous", dimension: 2, min: ends[0], max: Math.max(ends[1], ends[0] + 1e-6), inRange: { color: turned ? colours.ramp.slice().reverse() : colours.ramp } },
    series: [{
      type: "heatmap", progressive: 0,
      data: cells.map((cell) => ({ value: [cell.x, cell.y, cell[what]], cell, label: { color: strong(cell[what]) > 0.55 !== turned ? colours.card : colours.ink } })),
      label: { show: labels, formatter: ({ data: { cell } }) => written(cell[what]), fontSize: 12 },
      itemStyle: { borderColor: colours.card, borderWidth: 2, borderRadius: 3 },
      emphasis: { itemStyle: { borderColor: colours.ink } },
    }],
  };
}

/** Take a parameter into the pair: the first of two clicks begins anew, a second one completes it. */
let begun = null;
export function choosePair(names) {
  const known = names.filter((name) => PAIRABLE.includes(name));
  if (known.length > 1) {
    begun = null;
    put({ pair: known.slice(0, 2) });
  } else if (known.length === 1 && begun !== null && begun !== known[0]) {
    put({ pair: [begun, known[0]] });
    begun = null;
  } else begun = known[0] ?? null;
  return begun;
}
