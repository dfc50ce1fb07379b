/* Elements and numbers as text. Whatever a file holds becomes a text node, never markup. */

/** Make an element. `attributes` may hold listeners as functions: {onclick: f}; null and false leave one out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const DASH = "–";

/** A number with so many decimals, or a dash. */
export function fixed(value, digits = 4) {
  return value === null || value === undefined ? DASH : value.toFixed(digits).replace("-", "−");
}

/** A number as people write it: 19,578, 0.001, 2.5e-7. */
export function figures(value, digits = 3) {
  if (value === null || value === undefined) return DASH;
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1e4) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** A count in short: 850, 19.6k, 1.2M. */
export function compact(value) {
  if (value < 1e3) return String(Number(value.toPrecision(3)));
  return value < 1e6 ? `${Number((value / 1e3).toPrecision(3))}k` : `${Number((value / 1e6).toPrecision(3))}M`;
}

/** Seconds as people say them. */
export function clock(seconds) {
  if (seconds === null || seconds === undefined) return DASH;
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A parameter's value as short text. */
export function setting(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
}

/** Text of at most so many letters. */
export function cut(text, most = 24) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Text of at most so many letters, without its middle: names that differ at either end stay apart. */
export function cutMiddle(text, most = 24) {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}

/** A labelled choice. `options` are [value, text]; `onchange` is called with the chosen value. */
export function choice(text, options, onchange) {
  const select = make("select", { onchange: () => onchange(select.value) });
  for (const [value, name] of options) select.append(make("option", { value }, cut(name, 60)));
  return make("label", { class: "choice" }, text, select);
}

/** The content of a tooltip: a heading, then lines of name and value. */
export function tip(heading, lines) {
  const list = make("dl", { class: "tip-lines" });
  for (const [name, value] of lines) list.append(make("dt", {}, cut(name, 40)), make("dd", {}, cut(String(value), 60)));
  return make("div", { class: "tip" }, make("strong", {}, cut(heading, 80)), list);
}
