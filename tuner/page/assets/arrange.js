/* In which order the axes of a chart, or the columns of a table, stand, and which of them are shown, turned over, or logarithmic. */

import { make } from "./dom.js";
import { field, onChange, put, reset, valueOf } from "./store.js";

/** What can be done to one: its letter in the address and its words. */
const WORDS = { h: "hidden", f: "turned over", l: "other scale" };

/**
 * Declare an arrangement of things that have these names, as a field of the store.
 *
 * Its value is {order, flags}: names in their order, and by name the letters of what is done to it.
 */
export function arrangement(name, names) {
  const known = (text) => names.find((one) => encodeURIComponent(one) === text);
  field(name, {
    initial: { order: names, flags: {} },
    read: (text) => {
      const given = text.split(";").map((entry) => entry.split(":")).map(([one, flags = ""]) => [known(one), flags.replace(/[^hfl]/g, "")]).filter(([one]) => one);
      const order = [...new Set(given.map(([one]) => one))];
      return { order: [...order, ...names.filter((one) => !order.includes(one))], flags: Object.fromEntries(given.filter(([, flags]) => flags)) };
    },
    write: ({ order, flags }) => order.map((one) => encodeURIComponent(one) + (flags[one] ? `:${flags[one]}` : "")).join(";"),
  });
}

/** Whether something is done to one. */
export const isDone = (name, one, letter) => (valueOf(name).flags[one] ?? "").includes(letter);

/** The names that are shown, in their order. */
export const shownOf = (name) => valueOf(name).order.filter((one) => !isDone(name, one, "h"));

/** The controls of an arrangement, folded away; `can` says by a name which letters it takes beside `h`. */
export function arranger(name, words, can = () => "") {
  const list = make("ol", { class: "arranged" });
  const back = make("button", { type: "button", class: "quiet-button", onclick: () => reset([name], name) }, "As at first");
  const turn = (one, letter, on) => {
    const { order, flags } = valueOf(name);
    const others = (flags[one] ?? "").replace(letter, "");
    put({ [name]: { order, flags: { ...flags, [one]: on ? others + letter : others } } });
  };
  const move = (one, step) => {
    const { order, flags } = valueOf(name);
    const next = order.slice();
    const from = next.indexOf(one);
    next.splice(from, 1);
    next.splice(from + step, 0, one);
    put({ [name]: { order: next, flags } });
    list.querySelector(`[data-key="${CSS.escape(`${one}${step}`)}"]:not(:disabled)`)?.focus();
  };
  function row(one, place, order) {
    const step = (text, by, said) => make("button", {
      type: "button", class: "quiet-button", "data-key": `${one}${by}`, "aria-label": `${one} ${said}`, disabled: place + by < 0 || place + by >= order.length, onclick: () => move(one, by),
    }, text);
    const tick = (letter) => {
      const box = make("input", { type: "checkbox", checked: isDone(name, one, letter), onchange: () => turn(one, letter, box.checked), "aria-label": `${one}: ${WORDS[letter]}` });
      return make("label", { class: "tick" }, box, WORDS[letter]);
    };
    return make("li", {}, step("↑", -1, "earlier"), step("↓", 1, "later"), make("span", { class: "name" }, one), ...[..."h", ...can(one)].map(tick));
  }
  const show = () => {
    const focused = document.activeElement?.getAttribute("aria-label");
    const { order } = valueOf(name);
    list.replaceChildren(...order.map(row));
    if (focused) list.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  };
  onChange([name], show);
  show();
  return make("details", { class: "arrange-panel" }, make("summary", {}, words), list, back);
}
