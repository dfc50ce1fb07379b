/* Every chart of the page: drawn when it comes near, again when light, width or content change, and all for print. */

import { walkMarks } from "./arrows.js";
import { trialOf } from "./data.js";
import { clickOn, onPoint, pointAt } from "./selection.js";
import { onEveryChange } from "./store.js";
import { letScroll } from "./touch.js";

const root = document.documentElement;
let charts = [];
/** What is not near is drawn from so many ms on after what is. */
export const RESTS = 400;

/** Whether there is a library that draws: it is a file of its own, which somebody may have left behind. */
export const canDraw = typeof echarts !== "undefined";

/** The colours of the moment, from the style sheet. */
export function palette() {
  const style = getComputedStyle(root);
  const get = (name) => style.getPropertyValue(name).trim();
  return {
    ink: get("--ink"), quiet: get("--quiet"), line: get("--line"), paper: get("--paper"), card: get("--card"),
    bad: get("--bad"), good: get("--good"), warm: get("--warm"), accent: get("--accent"), pale: get("--pale"), faint: get("--faint"),
    series: [0, 1, 2, 3, 4, 5, 6].map((k) => get(`--s${k}`)),
    classes: [0, 1, 2, 3, 4].map((k) => get(`--c${k}`)),
    ramp: [0, 1, 2, 3].map((k) => get(`--r${k}`)),
  };
}

export const colourOf = (colours, number) => colours.series[number % colours.series.length];
export const symbolOf = (number) => ["circle", "diamond", "rect", "triangle", "pin", "roundRect", "arrow"][number % 7];
/** The lines of pinned trials by their letters. */
export const DASHES = { A: "solid", B: "dashed", C: "dotted", D: [8, 3, 2, 3] };
export const isNarrow = () => window.innerWidth < 640;

/** What all axes look like; `more` overrides. */
export function axis(colours, more = {}) {
  const { axisLabel, ...rest } = more;
  return {
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: colours.quiet, fontSize: 12 },
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: colours.quiet, fontSize: 12, hideOverlap: true, ...axisLabel },
    splitLine: { lineStyle: { color: colours.line } },
    ...rest,
  };
}

/** What all tooltips look like; their content is an element, so that no text of a file is read as markup. */
export function tooltip(colours, formatter, more = {}) {
  return {
    confine: true,
    backgroundColor: colours.card,
    borderColor: colours.line,
    textStyle: { color: colours.ink, fontSize: 13 },
    formatter,
    ...more,
  };
}

/** Lines from low to high, for intervals: data are [low, high, place]; `across` where the interval lies level. */
export function whiskers(colours, data, { across = true, colour = colours.ink, width = 1.5 } = {}) {
  return {
    type: "custom",
    silent: true,
    z: 5,
    data,
    encode: across ? { x: [0, 1], y: 2 } : { x: 2, y: [0, 1] },
    renderItem: (_, api) => {
      const ends = [0, 1].map((k) => api.coord(across ? [api.value(k), api.value(2)] : [api.value(2), api.value(k)]));
      const bar = ([x, y]) => (across ? { x1: x, y1: y - 4, x2: x, y2: y + 4 } : { x1: x - 4, y1: y, x2: x + 4, y2: y });
      const style = { stroke: typeof colour === "function" ? colour(api.value(2)) : colour, lineWidth: width };
      const middle = { x1: ends[0][0], y1: ends[0][1], x2: ends[1][0], y2: ends[1][1] };
      return { type: "group", children: [middle, bar(ends[0]), bar(ends[1])].map((shape) => ({ type: "line", shape, style })) };
    },
  };
}

/**
 * Draw a chart in a box.
 *
 * `option` is called with the palette at every drawing; `describe` returns what a screen reader says of it; `ready`
 * gets the instance once, to listen to it; `drawn` gets it after every drawing. `follows` are the fields of the store on
 * whose change it is drawn again, as soon as it is near. The marks of a chart `ofTrials` have the identifiers of trials
 * as their names, or their series as theirs: they stand out where a trial is pointed at, and a click opens one. Where
 * nothing can draw, the box is hidden.
 */
export function chart(box, { option, describe, renderer = "svg", ready, drawn, follows = [], ofTrials = false }) {
  const held = { box, option, describe, renderer, ready, drawn, follows, ofTrials, instance: null, width: 0, near: false, stale: false };
  if (canDraw) {
    charts.push(held);
    near.observe(box);
    letScroll(box);
  } else box.hidden = true;
  return { redraw: () => held.instance && draw(held), instance: () => held.instance };
}

