/* Parallel coordinates of the trials, coloured by score; what is brushed here is filtered everywhere. */

import { compact, cut, fixed, make, setting, tip } from "./dom.js";
import { completed, labelOf, noLower, report, settings } from "./data.js";
import { chart, DASHES, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { arrangement, arranger, isDone, shownOf } from "./arrange.js";
import { axes, hasWords, hidesOthers, intervalsOf, keep, lowestOn, onFilter, onScale, passing, scoreFloor, valueAt } from "./filters.js";
import { pinned } from "./selection.js";
import { onChange } from "./store.js";

/** Scores below this share of the trials share one colour, so that a few bad ones do not take up the scale. */
const PALE = 0.1;

/** Whether the lowest scores are the best. */
const lowest = report.objective.direction === "min";

const byName = new Map(axes.map((axis) => [axis.name, axis]));
arrangement("axes", [...byName.keys()]);

/** The axes that are shown, in their order, all where fewer than two are: each with `own`, which its filter is of, and
 * whether it is `flipped`. */
function shownAxes() {
  const shown = shownOf("axes");
  return (shown.length > 1 ? shown : [...byName.keys()]).map((name) => {
    const own = byName.get(name);
    return { ...(isDone("axes", name, "l") && own.other ? own.other : own), own, flipped: isDone("axes", name, "f") };
  });
}

export function drawParallel(place) {
  const scores = completed.map(({ score }) => score).sort((a, b) => a - b);
  const least = scores[Math.floor(PALE * (scores.length - 1))];
  const most = scores[Math.ceil((1 - PALE) * (scores.length - 1))];
  const [low, high] = lowest ? [scores[0], most] : [scoreFloor === null ? noLower(least) : Math.max(least, scoreFloor), scores.at(-1)];
  const below = scores.filter((score) => score < scoreFloor).length;
  const { body, changed } = figure(place, {
    name: "parallel",
    heading: "Parallel coordinates",
    caption: () =>
      `Each line is a trial, the stronger its colour, the better its ${report.objective.label} on ${report.validates_on}; lines of one value stand side by side.${axes.some(({ none }) => none !== null) ? " Trials that do not have a parameter pass below its axis, at \"none\"." : ""} Drag along an axis to keep the trials that pass there, click the axis to keep all again, and click a line to open its trial. The filters below do the same from the keyboard.${below ? ` ${below} ${below === 1 ? "trial" : "trials"} that hardly learned ${below === 1 ? "stands" : "stand"} at the lower end of the ${report.objective.label}.` : ""}`,
    table: () => ({
      columns: ["trial", ...axes.map(({ name }) => name)],
      rows: passing().filter(({ score }) => score !== null).map((t) => [t.trial, ...axes.map((axis) => axis.get(t))]),
    }),
  });
  const legend = make(
    "div", { class: "ramp", "aria-hidden": "true" },
    fixed(lowest ? high : low), make("span", { class: "ramp-bar" }), fixed(lowest ? low : high),
  );
  const here = box(isNarrow() ? 90 + 62 * axes.length : 430);
  here.id = "parallel";
  body.append(legend, here);
  body.after(arranger("axes", "Arrange axes", (name) => `f${byName.get(name).other ? "l" : ""}`));
  let timer = 0;
  let silent = false; // while brushes are set from elsewhere
  const brush = (instance) => {
    silent = true;
    shownAxes().forEach((axis, k) => {
      instance.dispatchAction({ type: "axisAreaSelect", parallelAxisId: String(k), intervals: scaled(axis.own, axis, intervalsOf(axis.own)) });
    });
    silent = false;
  };
  const drawing = chart(here, {
    renderer: "canvas",
    ofTrials: true,
    follows: ["hide", "pinned", "axes"],
    option: (colours) => option(colours, low, high, here.clientWidth),
    describe: () => `Parallel coordinates of ${completed.length} trials over ${axes.map(({ name }) => name).join(", ")}`,
    ready: (instance) => {
      instance.on("axisareaselected", ({ parallelAxisId, intervals }) => {
        if (silent) return;
        const chosen = shownAxes()[Number(parallelAxisId)];
        keep(chosen.own, scaled(chosen, chosen.own, intervals.map(([a, b]) => [a, b])), "parallel");
      });
    },
    drawn: brush,
  });
  onFilter((source) => {
    const instance = drawing.instance();
    changed();
    if (!instance || source === "parallel") return;
    brush(instance);
  });
  onChange(["words"], (_, source) => {
    clearTimeout(timer);
    timer = setTimeout(drawing.redraw, source === "words" ? 200 : 0); // until typing rests
  });
}

const scaled = (from, to, intervals) => (from.log === to.log ? intervals : onScale(from, to, intervals));

function option(colours, low, high, width) {
  const narrow = isNarrow();
  const shown = completed.filter(hasWords).reverse(); // the best last, on top
  const others = hidesOthers() ? [] : completed.filter((trial) => !hasWords(trial));
  const drawn = shownAxes();
  // The colours are of the score, whether its axis is shown or not
  const scoreAt = (trial) => axes.at(-1).at(trial) ?? "-";
  const lineOf = (trial) => ({ name: trial.trial, value: [...drawn.map((axis) => axis.at(trial) ?? "-"), scoreAt(trial)] });
  const ramp = lowest ? colours.ramp.slice().reverse() : colours.ramp;
  const thin = shown.length > 300;
  const room = (width - 106) / Math.max(1, drawn.length - 1);
  return {
    parallel: {
      layout: narrow ? "vertical" : "horizontal",
      ...(narrow ? { left: 24, right: 24, top: 40, bottom: 30 } : { left: 46, right: 60, top: 62, bottom: 22 }),
      parallelAxisDefault: {
        type: "value",
        nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600, lineHeight: 15 },
        axisLine: { lineStyle: { color: colours.quiet } },
        axisTick: { lineStyle: { color: colours.quiet } },
        areaSelectStyle: { width: 14, color: colours.accent, opacity: 0.25, borderColor: colours.accent },
      },
    },
    parallelAxis: drawn.map((axis, k) => parallelAxis(colours, axis, k, narrow, room)),
    visualMap: {
      show: false, type: "continuous", seriesIndex: [0, 1], dimension: drawn.length, min: low, max: Math.max(high, low + 1e-6),
      inRange: { color: ramp }, outOfRange: { color: [colours.ramp[0]] },
    },
    tooltip: tooltip(colours, ({ data }) => {
      const trial = completed.find((one) => one.trial === data.name);
      return tip(`${labelOf(trial.model)} on ${trial.dataset}, rank ${trial.rank}`, [
        ...settings(trial).map(([name, value]) => [name, setting(value)]),
        [report.objective.head, fixed(trial.score)],
      ]);
    }, { trigger: "item" }),
    series: [{
      type: "parallel", progressive: 0, smooth: 0.05, inactiveOpacity: hidesOthers() ? 0 : 0.03, activeOpacity: thin ? 0.6 : 0.9,
      lineStyle: { width: thin ? 1 : 1.8, opacity: thin ? 0.35 : 0.8 },
      emphasis: { lineStyle: { width: 3.5, opacity: 1, color: colours.ink } }, // or a pale line gets paler still
      data: shown.map(lineOf),
    }, {
      type: "parallel", progressive: 0, smooth: 0.05, inactiveOpacity: 0.03, activeOpacity: 0.03, z: 1, silent: true,
      lineStyle: { width: 1, opacity: 0.03 }, data: others.map(lineOf),
    }, ...pinned().map(({ trial, letter }) => ({
      type: "parallel", progressive: 0, smooth: 0.05, inactiveOpacity: 1, activeOpacity: 1, z: 4, silent: true,
      lineStyle: { width: 2.5, opacity: 1, color: colours.ink, type: DASHES[letter] }, data: [lineOf(trial)],
    }))],
  };
}

