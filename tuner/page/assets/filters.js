/* Which trials are shown: one state that the parallel coordinates, the filters and the table share. */

import { setting } from "./dom.js";
import { completed, labelOf, parameters, report, searchedDatasets, searchedModels, trials } from "./data.js";

/** Numbers of more different values than this have a continuous axis, and a range to filter by. */
const FEW = 8;
/** So far below an axis, as a share of it, stand the trials that have no value there. */
const NONE_BELOW = 0.16;
/** From this ratio of the largest to the smallest value on, an axis is logarithmic. */
const WIDE = 30;

const floors = report.slices.map(({ low }) => low).filter((low) => low !== null);
/** The score below which trials hardly learned, where a few did not; else null. */
export const scoreFloor = floors.length && floors.length === report.slices.length ? Math.min(...floors) : null;

/**
 * The axes that trials are looked at along. `at(trial)` is a trial's place on one: the number of its value among
 * `values`, a little beside it, or where these are null the value itself, its logarithm where `log`. Trials that have no
 * value, as of a parameter that their model has not, stand at `none`, below the axis; it is null where all have one.
 */
export const axes = [
  ...(searchedModels.length > 1 ? [axisOf("model", (trial) => labelOf(trial.model))] : []),
  ...(searchedDatasets.length > 1 ? [axisOf("data set", (trial) => trial.dataset)] : []),
  ...parameters.map((name) => axisOf(name, (trial) => trial.values[name])),
  axisOf("size", (trial) => trial.size),
  scoreAxis(),
].filter((axis) => axis !== null);

/** How far beside its value a trial stands on an axis of few values, so that many lines are no single one. */
const SPREAD = Math.min(0.26, 0.004 * completed.length);
const aside = (trial) => SPREAD * (((0.618034 * trial.index) % 1) - 0.5);

function axisOf(name, get, always = false) {
  const distinct = [...new Set(completed.map(get).filter((value) => value !== null && value !== undefined))];
  if (distinct.length < (always ? 1 : 2)) return null;
  const has = (trial) => get(trial) !== null && get(trial) !== undefined;
  const lacking = !always && completed.some((trial) => !has(trial));
  const numbers = distinct.every((value) => typeof value === "number");
  if (numbers) distinct.sort((a, b) => a - b);
  if (!always && (!numbers || distinct.length <= FEW)) {
    const number = new Map(distinct.map((value, place) => [value, place]));
    const none = lacking ? -1 : null;
    return { name, get, none, values: distinct, log: false, low: -0.4, high: distinct.length - 0.6,
      at: (trial) => (has(trial) ? number.get(get(trial)) + aside(trial) : none && none + aside(trial)) };
  }
  const log = !always && distinct[0] > 0 && distinct.at(-1) >= WIDE * distinct[0];
  const on = (value) => (value === null || value === undefined ? null : log ? Math.log10(value) : value);
  const [low, high] = [on(distinct[0]), on(distinct.at(-1))];
  const gap = NONE_BELOW * (high - low);
  const none = lacking ? low - gap : null;
  return { name, get, none, values: null, log, low, high, at: (trial) => (has(trial) ? on(get(trial)) : none) };
}

/** The last axis: the scores, where what hardly learned stands at the lower end. */
function scoreAxis() {
  const axis = axisOf(report.objective.head, (trial) => trial.score, true);
  if (axis === null || scoreFloor === null) return axis;
  return { ...axis, low: scoreFloor, at: (trial) => (trial.score === null ? null : Math.max(trial.score, scoreFloor)) };
}

/** The lowest place that a trial has on an axis. */
export const lowestOn = (axis) => (axis.none === null ? axis.low : Math.min(axis.low, axis.values ? axis.none - 0.4 : axis.none));
/** The interval around the trials that have no value on an axis. */
export const noneOn = (axis) => {
  const half = axis.values ? 0.3 : 0.3 * (axis.low - axis.none);
  return [axis.none - half, axis.none + half];
};

/** A place on an axis as the value there. */
export const valueAt = (axis, place) => (axis.log ? 10 ** place : place);

const kept = new Map();
const listeners = new Set();
let words = "";

/** Call `listener` with the name of the source after every change. */
export const onFilter = (listener) => listeners.add(listener);
const tell = (source) => listeners.forEach((listener) => listener(source));

/** The intervals of places that an axis lets pass; none where all do. */
export const intervalsOf = (axis) => kept.get(axis.name) ?? [];

/** Let only these intervals of places pass on an axis; all where the list is empty. */
export function keep(axis, intervals, source) {
  if (intervals.length) kept.set(axis.name, intervals.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]));
  else kept.delete(axis.name);
  tell(source);
}

/** Let only trials pass in which every one of these words occurs. */
export function keepWords(text, source = "words") {
  words = text;
  tell(source);
}

export const wordsKept = () => words;

const pointed = new Set();
/** Call `listener` with a trial that is pointed at, and with null when it no longer is. */
export const onPoint = (listener) => pointed.add(listener);
export const pointAt = (trial) => pointed.forEach((listener) => listener(trial));

export function clearFilters() {
  kept.clear();
  words = "";
  tell("clear");
}

export const isFiltered = () => kept.size > 0 || words.trim() !== "";

const texts = new Map();
function textOf(trial) {
  if (!texts.has(trial)) {
    const values = parameters.flatMap((name) => [`${name}=${setting(trial.values[name])}`, setting(trial.values[name])]);
    texts.set(trial, [trial.trial, labelOf(trial.model), trial.dataset, trial.status, trial.error, ...values].join(" ").toLowerCase());
  }
  return texts.get(trial);
}

/** Whether a trial has all the words that are looked for. */
export function hasWords(trial) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.every((word) => textOf(trial).includes(word));
}

/** Whether an axis lets a trial pass. */
function passesOn(axis, trial) {
  const intervals = intervalsOf(axis);
  if (!intervals.length) return true;
  const place = axis.at(trial);
  const near = 1e-9 * (Math.abs(axis.high) + Math.abs(axis.low));
  return place !== null && intervals.some(([low, high]) => low - near <= place && place <= high + near);
}

/** The trials that pass every filter. */
export function passing() {
  return trials.filter((trial) => hasWords(trial) && axes.every((axis) => passesOn(axis, trial)));
}
