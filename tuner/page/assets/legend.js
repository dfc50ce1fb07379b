/* Legends: each model with the mark and the colour that it has in every chart, each line with its own dashes. */

import { cut, make } from "./dom.js";
import { labelOf, numberOf, report } from "./data.js";
import { symbolOf } from "./charts.js";

/** The marks of charts as paths of 12 by 12. */
const MARKS = {
  circle: "M6 .8a5.2 5.2 0 1 0 0 10.4a5.2 5.2 0 1 0 0-10.4z",
  diamond: "M6 0L12 6L6 12L0 6z",
  rect: "M1 1H11V11H1z",
  triangle: "M6 .8L11.6 11.2H.4z",
  pin: "M6 12C3.2 8.4 2 6.4 2 4.4a4 4 0 1 1 8 0C10 6.4 8.8 8.4 6 12z",
  roundRect: "M3.2 1H8.8Q11 1 11 3.2V8.8Q11 11 8.8 11H3.2Q1 11 1 8.8V3.2Q1 1 3.2 1z",
  arrow: "M6 .4L11.4 11.6L6 9L.6 11.6z",
};
/** The dashes of lines that have one colour, or all colours of which are used up. */
export const DASHED = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2]];
/** Dashes as a chart takes them. */
export const dashOf = (place) => (place % DASHED.length ? DASHED[place % DASHED.length] : "solid");

function drawing(width, height, ...shapes) {
  const made = (tag, attributes) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const svg = made("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  svg.append(...shapes.map(([tag, attributes]) => made(tag, attributes)));
  return svg;
}

/** The colours of classes, which are none of a model's, are so many; the next classes have other dashes. */
const CLASSES = 5;

/** How the line of a model looks, or that of a class where `ofClass`: its colour in a chart, in a legend, and its dashes. */
export function lineLook(number, ofClass = false) {
  const [name, count] = ofClass ? ["classes", CLASSES] : ["series", 7];
  const place = number % count;
  return { colour: (colours) => colours[name][place], ink: `var(--${ofClass ? "c" : "s"}${place})`, dash: Math.floor(number / count) };
}

/** A model with its mark; `symbol` is another where the chart has other marks, as bars. */
export function modelKey(model, symbol = symbolOf(numberOf(model))) {
  const mark = drawing(12, 12, ["path", { d: MARKS[symbol], style: `fill:${lineLook(numberOf(model)).ink}` }]);
  return make("span", { class: "key", "data-mark": symbol }, mark, labelOf(model));
}

/** The legend of a chart of several models, in the order of the report; empty where there is one. */
export function modelLegend(models) {
  const shown = report.models.map(({ name }) => name).filter((name) => models.includes(name));
  return make("div", { class: "legend" }, ...(shown.length > 1 ? shown.map((name) => modelKey(name)) : []));
}

/** A line with its colour and its dashes, what it is called, and a number. */
export function lineKey({ ink, dash, title, value }, listeners = {}) {
  const look = `stroke:${ink};stroke-width:2.5;fill:none`;
  const line = drawing(28, 8, ["line", { x1: 1, y1: 4, x2: 27, y2: 4, style: look, "stroke-dasharray": DASHED[dash % DASHED.length].join(" ") || "none" }]);
  return make("li", listeners, line, cut(title, 32), make("span", { class: "area" }, value));
}