function parallelAxis(colours, axis, k, narrow, room) {
  const own = axis.values ? axis.values.map((_, place) => place) : axis.log ? decades(axis) : axis.none === null ? null : steps(axis);
  const ticks = own && axis.none !== null ? [axis.none, ...own] : own;
  const text = (place) => {
    if (axis.none !== null && place < axis.low - 1e-9) return "none";
    if (axis.values) return cut(axis.name === "size" ? compact(axis.values[place]) : setting(axis.values[place] ?? ""), 12);
    const value = valueAt(axis, place);
    return axis.name === "size" ? compact(value) : setting(Number(value.toPrecision(4)));
  };
  const pad = axis.values ? 0 : 0.02 * (axis.high - axis.low || 1);
  return {
    dim: k, id: String(k), z: 6, inverse: axis.flipped, name: narrow ? axis.name : broken(axis.name, room), min: lowestOn(axis) - pad, max: axis.high + pad,
    nameLocation: narrow ? "start" : "end", nameGap: narrow ? 8 : 14,
    ...(narrow ? { nameTextStyle: { align: "left", verticalAlign: "bottom", padding: [0, 0, 10, -6], textBorderColor: colours.card, textBorderWidth: 3, color: colours.ink, fontWeight: 600, fontSize: 12 } } : {}),
    axisLabel: {
      color: colours.ink, fontSize: 11, hideOverlap: true, formatter: text, textBorderColor: colours.card, textBorderWidth: 3,
      showMinLabel: axis.values ? undefined : false, showMaxLabel: axis.values ? undefined : false,
      ...(ticks ? { customValues: ticks, showMinLabel: true, showMaxLabel: true } : {}),
    },
    ...(ticks ? { axisTick: { customValues: ticks, lineStyle: { color: colours.quiet } } } : {}),
    splitNumber: narrow ? 4 : 6,
  };
}

/** A name over two lines where there is no room for one. */
function broken(name, room) {
  const parts = [...name.matchAll(/[_ ]/g)].map(({ index }) => index + 1);
  if (8 * name.length < room || !parts.length) return name;
  const middle = parts.reduce((a, b) => (Math.abs(b - name.length / 2) < Math.abs(a - name.length / 2) ? b : a));
  return `${name.slice(0, middle)}\n${name.slice(middle)}`;
}

/** Four to nine even steps of a number that is easily read within an axis. */
function steps(axis) {
  const least = (axis.high - axis.low) / 9;
  const ten = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((times) => times * ten).find((one) => one >= least);
  const found = [];
  for (let k = Math.ceil(axis.low / step - 1e-9); k * step <= axis.high + 1e-9 * step; k += 1) found.push(Number((k * step).toPrecision(12)));
  return found;
}

/** The tenfold steps within an axis, or its ends where there are fewer than two. */
function decades(axis) {
  const first = Math.ceil(axis.low - 1e-9);
  const found = [];
  for (let k = first; k <= axis.high + 1e-9; k += 1) found.push(k);
  return found.length > 1 ? found : [axis.low, axis.high];
}