/** The charts within an element, each with its box and what it shows. */
export const chartsIn = (element) => charts
  .filter(({ box }) => element.contains(box) && box.clientWidth)
  .map(({ box, option, describe }) => ({ box, option: () => optionOf({ option, describe }) }));

/** Listen to the marks of a chart of trials. */
function listen(instance) {
  const meant = ({ name, seriesId }) => trialOf(name) ?? trialOf(seriesId) ?? null;
  instance.on("mouseover", (event) => pointAt(meant(event)));
  instance.on("mouseout", () => pointAt(null));
  instance.on("click", (params) => meant(params) && clickOn(meant(params), params.event.event));
}

let marked = null;
/** Let a trial stand out in every chart that has it, and the one before it no longer. */
onPoint((trial) => {
  for (const { instance, ofTrials, box: { isConnected } } of charts) {
    if (!instance || !ofTrials || !isConnected) continue;
    if (marked) mark(instance, "downplay", marked);
    if (trial) mark(instance, "highlight", trial);
  }
  marked = trial;
});

function mark(instance, type, { trial }) {
  instance.dispatchAction({ type, name: trial, notBlur: true });
  instance.dispatchAction({ type, seriesId: trial, notBlur: true });
}

let waiting = false;
/** Draw what is near in one go before the next frame, however many changes there were. */
function refresh() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    for (const held of charts) if (held.stale && held.near) draw(held);
  });
}

/** Mark as stale what follows these fields, and forget charts whose place is gone. */
function followStore(names) {
  charts = charts.filter(({ box, instance }) => {
    if (box.isConnected || !instance) return true;
    instance.dispose();
    return false;
  });
  for (const held of charts) if (held.instance && held.follows.some((name) => names.includes(name))) held.stale = true;
  refresh();
}

function draw(held) {
  if (!held.box.isConnected || held.box.clientWidth === 0) return;
  if (!held.instance) {
    held.instance = echarts.init(held.box, null, { renderer: held.renderer });
    held.ready?.(held.instance);
    if (held.ofTrials) listen(held.instance);
    walkMarks(held.box, held.instance);
  }
  held.stale = false;
  held.width = held.box.clientWidth;
  held.instance.resize();
  held.instance.setOption(optionOf(held), { notMerge: true });
  held.drawn?.(held.instance);
  held.box.dataset.drawn = "yes";
}

/** All of what a chart shows. */
export function optionOf({ option, describe }) {
  const base = {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    aria: { enabled: true, label: { description: describe?.() ?? "" } },
  };
  return { ...base, ...option(palette()) };
}

const near = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const held = charts.find(({ box }) => box === target);
      if (!held) continue;
      held.near = isIntersecting;
      if (isIntersecting && (!held.instance || held.stale)) draw(held);
    }
    startIdle();
  },
  { rootMargin: "400px" },
);

/** Draw one more chart whenever the browser has nothing else to do, so that scrolling finds them all. */
function drawWhenIdle() {
  const next = charts.find((held) => !held.instance && held.box.clientWidth);
  if (!next) return;
  draw(next);
  later(drawWhenIdle);
}
/** Wait until the browser has nothing else to do. */
export const later = (work) => (window.requestIdleCallback ? requestIdleCallback(work) : setTimeout(work, 50));

function redrawAll() {
  for (const held of charts) if (held.instance) draw(held);
}

/** Follow the theme, the window and the printer; `button` goes from light to dark and back. */
export function startCharts(button) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const name = () => (button.textContent = isDark() ? "Light" : "Dark");
  button.hidden = false;
  name();
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    name();
    redrawAll();
  });
  dark.addEventListener("change", () => {
    name();
    redrawAll();
  });
  let timer = 0;
  window.addEventListener("resize", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (const held of charts) if (held.instance && held.box.clientWidth !== held.width) draw(held);
    }, 120);
  });
  window.addEventListener("beforeprint", () => {
    root.dataset.print = "yes";
    for (const held of charts) draw(held);
  });
  window.addEventListener("afterprint", () => {
    delete root.dataset.print;
    redrawAll();
  });
  onEveryChange(followStore);
}

let idles = false;
/** Begin with what nobody sees a while after what is seen first. */
function startIdle() {
  if (idles) return;
  idles = true;
  setTimeout(() => later(drawWhenIdle), RESTS);
}

