/* Which trials are shown: what is brushed, ticked and typed, which every panel of trials follows. */

import { setting } from "./dom.js";
import { completed, labelOf, parameters, report, searchedDatasets, searchedModels, trials } from "./data.js";
import { letterOf } from "./selection.js";
import { field, onChange, put, reset, valueOf } from "./store.js";
import { finder } from "./words.js";

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

function axisOf(name, get, always = false, turned = false) {
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
  const log = (!always && distinct[0] > 0 && distinct.at(-1) >= WIDE * distinct[0]) !== turned;
  const on = (value) => (value === null || value === undefined ? null : log ? Math.log10(value) : value);
  const [low, high] = [on(distinct[0]), on(distinct.at(-1))];
  const gap = NONE_BELOW * (high - low);
  const none = lacking ? low - gap : null;
  // The same on the other scale: even where this one is logarithmic, else logarithmic
  const other = always || turned || distinct[0] <= 0 ? null : axisOf(name, get, false, true);
  return { name, get, none, values: null, log, low, high, other, at: (trial) => (has(trial) ? on(get(trial)) : none) };
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

/** The intervals of places on axes that were given in an address. */
function readKept(text) {
  const entries = text.split(";").map((entry) => {
    const [name, ...intervals] = entry.split(":");
    return [decodeURIComponent(name), intervals.map((interval) => interval.split("~").map(Number))];
  });
  const sound = ([name, intervals]) => axes.some((axis) => axis.name === name) && intervals.length
    && intervals.every((interval) => interval.length === 2 && interval.every(Number.isFinite));
  return Object.fromEntries(entries.filter(sound));
}

const writeKept = (kept) => Object.entries(kept)
  .map(([name, intervals]) => [encodeURIComponent(name), ...intervals.map((ends) => ends.map((end) => Number(end.toPrecision(6))).join("~"))].join(":"))
  .join(";");

/** By axis the intervals of places that it lets pass; the words looked for; whether trials that do not pass are hidden. */
field("kept", { initial: {}, read: (text) => { try { return readKept(text); } catch { return null; } }, write: writeKept });
field("words", { initial: "" });
field("hide", { initial: false, read: (text) => text === "yes", write: (hide) => (hide ? "yes" : "") });

const FILTERS = ["kept", "words"];

/** Call `listener` with the name of the source after every change of a filter. */
export const onFilter = (listener) => onChange(FILTERS, (_, source) => listener(source));

/** The intervals of places that an axis lets pass; none where all do. */
export const intervalsOf = (axis) => valueOf("kept")[axis.name] ?? [];

/** Intervals of places on an axis as those of the same trials on another scale of it. */
export function onScale(from, to, intervals) {
  if (from === to) return intervals;
  const moved = (place) => {
    const value = valueAt(from, Math.min(Math.max(place, from.low), from.high));
    return to.log ? Math.log10(value) : value;
  };
  const near = 1e-9 * (to.high - to.low); // more than a logarithm and back differs
  const both = ([a, b]) => [moved(a) - near, moved(b) + near];
  return intervals.map((ends) => (ends[1] < from.low ? noneOn(to) : both(ends)));
}

/** Let only these intervals of places pass on an axis; all where the list is empty. */
export function keep(axis, intervals, source) {
  const { [axis.name]: _, ...others } = valueOf("kept");
  const ordered = intervals.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  put({ kept: ordered.length ? { ...others, [axis.name]: ordered } : others }, source);
}

/** Let only this interval of places pass on each of several axes. */
export const keepAll = (pairs) => put({ kept: { ...valueOf("kept"), ...Object.fromEntries(pairs.map(([axis, interval]) => [axis.name, [interval]])) } });

/** Let only trials pass in which every one of these words occurs; letters that are typed one after another are one change. */
export const keepWords = (text, source = "words") => put({ words: text }, source, Infinity);

export const wordsKept = () => valueOf("words");

export const clearFilters = () => reset([...FILTERS, "hide"]);

export const isFiltered = () => Object.keys(valueOf("kept")).length > 0 || wordsKept().trim() !== "";

/** What an axis lets pass, in words. */
export function told(axis) {
  const intervals = intervalsOf(axis);
  const within = (place) => intervals.some(([low, high]) => low <= place && place <= high);
  const none = axis.none !== null && within(axis.none) ? ["none"] : [];
  if (axis.values) return [...none, ...axis.values.filter((_, place) => within(place)).map(setting)].join(", ") || "nothing";
  const ends = intervals.filter(([, high]) => high >= axis.low).map((interval) => interval.map((place) => setting(Number(valueAt(axis, place).toPrecision(4)))).join(" to "));
  return [...none, ...ends].join(", ");
}

let found = { words: "", finds: finder("") };
/** Whether a trial has all the words that are looked for. */
export function hasWords(trial) {
  if (found.words !== wordsKept()) found = { words: wordsKept(), finds: finder(wordsKept()) };
  return found.finds(trial);
}

/** Whether an axis lets a trial pass. */
function passesOn(axis, trial) {
  const intervals = intervalsOf(axis);
  if (!intervals.length) return true;
  const place = axis.at(trial);
  const near = 1e-9 * (Math.abs(axis.high) + Math.abs(axis.low));
  return place !== null && intervals.some(([low, high]) => low - near <= place && place <= high + near);
}

let passed = null;
onChange(FILTERS, () => (passed = null)); // the first to hear, as no panel has asked before

function whoPasses() {
  passed ??= new Set(trials.filter((trial) => hasWords(trial) && axes.every((axis) => passesOn(axis, trial))));
  return passed;
}

/** The trials that pass every filter. */
export const passing = () => [...whoPasses()];
/** Whether a trial passes every filter. */
export const passes = (trial) => whoPasses().has(trial);

export const hidesOthers = () => valueOf("hide");
export const hideOthers = (hide) => put({ hide });

/** How much of its colour a trial keeps that does not pass. */
const PALE = 0.1;
/** How strongly to draw a trial, from 0, not at all, to 1; pinned ones always are. */
export function strengthOf(trial) {
  if (passes(trial) || letterOf(trial)) return 1;
  return hidesOthers() ? 0 : PALE;
}

/** The fields that a chart of trials follows. */
export const OF_TRIALS = [...FILTERS, "hide", "pinned"];
