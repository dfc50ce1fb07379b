/* What is typed into the search of trials: words, and comparisons such as dropout=0.5, size<100k and val_accuracy>=0.9. */

import { setting } from "./dom.js";
import { labelOf, parameters, report } from "./data.js";

/** A trial is found by so many letters from the beginning of its name on: numbers occur in every one. */
const OF_A_NAME = 6;
const COMPARES = {
  "=": (a, b) => Math.abs(a - b) <= 1e-9 * Math.abs(b), "<": (a, b) => a < b, ">": (a, b) => a > b,
  "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "≤": (a, b) => a <= b, "≥": (a, b) => a >= b,
};
const TIMES = { "": 1, k: 1e3, M: 1e6 };

/** What of a trial can be compared, by its name in small letters. */
const gets = new Map();
const call = (get, ...names) => names.filter(Boolean).forEach((name) => gets.set(name.toLowerCase().replaceAll(" ", "_"), get));
const { name: chosenBy, column, head, label } = report.objective;
call((t) => t.rank, "rank");
call((t) => labelOf(t.model), "model");
call((t) => t.dataset, "dataset", "data_set");
call((t) => t.loss, "loss", "val_loss", "val._loss");
call((t) => t.values.val_accuracy ?? null, "val_accuracy", "accuracy");
call((t) => t.score, "score", chosenBy, column, head, label);
call((t) => t.size, "size", "parameters");
call((t) => t.seconds, "time", "seconds");
call((t) => (t.pruned ? "pruned" : t.status), "status");
call((t) => t.trial, "trial");
parameters.forEach((name) => call((t) => t.values[name] ?? null, name));

/** A number, as 1e-3, 100k and 2M, or null. */
function numberIn(text) {
  const [, digits, times] = text.match(/^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([kM]?)$/i) ?? [];
  return digits === undefined ? null : Number(digits) * TIMES[times === "K" ? "k" : times === "m" ? "M" : times];
}

function compares(name, by, wanted) {
  const get = gets.get(name.toLowerCase());
  const number = numberIn(wanted);
  if (!get) return () => false;
  return (trial) => {
    const value = get(trial);
    if (value === null || value === undefined) return by === "=" && wanted.toLowerCase() === "none";
    if (typeof value === "number") return number !== null && COMPARES[by](value, number);
    if (by !== "=") return false;
    const text = wanted.toLowerCase();
    if (typeof value === "boolean") return (value ? ["yes", "true"] : ["no", "false"]).includes(text);
    return value.toLowerCase() === text;
  };
}

/** One word: a number is a value, another text may stand anywhere but in the name of a trial. */
function occurs(word) {
  const number = numberIn(word);
  const text = word.toLowerCase();
  return (trial) => {
    if (word.length >= OF_A_NAME && trial.trial.startsWith(text)) return true;
    const values = parameters.map((name) => trial.values[name]);
    if (number !== null && values.some((value) => typeof value === "number" && COMPARES["="](value, number))) return true;
    const texts = [labelOf(trial.model), trial.dataset, trial.status, trial.error, ...values.filter((value) => typeof value === "string").map(setting)];
    return number === null && texts.some((one) => one && one.toLowerCase().includes(text));
  };
}

/** Whether a trial has all that is looked for, as a function of the trial. */
export function finder(words) {
  const tests = (words.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => {
    const plain = word.replaceAll('"', "");
    const [, name, by, wanted] = plain.match(/^([^=<>≤≥]+)(<=|>=|[=<>≤≥])(.*)$/) ?? [];
    return name === undefined ? occurs(plain) : wanted === "" ? () => true : compares(name, by, wanted); // still being typed
  });
  return (trial) => tests.every((test) => test(trial));
}
