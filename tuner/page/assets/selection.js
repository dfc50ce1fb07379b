/* What panels share beside filters: the trial that is pointed at, pinned trials, and the model and data set looked at. */

import { make, cut } from "./dom.js";
import { labelOf, report, trialOf } from "./data.js";
import { field, onChange, put, valueOf } from "./store.js";

/** Trials that can be pinned at once. */
export const MOST_PINNED = 4;
const LETTERS = "ABCD";

const known = (among) => (text) => (among.includes(text) ? text : null);

/** The identifiers of pinned trials, in the order in which they were pinned; gaps keep the letters of the others. */
field("pinned", {
  initial: [],
  read: (text) => {
    const given = text.split(",").slice(0, MOST_PINNED).map((id) => (trialOf(id) ? id : ""));
    while (given.at(-1) === "") given.pop();
    return given.filter((id, place) => !id || given.indexOf(id) === place);
  },
  write: (ids) => ids.join(","),
});
/** The model and the data set that were chosen, or "" where nobody has: see `chosenShown` and `datasetShown`. */
field("model", { initial: "", read: known(report.models.map(({ name }) => name)) });
field("dataset", { initial: "", read: known(report.datasets) });
/** The name of the class that is looked at, or "": it may be one of several data sets, and of none that is shown. */
field("label", { initial: "" });

export const COMPARE = "compare";
/** What the drawer shows: a trial by its identifier, the comparison of the pinned ones, or "" while it is closed. */
field("open", { initial: "", read: (text) => (text === COMPARE || trialOf(text) ? text : null) });

/** Open the drawer with a trial. */
export const openTrial = (trial) => put({ open: trial.trial });
/** Open the drawer with what differs between the pinned trials. */
export const openComparison = () => put({ open: COMPARE });
/** What a click on a trial does: it opens the drawer, and with Shift it pins the trial. */
export const clickOn = (trial, { shiftKey }) => (shiftKey ? pin(trial) : openTrial(trial));

/** The pinned trials with their letters. */
export const pinned = () => valueOf("pinned").map((id, place) => ({ trial: trialOf(id), letter: LETTERS[place] })).filter(({ trial }) => trial);

/** The letter of a pinned trial, or "". */
export function letterOf(trial) {
  const place = valueOf("pinned").indexOf(trial.trial);
  return place < 0 ? "" : LETTERS[place];
}

/** Pin a trial, or unpin it; where all places are taken the last one is. */
export function pin(trial) {
  const ids = valueOf("pinned").slice();
  const place = ids.indexOf(trial.trial);
  if (place >= 0) ids[place] = "";
  else if (ids.includes("")) ids[ids.indexOf("")] = trial.trial;
  else ids[Math.min(ids.length, MOST_PINNED - 1)] = trial.trial;
  while (ids.at(-1) === "") ids.pop();
  put({ pinned: ids });
}

const listeners = [];
let pointedAt = null;
/** Call `listener` with the trial that is pointed at, and with null when none is any more. */
export const onPoint = (listener) => listeners.push(listener);
export function pointAt(trial) {
  if (trial === pointedAt) return;
  pointedAt = trial;
  listeners.forEach((listener) => listener(trial));
}

/** The data set to show of those that a panel has: the chosen one, else the same in every panel, the first of the report,
 * which names those that were searched before those that models are only compared on. */
export function datasetShown(among = report.datasets) {
  if (among.includes(valueOf("dataset"))) return valueOf("dataset");
  return report.datasets.find((one) => among.includes(one)) ?? among[0];
}

/** The model to show of those that a panel has, or null where none of them is chosen. */
export const modelShown = (among) => (among.includes(valueOf("model")) ? valueOf("model") : null);

/** The retrained models on the data set that is shown, the best mean test accuracy first. */
export function chosenThere() {
  const dataset = datasetShown([...new Set(report.chosen.map((one) => one.dataset))]);
  return report.chosen.filter((one) => one.dataset === dataset).sort((a, b) => b.retrained_mean - a.retrained_mean);
}

/** The retrained model to show: the chosen one, else the best of the data set. */
export function chosenShown() {
  const there = chosenThere();
  return there.find(({ model }) => model === valueOf("model")) ?? there[0];
}

/** The number of the class that is looked at among those of a retrained model, or null. */
export function classShown(chosen = chosenShown()) {
  const place = chosen.classes.indexOf(valueOf("label"));
  return place < 0 || !valueOf("label") ? null : place;
}

/**
 * A choice of a field, which follows it wherever else it is made.
 *
 * `options` are [value, text]; `shown` says which one is shown, as where nobody has chosen, and `chosen` makes the
 * field's value of one.
 */
export function linkedChoice(text, name, options, shown = () => valueOf(name), chosen = (value) => value) {
  return follower(text, name, () => options, shown, chosen);
}

/** A choice of a class of the model that is shown; `none` says what is shown where none is chosen. */
export function classChoice(text, none) {
  const options = () => [["", none], ...chosenShown().classes.map((name) => [name, name])];
  return follower(text, "label", options, () => (classShown() === null ? "" : valueOf("label")));
}

/** A choice of a field whose options depend on the model and the data set that are shown; gone where there are none. */
export function follower(text, name, options, shown, chosen = (value) => value) {
  const select = make("select", { onchange: () => put({ [name]: chosen(select.value) }) });
  const label = make("label", { class: "choice" }, text, select);
  let before = "";
  const follow = () => {
    const now = options();
    if (JSON.stringify(now) !== before) select.replaceChildren(...now.map(([value, words]) => make("option", { value }, cut(words, 60))));
    before = JSON.stringify(now);
    select.value = shown();
    label.hidden = !now.length;
  };
  onChange(["model", "dataset", name], follow);
  follow();
  return label;
}

/** The choices of data set and model that panels of retrained models have; none where there is one. */
export function chosenChoices() {
  const datasets = [...new Set(report.chosen.map(({ dataset }) => dataset))];
  const models = [...new Set(report.chosen.map(({ model }) => model))];
  return [
    ...(datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((one) => [one, one]), () => chosenShown().dataset)] : []),
    ...(models.length > 1 ? [linkedChoice("Model", "model", models.map((one) => [one, labelOf(one)]), () => chosenShown().model)] : []),
  ];
}
