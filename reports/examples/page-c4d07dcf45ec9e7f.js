"use strict";
const modules = {};
modules["dom.js"] = (() => {
/* Elements and numbers as text. Whatever a file holds becomes a text node, never markup. */

/** Make an element. `attributes` may hold listeners as functions: {onclick: f}; null and false leave one out. */
function make(tag, attributes = {}, ...children) {
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

const DASH = "–";

/** A number with so many decimals, or a dash. */
function fixed(value, digits = 4) {
  return value === null || value === undefined ? DASH : value.toFixed(digits).replace("-", "−");
}

/** A number as people write it: 19,578, 0.001, 2.5e-7. */
function figures(value, digits = 3) {
  if (value === null || value === undefined) return DASH;
  if (Number.isInteger(value)) return Math.abs(value) < 10000 ? String(value) : value.toLocaleString("en-US");
  const size = Math.abs(value);
  if (size >= 1e4) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits))).replace("-", "−");
}

/** A count in short: 850, 19.6k, 1.2M. */
function compact(value) {
  if (value < 1e3) return String(Number(value.toPrecision(3)));
  return value < 1e6 ? `${Number((value / 1e3).toPrecision(3))}k` : `${Number((value / 1e6).toPrecision(3))}M`;
}

/** Seconds as people say them. */
function clock(seconds) {
  if (seconds === null || seconds === undefined) return DASH;
  if (seconds < 1) return `${Math.round(1000 * seconds)} ms`;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** A parameter's value as short text. */
function setting(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
}

/** Text of at most so many letters. */
function cut(text, most = 24) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/** Text of at most so many letters, without its middle: names that differ at either end stay apart. */
function cutMiddle(text, most = 24) {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}

/** A labelled choice. `options` are [value, text]; `onchange` is called with the chosen value. */
function choice(text, options, onchange) {
  const select = make("select", { onchange: () => onchange(select.value) });
  for (const [value, name] of options) select.append(make("option", { value }, cut(name, 60)));
  return make("label", { class: "choice" }, text, select);
}

/** The content of a tooltip: a heading, then lines of name and value. */
function tip(heading, lines) {
  const list = make("dl", { class: "tip-lines" });
  for (const [name, value] of lines) list.append(make("dt", {}, cut(name, 40)), make("dd", {}, cut(String(value), 60)));
  return make("div", { class: "tip" }, make("strong", {}, cut(heading, 80)), list);
}
return { make, DASH, fixed, figures, compact, clock, setting, cut, cutMiddle, choice, tip };
})();
modules["data.js"] = (() => {
/* What the page is made of: the blocks of JSON in it. */

const read = (name) => JSON.parse(document.getElementById(name).textContent);

const report = read("report");
/** What a clock measured; an empty object where nothing ran. */
const timing = read("timing");

let heldImages = null;
/** The misclassified images; read when they are first asked for. */
function images() {
  heldImages ??= read("images");
  return heldImages;
}

/** How high on an axis, which ends where the objective does. */
const noHigher = (y) => Math.min(report.objective.high ?? Infinity, y);
const noLower = (y) => Math.max(report.objective.low ?? -Infinity, y);

const labels = new Map(report.models.map(({ name, label }) => [name, label]));
const labelOf = (model) => labels.get(model) ?? model;
/** The number of a model's colour. */
const numberOf = (model) => Math.max(0, report.models.findIndex(({ name }) => name === model));

const stuck = new Set(report.trials.stuck);
const places = new Map();
/** The search trials, best first. `values` holds the parameters that vary; `rank` counts within a model's search. */
const trials = report.trials.rows.map((row, index) => {
  const values = Object.fromEntries(report.trials.columns.map((column, place) => [column, row[place]]));
  const { trial, model, dataset, status } = values;
  const key = JSON.stringify([model, dataset]);
  const completed = status === "completed";
  if (completed) places.set(key, (places.get(key) ?? 0) + 1);
  return {
    index, trial, model, dataset, status, completed, values,
    rank: completed ? places.get(key) : null,
    score: values[report.objective.column], loss: values.val_loss, unpenalised: values.val_unpenalised_loss ?? null, standardError: values.standard_error ?? null, size: values.parameters, error: values.error,
    stuck: stuck.has(index), pruned: values.stopped === "pruned",
    seconds: timing.seconds?.[trial] ?? null, perEpoch: timing.per_epoch?.[trial] ?? null, order: report.trials.order[index],
  };
});

const byId = new Map(trials.map((trial) => [trial.trial, trial]));
/** The search trial of an identifier, or undefined. */
const trialOf = (id) => byId.get(id);

const completed = trials.filter((trial) => trial.completed && trial.score !== null);
const searchedModels = [...new Set(trials.map((trial) => trial.model))];
const searchedDatasets = [...new Set(trials.map((trial) => trial.dataset))];
/** The parameters that vary between trials. */
const parameters = report.trials.parameters;

const { columns: thinned, parts, most, trials: thin } = report.histories;

/** The number of the epoch that a point of a thinned curve is of. */
const epochOf = (k, epochs) => (epochs <= most ? k : Math.floor((2 * k * (epochs - 1) + most - 1) / (2 * (most - 1)))) + 1;

/** What was recorded of a trial after its epochs: [[epoch, value], …] by name, empty what was not; null of no trial at all. */
function curveOf({ trial }) {
  const whole = report.curves[trial];
  const points = (values, epochs) => values.map((value, k) => [epochOf(k, epochs), value]).filter(([, value]) => value !== null);
  if (whole) {
    return Object.fromEntries(Object.entries(whole).map(([name, values]) => [name, values.map((value, k) => [k + 1, value])]));
  }
  if (!thin[trial]) return null;
  const [epochs, ...lists] = thin[trial];
  return Object.fromEntries(thinned.map((name, place) => {
    let sum = 0;
    return [name, points(lists[place].map((step) => (step === null ? null : (sum += step) / parts)), epochs)];
  }));
}

/** A trial's parameters in words, those that it has. */
function settings(trial) {
  return parameters
    .filter((name) => trial.values[name] !== null)
    .map((name) => [name, trial.values[name]]);
}
return { report, timing, images, noHigher, noLower, labelOf, numberOf, trials, trialOf, completed, searchedModels, searchedDatasets, parameters, curveOf, settings };
})();
modules["store.js"] = (() => {
/* What is selected on the page: one state, which every panel reads and hears of when it changes.

   It is made of fields, each declared once. What is not as it was at first stands in the address behind the part that is
   read, `#trials?words=cnn&pinned=3f2a`, so that a link shows the same. Escape takes the last change back. */

/** Changes that can be taken back. */
const MOST_STEPS = 200;
/** Changes of one kind that follow each other within so many ms are one, as while an axis is brushed. */
const TOGETHER = 1000;
/** The address is written when nothing has changed for so many ms: browsers complain of more than a few a second. */
const RESTS = 250;

const fields = new Map();
const listeners = [];
const past = [];
let state = {};
let last = { kind: "", at: -Infinity };
let timer = 0;
let [part, given] = addressed();

/** The address behind its `#`: the part that is read, and what is said of fields. */
function addressed() {
  const hash = location.hash.slice(1);
  const place = hash.indexOf("?");
  return place < 0 ? [hash, null] : [hash.slice(0, place), new URLSearchParams(hash.slice(place + 1))];
}

/**
 * Declare a field; it begins as the address says.
 *
 * `read` makes a value of a text in the address, which anybody may have written, and `write` makes that text. A value is
 * never changed, but put in another's place.
 */
function field(name, { initial, read = (text) => text, write = String }) {
  fields.set(name, { initial, read, write });
  state = { ...state, [name]: valueIn(given, name) };
}

function valueIn(query, name) {
  const { initial, read } = fields.get(name);
  const text = query?.get(name) ?? null;
  return text === null ? initial : read(text) ?? initial;
}

/** The value of a field at the moment. */
const valueOf = (name) => state[name];

/** Call `listener` with the names of changed fields and the source of the change, after each change of one of `names`. */
const onChange = (names, listener) => listeners.push({ names, listener });
/** Call `listener` so after each change of any field. */
const onEveryChange = (listener) => listeners.push({ names: null, listener });

/**
 * Change fields; `source` tells listeners who did it.
 *
 * Changes of one source that follow each other within `together` ms, with no other between, are one step.
 */
function put(changes, source = "", together = TOGETHER) {
  const next = { ...state, ...changes };
  const names = changed(next);
  if (!names.length) return;
  const kind = source && `${source} ${names}`;
  const now = performance.now();
  if (!kind || kind !== last.kind || now - last.at > together) past.push(state);
  if (past.length > MOST_STEPS) past.shift();
  last = { kind, at: now };
  become(next, names, source);
}

/** Take the last change back; returns whether there was one. */
function undo() {
  const before = past.pop();
  if (!before) return false;
  last = { kind: "", at: -Infinity };
  become(before, changed(before), "undo");
  return true;
}

const canUndo = () => past.length > 0;

/** Bring these fields back to what they were at first. */
const reset = (names, source = "clear") => put(Object.fromEntries(names.map((name) => [name, fields.get(name).initial])), source);

const changed = (next) => [...fields].filter(([name, { write }]) => write(next[name]) !== write(state[name])).map(([name]) => name);

function become(next, names, source) {
  state = next;
  clearTimeout(timer);
  timer = setTimeout(writeAddress, RESTS);
  for (const { names: wanted, listener } of listeners) if (wanted === null || names.some((name) => wanted.includes(name))) listener(names, source);
}

/** The page's address with what is selected. */
function address() {
  const query = new URLSearchParams();
  for (const [name, { initial, write }] of fields) {
    if (write(state[name]) !== write(initial)) query.set(name, write(state[name]));
  }
  const said = String(query);
  const behind = said ? `#${part}?${said}` : part ? `#${part}` : "";
  return location.href.split("#")[0] + behind;
}

function writeAddress() {
  try {
    history.replaceState(null, "", address());
  } catch {
    // Where a page may not write its address, as within another page, it does without.
  }
}

/** Follow the address: a link to a part keeps what is selected, one that says what is selected is followed. */
function followAddress() {
  if (part) document.getElementById(part)?.scrollIntoView();
  window.addEventListener("hashchange", () => {
    [part, given] = addressed();
    if (given === null) return writeAddress();
    put(Object.fromEntries([...fields.keys()].map((name) => [name, valueIn(given, name)])), "address");
    return document.getElementById(part)?.scrollIntoView();
  });
}
return { field, valueOf, onChange, onEveryChange, put, undo, canUndo, reset, address, followAddress };
})();
modules["selection.js"] = (() => {
/* What panels share beside filters: the trial that is pointed at, pinned trials, and the model and data set looked at. */

const { make, cut } = modules["dom.js"];
const { labelOf, report, trialOf } = modules["data.js"];
const { field, onChange, put, valueOf } = modules["store.js"];

/** Trials that can be pinned at once. */
const MOST_PINNED = 4;
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

const COMPARE = "compare";
/** What the drawer shows: a trial by its identifier, the comparison of the pinned ones, or "" while it is closed. */
field("open", { initial: "", read: (text) => (text === COMPARE || trialOf(text) ? text : null) });

/** Open the drawer with a trial. */
const openTrial = (trial) => put({ open: trial.trial });
/** Open the drawer with what differs between the pinned trials. */
const openComparison = () => put({ open: COMPARE });
/** What a click on a trial does: it opens the drawer, and with Shift it pins the trial. */
const clickOn = (trial, { shiftKey }) => (shiftKey ? pin(trial) : openTrial(trial));

/** The pinned trials with their letters. */
const pinned = () => valueOf("pinned").map((id, place) => ({ trial: trialOf(id), letter: LETTERS[place] })).filter(({ trial }) => trial);

/** The letter of a pinned trial, or "". */
function letterOf(trial) {
  const place = valueOf("pinned").indexOf(trial.trial);
  return place < 0 ? "" : LETTERS[place];
}

/** Pin a trial, or unpin it; where all places are taken the last one is. */
function pin(trial) {
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
const onPoint = (listener) => listeners.push(listener);
function pointAt(trial) {
  if (trial === pointedAt) return;
  pointedAt = trial;
  listeners.forEach((listener) => listener(trial));
}

/** The data set to show of those that a panel has: the chosen one, else the same in every panel, the first of the report,
 * which names those that were searched before those that models are only compared on. */
function datasetShown(among = report.datasets) {
  if (among.includes(valueOf("dataset"))) return valueOf("dataset");
  return report.datasets.find((one) => among.includes(one)) ?? among[0];
}

/** The model to show of those that a panel has, or null where none of them is chosen. */
const modelShown = (among) => (among.includes(valueOf("model")) ? valueOf("model") : null);

/** The retrained models on the data set that is shown, the best mean test accuracy first. */
function chosenThere() {
  const dataset = datasetShown([...new Set(report.chosen.map((one) => one.dataset))]);
  return report.chosen.filter((one) => one.dataset === dataset).sort((a, b) => b.retrained_mean - a.retrained_mean);
}

/** The retrained model to show: the chosen one, else the best of the data set. */
function chosenShown() {
  const there = chosenThere();
  return there.find(({ model }) => model === valueOf("model")) ?? there[0];
}

/** The number of the class that is looked at among those of a retrained model, or null. */
function classShown(chosen = chosenShown()) {
  const place = chosen.classes.indexOf(valueOf("label"));
  return place < 0 || !valueOf("label") ? null : place;
}

/**
 * A choice of a field, which follows it wherever else it is made.
 *
 * `options` are [value, text]; `shown` says which one is shown, as where nobody has chosen, and `chosen` makes the
 * field's value of one.
 */
function linkedChoice(text, name, options, shown = () => valueOf(name), chosen = (value) => value) {
  return follower(text, name, () => options, shown, chosen);
}

/** A choice of a class of the model that is shown; `none` says what is shown where none is chosen. */
function classChoice(text, none) {
  const options = () => [["", none], ...chosenShown().classes.map((name) => [name, name])];
  return follower(text, "label", options, () => (classShown() === null ? "" : valueOf("label")));
}

/** A choice of a field whose options depend on the model and the data set that are shown; gone where there are none. */
function follower(text, name, options, shown, chosen = (value) => value) {
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
function chosenChoices() {
  const datasets = [...new Set(report.chosen.map(({ dataset }) => dataset))];
  const models = [...new Set(report.chosen.map(({ model }) => model))];
  return [
    ...(datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((one) => [one, one]), () => chosenShown().dataset)] : []),
    ...(models.length > 1 ? [linkedChoice("Model", "model", models.map((one) => [one, labelOf(one)]), () => chosenShown().model)] : []),
  ];
}
return { MOST_PINNED, COMPARE, openTrial, openComparison, clickOn, pinned, letterOf, pin, onPoint, pointAt, datasetShown, modelShown, chosenThere, chosenShown, classShown, linkedChoice, classChoice, follower, chosenChoices };
})();
modules["touch.js"] = (() => {
/* Fingers on charts: one that moves up or down scrolls the page, one that moves along does what a mouse does. A wheel
   scrolls the page as well, unless Ctrl is held. */

/** From so many pixels on a finger moves. */
const MOVES = 8;

/**
 * Keep a chart from taking every touch for itself, which leaves a page that cannot be scrolled.
 *
 * Its library stops the browser at the first touch. Here it sees no finger: two are a pinch, which it does see; one that
 * moves along becomes a mouse that drags, and a tap becomes a click by the browser's own doing.
 */
function letScroll(box) {
  let from = null; // where a finger came down
  let drags = false;
  const as = (type, { clientX, clientY }) =>
    (box.querySelector("canvas, svg") ?? box).dispatchEvent(
      new MouseEvent(type, { clientX, clientY, bubbles: true, cancelable: true, view: window, buttons: type === "mouseup" ? 0 : 1 }));
  const listen = (type, listener) => box.addEventListener(type, (event) => {
    if (event.touches.length > 1) {
      from = null;
      return;
    }
    event.stopPropagation();
    listener(event);
  }, { capture: true, passive: false });
  listen("touchstart", ({ touches }) => {
    from = touches[0];
    drags = false;
  });
  listen("touchmove", (event) => {
    if (!from) return;
    const finger = event.touches[0];
    if (!drags) {
      const [x, y] = [Math.abs(finger.clientX - from.clientX), Math.abs(finger.clientY - from.clientY)];
      if (Math.max(x, y) < MOVES) return;
      if (y >= x) {
        from = null; // scrolls
        return;
      }
      drags = true;
      as("mousemove", from);
      as("mousedown", from);
    }
    if (event.cancelable) event.preventDefault();
    as("mousemove", finger);
  });
  listen("touchend", (event) => {
    if (drags) as("mouseup", event.changedTouches[0]);
    drags = false;
    from = null;
  });
  // The library takes every turn of a wheel over a chart that can be zoomed, and zooms by none without Ctrl
  for (const type of ["wheel", "mousewheel", "DOMMouseScroll"]) {
    box.addEventListener(type, (event) => event.ctrlKey || event.stopPropagation(), { capture: true, passive: true });
  }
  listen("touchcancel", (event) => {
    if (drags) as("mouseup", event.changedTouches[0]);
    drags = false;
    from = null;
  });
}
return { letScroll };
})();
modules["arrows.js"] = (() => {
/* One stop of the Tab key for the charts of a figure, each matrix and each list; arrows go from mark to mark within. */

const { make } = modules["dom.js"];

/** Steps of the arrow keys: along the marks of a series, or the items of a row, and from one series or row to another. */
const ALONG = { ArrowRight: 1, ArrowLeft: -1 };
const ACROSS = { ArrowDown: 1, ArrowUp: -1 };
/** Steps from one chart of a figure to another. */
const PAGES = { PageDown: 1, PageUp: -1 };

/**
 * Let the arrows go from mark to mark of a chart, whose tooltip is shown and read; Escape puts it away.
 *
 * Of the charts of a figure one is a stop of the Tab key; page up and page down go to the others.
 */
function walkMarks(box, instance) {
  let series = 0;
  let mark = -1;
  const said = make("span", { class: "unseen", role: "status" });
  box.after(said);
  const together = () => [...(box.closest(".charts") ?? box.parentNode).querySelectorAll(".chart")].filter(({ clientWidth }) => clientWidth);
  const stop = (here) => together().forEach((other) => (other.tabIndex = other === here ? 0 : -1));
  if (!together().some((other) => other !== box && other.tabIndex === 0)) stop(box);
  box.addEventListener("focus", () => {
    stop(box);
    if (together().length > 1) box.setAttribute("aria-description", "Page up and page down go to the other charts of this figure.");
  });
  const marksOf = (k) => instance.getOption().series[k]?.data?.length ?? 0;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && mark >= 0) {
      instance.dispatchAction({ type: "hideTip" });
      mark = -1;
      event.stopPropagation();
      return;
    }
    const next = event.key in PAGES ? together()[together().indexOf(box) + PAGES[event.key]] : null;
    if (next) {
      stop(next);
      next.focus();
      event.preventDefault();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in ALONG || event.key in ACROSS)) return;
    event.preventDefault();
    const walked = instance.getOption().series.flatMap(({ silent, tooltip }, k) => (silent || tooltip?.show === false || !marksOf(k) ? [] : [k]));
    if (!walked.length) return;
    if (!walked.includes(series)) [series, mark] = [walked[0], -1];
    if (event.key in ACROSS && walked.length > 1) {
      series = walked[(walked.indexOf(series) + ACROSS[event.key] + walked.length) % walked.length];
      mark = Math.min(Math.max(mark, 0), marksOf(series) - 1);
    } else {
      const step = ALONG[event.key] ?? ACROSS[event.key];
      mark = mark < 0 ? 0 : (mark + step + marksOf(series)) % marksOf(series);
    }
    instance.dispatchAction({ type: "showTip", seriesIndex: series, dataIndex: mark });
    said.textContent = [...box.querySelectorAll(".tip strong, .tip dt, .tip dd")].map(({ textContent }) => textContent).join(" ");
  });
  box.addEventListener("blur", () => instance.dispatchAction({ type: "hideTip" }));
}

/**
 * Make the elements of a box that a selector finds one stop of the Tab key.
 *
 * Arrows go along them and, where `rows` finds what they stand in, from row to row at the same place.
 */
function oneStop(box, selector, rows = null) {
  const all = () => [...box.querySelectorAll(selector)];
  const stop = (element) => {
    for (const other of all()) other.tabIndex = other === element ? 0 : -1;
  };
  if (all().length) stop(all()[0]);
  box.addEventListener("focusin", ({ target }) => target.matches(selector) && stop(target));
  box.addEventListener("keydown", (event) => {
    const here = event.target.closest(selector);
    if (!here) return;
    const every = all();
    let next;
    if (event.key in ALONG) next = every[every.indexOf(here) + ALONG[event.key]];
    else if (event.key in ACROSS) next = rows ? nearest(here, ACROSS[event.key]) : every[every.indexOf(here) + ACROSS[event.key]];
    else if (event.key === "Home") [next] = every;
    else if (event.key === "End") next = every.at(-1);
    else return;
    event.preventDefault();
    next?.focus();
  });
  /** The next one up or down in the same column, or nearest to it in a row that has any. */
  function nearest(here, step) {
    const place = (element) => element.closest("td, th").cellIndex;
    for (let row = here.closest(rows); row; row = step > 0 ? row.nextElementSibling : row.previousElementSibling) {
      if (row === here.closest(rows)) continue;
      const found = [...row.querySelectorAll(selector)];
      if (found.length) return found.reduce((a, b) => (Math.abs(place(b) - place(here)) < Math.abs(place(a) - place(here)) ? b : a));
    }
    return null;
  }
}

/** Let boxes that scroll be a stop only where there is something to scroll, and no stop within. */
function stopWhereScrolled() {
  const follow = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls && !box.querySelector("a[href], button:not([tabindex='-1']), [tabindex='0']")) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => follow(target.closest(".scroll") ?? target)));
  const watch = (box) => {
    observer.observe(box);
    for (const child of box.children) observer.observe(child);
  };
  document.querySelectorAll(".scroll").forEach(watch);
  new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes) {
      const boxes = [...addedNodes].flatMap((node) => (node.nodeType === 1 ? [...(node.matches(".scroll") ? [node] : []), ...node.querySelectorAll(".scroll")] : []));
      if (target.matches?.(".scroll")) boxes.push(target);
      boxes.forEach(watch);
    }
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
}
return { walkMarks, oneStop, stopWhereScrolled };
})();
modules["charts.js"] = (() => {
/* Every chart of the page: drawn when it comes near, again when light, width or content change, and all for print. */

const { walkMarks } = modules["arrows.js"];
const { trialOf } = modules["data.js"];
const { clickOn, onPoint, pointAt } = modules["selection.js"];
const { onEveryChange } = modules["store.js"];
const { letScroll } = modules["touch.js"];

const root = document.documentElement;
let charts = [];
/** What is not near is drawn from so many ms on after what is. */
const RESTS = 400;

/** Whether there is a library that draws: it is a file of its own, which somebody may have left behind. */
const canDraw = typeof echarts !== "undefined";

/** The colours of the moment, from the style sheet. */
function palette() {
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

const colourOf = (colours, number) => colours.series[number % colours.series.length];
const symbolOf = (number) => ["circle", "diamond", "rect", "triangle", "pin", "roundRect", "arrow"][number % 7];
/** The lines of pinned trials by their letters. */
const DASHES = { A: "solid", B: "dashed", C: "dotted", D: [8, 3, 2, 3] };
const isNarrow = () => window.innerWidth < 640;

/** What all axes look like; `more` overrides. */
function axis(colours, more = {}) {
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
function tooltip(colours, formatter, more = {}) {
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
function whiskers(colours, data, { across = true, colour = colours.ink, width = 1.5 } = {}) {
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
function chart(box, { option, describe, renderer = "svg", ready, drawn, follows = [], ofTrials = false }) {
  const held = { box, option, describe, renderer, ready, drawn, follows, ofTrials, instance: null, width: 0, near: false, stale: false };
  if (canDraw) {
    charts.push(held);
    near.observe(box);
    letScroll(box);
  } else box.hidden = true;
  return { redraw: () => held.instance && draw(held), instance: () => held.instance };
}

/** The charts within an element, each with its box and what it shows. */
const chartsIn = (element) => charts
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
function optionOf({ option, describe }) {
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
const later = (work) => (window.requestIdleCallback ? requestIdleCallback(work) : setTimeout(work, 50));

function redrawAll() {
  for (const held of charts) if (held.instance) draw(held);
}

/** Follow the theme, the window and the printer; `button` goes from light to dark and back. */
function startCharts(button) {
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

return { RESTS, canDraw, palette, colourOf, symbolOf, DASHES, isNarrow, axis, tooltip, whiskers, chart, chartsIn, optionOf, later, startCharts };
})();
modules["saving.js"] = (() => {
/* Charts as pictures: what a figure shows, under its heading, as an SVG or a PNG file. */

const { make } = modules["dom.js"];
const { report } = modules["data.js"];
const { canDraw, chartsIn, optionOf, palette } = modules["charts.js"];

/** Pixels of a PNG for each of the page. */
const SHARP = 2;
const MARGIN = 16;
const HEADING = "650 16px";
/** From one line of the legend to the next. */
const LINE = 20;

/**
 * Buttons that save what is shown as pictures; none where nothing can draw.
 *
 * `what` names it; `shown` returns at each click the `frame` whose charts and legends are saved as they stand there, the
 * `name` of the file and the `heading`; and, of what is no chart on the page, the `option`, `width` and `height` of one.
 */
function pictureButtons(what, shown) {
  const button = (kind) => make("button", {
    type: "button", class: "quiet-button", "aria-label": `${what} as a ${kind.toUpperCase()} file`, onclick: () => savePicture(shown(), kind),
  }, kind.toUpperCase());
  return canDraw ? [button("png"), button("svg")] : [];
}

function savePicture({ frame, name, heading, option, width: wide, height: high }, kind) {
  const places = option ? [{ option: () => optionOf({ option }), at: { left: 0, top: 0, width: wide, height: high } }]
    : chartsIn(frame).map((one) => ({ ...one, at: one.box.getBoundingClientRect() }));
  if (!places.length) return;
  const colours = palette();
  const top = Math.min(...places.map(({ at }) => at.top));
  const left = Math.min(...places.map(({ at }) => at.left));
  const width = Math.max(...places.map(({ at }) => at.left - left + MARGIN + at.width), MARGIN + widthOf(heading, HEADING)) + MARGIN;
  const keys = inLines(keysOf(frame), width - MARGIN);
  const above = MARGIN + 30 + (keys.length ? 6 + LINE * (keys.at(-1).line + 1) : 0);
  const sized = places.map(({ option, at }) => ({ option, x: at.left - left + MARGIN, y: at.top - top + above, width: at.width, height: at.height }));
  const height = Math.max(...sized.map(({ y, height: h }) => y + h)) + MARGIN;
  const head = { heading, keys, width, height, colours };
  const file = `${report.search}-${name}.${kind}`;
  if (kind === "svg") save(new Blob([asSvg(sized, head)], { type: "image/svg+xml" }), file);
  else asCanvas(sized, head).toBlob((blob) => save(blob, file), "image/png");
}

/** The keys of a figure's legends: the words of each, its mark as a `path` or else a line with its dashes, and its ink. */
function keysOf(frame) {
  return [...frame.querySelectorAll(".legend .key, .keys li")].map((key) => {
    const words = [...key.childNodes].map(({ textContent }) => textContent).filter(Boolean).join("  ");
    const mark = key.querySelector("path, line");
    const { fill, stroke } = getComputedStyle(mark);
    if (mark.tagName === "path") return { words, path: mark.getAttribute("d"), ink: fill, wide: 12 };
    return { words, path: null, dashes: mark.getAttribute("stroke-dasharray").split(" ").map(Number).filter(Boolean), ink: stroke, wide: 28 };
  });
}

/** Where each key stands, in as many lines as they need to end before `end`. */
function inLines(keys, end) {
  let [x, line] = [MARGIN, 0];
  return keys.map((key) => {
    const room = key.wide + 6 + widthOf(key.words, "12px");
    if (x > MARGIN && x + room > end) [x, line] = [MARGIN, line + 1];
    const at = x;
    x += room + 18;
    return { ...key, at, line, top: 44 + LINE * line };
  });
}

/** How much room a text takes in a font of this size. */
function widthOf(text, size) {
  const pen = make("canvas").getContext("2d");
  pen.font = `${size} ${fontOf()}`;
  return pen.measureText(text).width;
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const fontOf = () => getComputedStyle(document.body).fontFamily;

function asSvg(sized, { heading, keys, width, height, colours }) {
  const drawn = sized.map(({ option, x, y, width: w, height: h }) => {
    const place = make("div");
    const instance = echarts.init(place, null, { renderer: "svg", width: w, height: h });
    instance.setOption(option());
    instance.getZr().flush();
    const drawing = place.querySelector("svg");
    drawing.setAttribute("x", x);
    drawing.setAttribute("y", y);
    const text = new XMLSerializer().serializeToString(drawing); // whatever names hold, it is well-formed
    instance.dispose();
    return text;
  });
  const markOf = ({ path, dashes, ink, wide, at, top }) => (path
    ? `<path transform="translate(${at} ${top})" d="${path}" fill="${ink}"/>`
    : `<line x1="${at}" y1="${top + 6}" x2="${at + wide}" y2="${top + 6}" stroke="${ink}" stroke-width="2.5" stroke-dasharray="${dashes.join(" ") || "none"}"/>`);
  const legend = keys.map((key) => `${markOf(key)}<text x="${key.at + key.wide + 6}" y="${key.top + 10}" font-size="12" xml:space="preserve">${escaped(key.words)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(fontOf())}" fill="${colours.ink}">`
    + `<rect width="100%" height="100%" fill="${colours.card}"/><text x="${MARGIN}" y="30" font-size="16" font-weight="650">${escaped(heading)}</text>`
    + `<g>${legend.join("")}</g>${drawn.join("")}</svg>`;
}

function asCanvas(sized, { heading, keys, width, height, colours }) {
  const canvas = make("canvas", { width: Math.round(width * SHARP), height: Math.round(height * SHARP) });
  const pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = colours.card;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = colours.ink;
  pen.font = `${HEADING} ${fontOf()}`;
  pen.fillText(heading, MARGIN, 30);
  pen.font = `12px ${fontOf()}`;
  for (const key of keys) {
    drawMark(pen, key);
    pen.fillStyle = colours.ink;
    pen.fillText(key.words, key.at + key.wide + 6, key.top + 10);
  }
  for (const { option, x, y, width: w, height: h } of sized) {
    const place = make("div");
    const instance = echarts.init(place, null, { renderer: "canvas", width: w, height: h, devicePixelRatio: SHARP });
    instance.setOption(option());
    instance.getZr().flush();
    pen.drawImage(instance.renderToCanvas({ pixelRatio: SHARP }), x, y, w, h);
    instance.dispose();
  }
  return canvas;
}

function drawMark(pen, { path, dashes, ink, wide, at, top }) {
  pen.save();
  pen.translate(at, top);
  Object.assign(pen, { fillStyle: ink, strokeStyle: ink, lineWidth: 2.5 });
  if (path) pen.fill(new Path2D(path));
  else {
    pen.setLineDash(dashes);
    pen.stroke(new Path2D(`M0 6H${wide}`));
  }
  pen.restore();
}
return { pictureButtons };
})();
modules["figure.js"] = (() => {
/* The frame of a figure: its heading, its choices, its charts, its caption, and the same as a table and as CSV. */

const { make, setting } = modules["dom.js"];
const { report } = modules["data.js"];
const { oneStop } = modules["arrows.js"];
const { canDraw } = modules["charts.js"];
const { pictureButtons } = modules["saving.js"];

/** Rows of a figure's table that are shown in the page; the file has all. */
const MOST_ROWS = 200;

/**
 * Fill a place with the frame of a figure.
 *
 * `table` returns {columns, rows} of what is shown at the moment. Returns where charts go, and `changed`, to be called
 * when they show something else.
 */
function figure(place, { name, heading, caption, controls = [], table }) {
  const body = make("div", { class: "charts" });
  const words = make("figcaption", {}, caption());
  const rows = make("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": `${heading} as a table` });
  const details = make(
    "details",
    { class: "as-table", open: !canDraw, ontoggle: () => details.open && rows.replaceChildren(tableOf(table(), heading)) },
    make("summary", {}, "As a table"),
    rows,
  );
  const save = make("button", { type: "button", class: "quiet-button", onclick: () => download(name, table()) }, "CSV");
  save.setAttribute("aria-label", `${heading} as a CSV file`);
  const pictures = pictureButtons(heading, () => ({ frame, name, heading }));
  const foot = make("div", { class: "figure-foot" }, make("div", { class: "toolbar", role: "toolbar", "aria-label": "Save" }, save, ...pictures), details);
  oneStop(foot, ".toolbar > button, .as-table > summary");
  const frame = make(
    "figure",
    { "aria-label": heading },
    make("h3", {}, heading),
    controls.length ? make("div", { class: "controls" }, ...controls) : null,
    body,
    words,
    foot,
  );
  place.replaceChildren(frame);
  const changed = () => {
    words.replaceChildren(caption());
    if (details.open) rows.replaceChildren(tableOf(table(), heading));
  };
  return { body, changed, frame };
}

/** An empty box for a chart. */
function box(height, more = "") {
  return make("div", { class: `chart ${more}`, style: `height:${height}px` });
}

function tableOf({ columns, rows }, heading) {
  const shown = rows.slice(0, MOST_ROWS);
  const more = rows.length > shown.length ? `; the first ${MOST_ROWS} of ${rows.length} rows, all are in the CSV` : "";
  const cell = (value) => make("td", typeof value === "number" ? { class: "number" } : {}, setting(value));
  return make(
    "table",
    {},
    make("caption", {}, heading + more),
    make("thead", {}, make("tr", {}, ...columns.map((column) => make("th", { scope: "col" }, column)))),
    make("tbody", {}, ...shown.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}

/** Save a table as a CSV file. */
function download(name, { columns, rows }) {
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\n") + "\n";
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  make("a", { href: address, download: `${report.search}-${name}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
return { figure, box, download };
})();
modules["legend.js"] = (() => {
/* Legends: each model with the mark and the colour that it has in every chart, each line with its own dashes. */

const { cut, make } = modules["dom.js"];
const { labelOf, numberOf, report } = modules["data.js"];
const { symbolOf } = modules["charts.js"];

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
const DASHED = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2]];
/** Dashes as a chart takes them. */
const dashOf = (place) => (place % DASHED.length ? DASHED[place % DASHED.length] : "solid");

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
function lineLook(number, ofClass = false) {
  const [name, count] = ofClass ? ["classes", CLASSES] : ["series", 7];
  const place = number % count;
  return { colour: (colours) => colours[name][place], ink: `var(--${ofClass ? "c" : "s"}${place})`, dash: Math.floor(number / count) };
}

/** A model with its mark; `symbol` is another where the chart has other marks, as bars. */
function modelKey(model, symbol = symbolOf(numberOf(model))) {
  const mark = drawing(12, 12, ["path", { d: MARKS[symbol], style: `fill:${lineLook(numberOf(model)).ink}` }]);
  return make("span", { class: "key", "data-mark": symbol }, mark, labelOf(model));
}

/** The legend of a chart of several models, in the order of the report; empty where there is one. */
function modelLegend(models) {
  const shown = report.models.map(({ name }) => name).filter((name) => models.includes(name));
  return make("div", { class: "legend" }, ...(shown.length > 1 ? shown.map((name) => modelKey(name)) : []));
}

/** A line with its colour and its dashes, what it is called, and a number. */
function lineKey({ ink, dash, title, value }, listeners = {}) {
  const look = `stroke:${ink};stroke-width:2.5;fill:none`;
  const line = drawing(28, 8, ["line", { x1: 1, y1: 4, x2: 27, y2: 4, style: look, "stroke-dasharray": DASHED[dash % DASHED.length].join(" ") || "none" }]);
  return make("li", listeners, line, cut(title, 32), make("span", { class: "area" }, value));
}
return { DASHED, dashOf, lineLook, modelKey, modelLegend, lineKey };
})();
modules["zoom.js"] = (() => {
/* Buttons that zoom charts, since a wheel needs a mouse, and a way back. */

const { oneStop } = modules["arrows.js"];
const { make } = modules["dom.js"];

/** How a chart zooms with Ctrl and the wheel, or with two fingers; one finger scrolls the page. */
const ZOOM = { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, preventDefaultMouseMove: false };

/**
 * Buttons to zoom in and out, and to see all again.
 *
 * `drawings` returns charts; `towards` says of each of their zooms which end stays where it is, from 0 to 1.
 */
function zoomButtons(drawings, towards) {
  const zoom = (factor) => {
    for (const instance of drawings().map((drawing) => drawing.instance()).filter(Boolean)) {
      instance.getOption().dataZoom.forEach(({ start, end }, dataZoomIndex) => {
        const width = Math.min(100, factor * (end - start));
        const fixed = start + towards[dataZoomIndex] * (end - start);
        const from = Math.min(100 - width, Math.max(0, fixed - towards[dataZoomIndex] * width));
        instance.dispatchAction({ type: "dataZoom", dataZoomIndex, start: from, end: from + width });
      });
    }
  };
  const button = (text, label, factor) =>
    make("button", { type: "button", class: "quiet-button", "aria-label": label, title: label, onclick: () => zoom(factor) }, text);
  const buttons = make(
    "span", { class: "zoom", role: "toolbar", "aria-label": "Zoom" },
    button("+", "Zoom in", 0.5), button("−", "Zoom out", 2), button("Reset", "Reset the zoom", Infinity),
  );
  oneStop(buttons, "button");
  return buttons;
}
return { ZOOM, zoomButtons };
})();
modules["words.js"] = (() => {
/* What is typed into the search of trials: words, and comparisons such as dropout=0.5, size<100k and val_accuracy>=0.9. */

const { setting } = modules["dom.js"];
const { labelOf, parameters, report } = modules["data.js"];

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
function finder(words) {
  const tests = (words.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).map((word) => {
    const plain = word.replaceAll('"', "");
    const [, name, by, wanted] = plain.match(/^([^=<>≤≥]+)(<=|>=|[=<>≤≥])(.*)$/) ?? [];
    return name === undefined ? occurs(plain) : wanted === "" ? () => true : compares(name, by, wanted); // still being typed
  });
  return (trial) => tests.every((test) => test(trial));
}
return { finder };
})();
modules["filters.js"] = (() => {
/* Which trials are shown: what is brushed, ticked and typed, which every panel of trials follows. */

const { setting } = modules["dom.js"];
const { completed, labelOf, parameters, report, searchedDatasets, searchedModels, trials } = modules["data.js"];
const { letterOf } = modules["selection.js"];
const { field, onChange, put, reset, valueOf } = modules["store.js"];
const { finder } = modules["words.js"];

/** Numbers of more different values than this have a continuous axis, and a range to filter by. */
const FEW = 8;
/** So far below an axis, as a share of it, stand the trials that have no value there. */
const NONE_BELOW = 0.16;
/** From this ratio of the largest to the smallest value on, an axis is logarithmic. */
const WIDE = 30;

const floors = report.slices.map(({ low }) => low).filter((low) => low !== null);
/** The score below which trials hardly learned, where a few did not; else null. */
const scoreFloor = floors.length && floors.length === report.slices.length ? Math.min(...floors) : null;

/**
 * The axes that trials are looked at along. `at(trial)` is a trial's place on one: the number of its value among
 * `values`, a little beside it, or where these are null the value itself, its logarithm where `log`. Trials that have no
 * value, as of a parameter that their model has not, stand at `none`, below the axis; it is null where all have one.
 */
const axes = [
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
const lowestOn = (axis) => (axis.none === null ? axis.low : Math.min(axis.low, axis.values ? axis.none - 0.4 : axis.none));
/** The interval around the trials that have no value on an axis. */
const noneOn = (axis) => {
  const half = axis.values ? 0.3 : 0.3 * (axis.low - axis.none);
  return [axis.none - half, axis.none + half];
};

/** A place on an axis as the value there. */
const valueAt = (axis, place) => (axis.log ? 10 ** place : place);

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
const onFilter = (listener) => onChange(FILTERS, (_, source) => listener(source));

/** The intervals of places that an axis lets pass; none where all do. */
const intervalsOf = (axis) => valueOf("kept")[axis.name] ?? [];

/** Intervals of places on an axis as those of the same trials on another scale of it. */
function onScale(from, to, intervals) {
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
function keep(axis, intervals, source) {
  const { [axis.name]: _, ...others } = valueOf("kept");
  const ordered = intervals.map(([a, b]) => [Math.min(a, b), Math.max(a, b)]);
  put({ kept: ordered.length ? { ...others, [axis.name]: ordered } : others }, source);
}

/** Let only this interval of places pass on each of several axes. */
const keepAll = (pairs) => put({ kept: { ...valueOf("kept"), ...Object.fromEntries(pairs.map(([axis, interval]) => [axis.name, [interval]])) } });

/** Let only trials pass in which every one of these words occurs; letters that are typed one after another are one change. */
const keepWords = (text, source = "words") => put({ words: text }, source, Infinity);

const wordsKept = () => valueOf("words");

const clearFilters = () => reset([...FILTERS, "hide"]);

const isFiltered = () => Object.keys(valueOf("kept")).length > 0 || wordsKept().trim() !== "";

/** What an axis lets pass, in words. */
function told(axis) {
  const intervals = intervalsOf(axis);
  const within = (place) => intervals.some(([low, high]) => low <= place && place <= high);
  const none = axis.none !== null && within(axis.none) ? ["none"] : [];
  if (axis.values) return [...none, ...axis.values.filter((_, place) => within(place)).map(setting)].join(", ") || "nothing";
  const ends = intervals.filter(([, high]) => high >= axis.low).map((interval) => interval.map((place) => setting(Number(valueAt(axis, place).toPrecision(4)))).join(" to "));
  return [...none, ...ends].join(", ");
}

let found = { words: "", finds: finder("") };
/** Whether a trial has all the words that are looked for. */
function hasWords(trial) {
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
const passing = () => [...whoPasses()];
/** Whether a trial passes every filter. */
const passes = (trial) => whoPasses().has(trial);

const hidesOthers = () => valueOf("hide");
const hideOthers = (hide) => put({ hide });

/** How much of its colour a trial keeps that does not pass. */
const PALE = 0.1;
/** How strongly to draw a trial, from 0, not at all, to 1; pinned ones always are. */
function strengthOf(trial) {
  if (passes(trial) || letterOf(trial)) return 1;
  return hidesOthers() ? 0 : PALE;
}

/** The fields that a chart of trials follows. */
const OF_TRIALS = [...FILTERS, "hide", "pinned"];
return { scoreFloor, axes, lowestOn, noneOn, valueAt, onFilter, intervalsOf, onScale, keep, keepAll, keepWords, wordsKept, clearFilters, isFiltered, told, hasWords, passing, passes, hidesOthers, hideOthers, strengthOf, OF_TRIALS };
})();
modules["marks.js"] = (() => {
/* How the mark of a trial looks in any chart: pale where a filter drops it, ringed and lettered where it is pinned. */

const { passes, strengthOf } = modules["filters.js"];
const { letterOf } = modules["selection.js"];

/** The look of a mark that is pointed at, here or elsewhere. */
const pointedAt = (colours) => ({ scale: 1.7, itemStyle: { opacity: 1, borderColor: colours.ink, borderWidth: 1.5 } });

/** The look of a trial's mark, of the style and size that it has by itself. */
function markOf(colours, trial, style, size) {
  const letter = letterOf(trial);
  if (!letter) return { symbolSize: size, itemStyle: { ...style, opacity: style.opacity * strengthOf(trial) } };
  return {
    symbolSize: size + 6,
    itemStyle: { ...style, opacity: 1, borderColor: colours.ink, borderWidth: 2 },
    label: {
      show: true, formatter: letter, position: "top", distance: 3, color: colours.ink, fontWeight: 700, fontSize: 13,
      textBorderColor: colours.card, textBorderWidth: 3,
    },
  };
}

/** Trials in the order in which to draw them: those that a filter drops first, pinned ones last; none that are hidden. */
function inDrawingOrder(trials) {
  const height = (trial) => (letterOf(trial) ? 2 : passes(trial) ? 1 : 0);
  return trials.filter(strengthOf).sort((a, b) => height(a) - height(b));
}
return { pointedAt, markOf, inDrawingOrder };
})();
modules["arrange.js"] = (() => {
/* In which order the axes of a chart, or the columns of a table, stand, and which of them are shown, turned over, or logarithmic. */

const { make } = modules["dom.js"];
const { field, onChange, put, reset, valueOf } = modules["store.js"];

/** What can be done to one: its letter in the address and its words. */
const WORDS = { h: "hidden", f: "turned over", l: "other scale" };

/**
 * Declare an arrangement of things that have these names, as a field of the store.
 *
 * Its value is {order, flags}: names in their order, and by name the letters of what is done to it.
 */
function arrangement(name, names) {
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
const isDone = (name, one, letter) => (valueOf(name).flags[one] ?? "").includes(letter);

/** The names that are shown, in their order. */
const shownOf = (name) => valueOf(name).order.filter((one) => !isDone(name, one, "h"));

/** The controls of an arrangement, folded away; `can` says by a name which letters it takes beside `h`. */
function arranger(name, words, can = () => "") {
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
return { arrangement, isDone, shownOf, arranger };
})();
modules["scores.js"] = (() => {
/* The chosen models on the test images: each retraining, and the interval of their mean. */

const { fixed, tip, cut } = modules["dom.js"];
const { report, numberOf } = modules["data.js"];
const { axis, chart, colourOf, isNarrow, tooltip, whiskers } = modules["charts.js"];
const { box, figure } = modules["figure.js"];

function drawScores(place) {
  const datasets = [...new Set(report.chosen.map(({ dataset }) => dataset))];
  const { body } = figure(place, {
    name: "scores",
    heading: "Test accuracy of the chosen models",
    caption: () =>
      report.chosen.some(({ retrainings }) => retrainings.length > 1)
        ? "The bar across each line is the mean of a model's retrainings, and the line its 95 % interval over retrainings and test images. The filled mark is the saved model, and hollow ones are the other retrainings of the same configuration."
        : "The bar across each line is the score of a model, and the line its 95 % interval over test images.",
    table: () => ({
      columns: ["data set", "model", "retraining", "test_accuracy", "ci_low", "ci_high", "mean", "mean_ci_low", "mean_ci_high", "p_value"],
      rows: report.chosen.flatMap((one) =>
        one.retrainings.map((score, k) => [
          one.dataset, one.label, k + 1, score, k === one.saved ? one.ci_low : null, k === one.saved ? one.ci_high : null, one.retrained_mean,
          one.mean_ci_low, one.mean_ci_high, one.p_value,
        ]),
      ),
    }),
  });
  for (const dataset of datasets) {
    const models = report.chosen.filter((one) => one.dataset === dataset).reverse();
    const here = box((datasets.length > 1 ? 96 : 70) + 46 * models.length, datasets.length > 1 ? "half" : "");
    body.append(here);
    chart(here, {
      option: (colours) => option(colours, dataset, models, datasets.length > 1),
      describe: () => models.map((m) => `${m.label} ${fixed(m.retrained_mean)}`).reverse().join(", ") + ` on ${dataset}`,
    });
  }
}

function option(colours, dataset, models, several) {
  const all = models.flatMap((m) => [...m.retrainings, m.mean_ci_low, m.mean_ci_high]);
  const room = Math.max(0.004, 0.06 * (Math.max(...all) - Math.min(...all)));
  const step = 10 ** Math.floor(Math.log10(Math.max(...all) - Math.min(...all) + room));
  const low = Math.max(0, Math.floor((Math.min(...all) - room) / step) * step);
  const high = Math.min(1, Math.ceil((Math.max(...all) + room) / step) * step);
  const look = (m) => colourOf(colours, numberOf(m.model));
  const describe = ({ data }) => {
    const m = models[data.value[1]];
    return tip(`${m.label} on ${dataset}`, [
      ["test accuracy", fixed(data.value[0])],
      ["mean of retrainings", fixed(m.retrained_mean) + (m.retrained_sd === null ? "" : ` ± ${fixed(m.retrained_sd)}`)],
      ["95 % interval of the mean", `${fixed(m.mean_ci_low)} to ${fixed(m.mean_ci_high)}`],
      ...(m.p_value === null ? [] : [["p against the first model", m.p_value < 0.001 ? "< 0.001" : m.p_value.toFixed(3)]]),
      ["95 % interval, saved model", `${fixed(m.ci_low)} to ${fixed(m.ci_high)}`],
    ]);
  };
  return {
    title: { show: several, text: cut(dataset, 40), left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    grid: { left: isNarrow() ? 88 : 130, right: 18, top: several ? 30 : 4, bottom: 46 },
    tooltip: tooltip(colours, describe, { trigger: "item" }),
    xAxis: axis(colours, { type: "value", min: low, max: high, name: "test accuracy", splitNumber: isNarrow() ? 3 : 6,
      axisLabel: { formatter: (x) => String(Number(x.toFixed(4))) } }),
    yAxis: axis(colours, {
      type: "category", data: models.map((m) => m.label), splitLine: { show: false },
      axisLabel: { color: colours.ink, fontSize: 13, width: isNarrow() ? 78 : 120, overflow: "truncate", interval: 0 },
    }),
    series: [
      whiskers(colours, models.map((m, k) => [m.mean_ci_low, m.mean_ci_high, k]), { colour: (k) => look(models[k]), width: 2 }),
      {
        type: "scatter", symbolSize: 9, z: 6,
        data: models.flatMap((m, k) => m.retrainings.filter((_, place) => place !== m.saved).map((score) => ({
          value: [score, k],
          itemStyle: { color: colours.card, borderColor: look(m), borderWidth: 1.5 },
        }))),
      },
      {
        type: "scatter", symbol: "rect", symbolSize: [3, 26], z: 6,
        data: models.map((m, k) => ({ value: [m.retrained_mean, k], itemStyle: { color: look(m) } })),
      },
      {
        type: "scatter", symbolSize: 12, z: 7,
        data: models.map((m, k) => ({ value: [m.test_accuracy, k], itemStyle: { color: look(m) } })),
      },
    ],
  };
}
return { drawScores };
})();
modules["toml.js"] = (() => {
/* Values as TOML, as a search file takes them, and a button that copies a text. */

const { make } = modules["dom.js"];

const BARE = /^[A-Za-z0-9_-]+$/;
const key = (name) => (BARE.test(name) ? name : quoted(name));

/** A text as TOML's basic string, which JSON's is but for the character DEL. */
const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function value(held) {
  if (typeof held === "string") return quoted(held);
  return Array.isArray(held) ? `[${held.map(value).join(", ")}]` : String(held);
}

/** An entry of `try_first`: [name, value] pairs as an inline table. */
const inToml = (pairs) => `{ ${pairs.map(([name, held]) => `${key(name)} = ${value(held)}`).join(", ")} }`;

/** A button that copies a text, and says so for a moment. */
function copyButton(words, text) {
  const button = make("button", { type: "button", class: "quiet-button", onclick: copy }, words);
  const said = make("span", { class: "quiet", role: "status" });
  async function copy() {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyOldWay(text); // where a browser does not let a page from the disk write
      button.focus();
    }
    said.textContent = done ? " Copied." : " Select the text above, and copy it.";
    setTimeout(() => (said.textContent = ""), 4000);
  }
  return make("p", {}, button, said);
}

function copyOldWay(text) {
  const field = make("textarea", { "aria-hidden": "true", style: "position:fixed;top:0;left:-99rem" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
return { inToml, copyButton };
})();
modules["drawer.js"] = (() => {
/* The drawer: all of one trial, or what differs between pinned ones. */

const { clock, cut, DASH, figures, fixed, make, setting } = modules["dom.js"];
const { curveOf, labelOf, numberOf, parameters, report, settings, trialOf, trials } = modules["data.js"];
const { axis, chart, colourOf, DASHES } = modules["charts.js"];
const { box } = modules["figure.js"];
const { COMPARE, letterOf, openComparison, openTrial, pin, pinned, pointAt } = modules["selection.js"];
const { oneStop } = modules["arrows.js"];
const { pictureButtons } = modules["saving.js"];
const { onChange, put, valueOf } = modules["store.js"];
const { copyButton, inToml } = modules["toml.js"];

function drawDrawer(panel) {
  let before = null; // what had the focus
  const close = () => put({ open: "" });
  const heading = make("h2", { tabindex: "-1" });
  const body = make("div", { class: "drawer-body" });
  panel.append(
    make("header", {}, heading, make("button", { type: "button", class: "quiet-button", "aria-label": "Close", onclick: close }, "×")),
    body,
  );
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    event.preventDefault();
  });
  function show() {
    const open = valueOf("open");
    const was = !panel.hidden;
    panel.hidden = !open;
    document.body.classList.toggle("drawn-out", Boolean(open));
    if (!open) {
      body.replaceChildren();
      if (was && before?.isConnected) before.focus({ preventScroll: true });
      before = null;
      return;
    }
    if (!was) before = document.activeElement;
    const [words, ...parts] = open === COMPARE ? comparison() : about(trialOf(open));
    heading.textContent = words;
    body.replaceChildren(...parts.filter(Boolean));
    if (!was || !panel.contains(document.activeElement)) heading.focus({ preventScroll: true });
  }
  onChange(["open"], () => {
    show();
    panel.scrollTop = 0;
  });
  onChange(["pinned"], () => valueOf("open") && show());
  show();
}

function button(text, onclick, more = {}) {
  return make("button", { type: "button", class: "quiet-button", onclick, ...more }, text);
}

function list(lines) {
  return make("dl", { class: "lines" }, ...lines.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** What a trial scored and cost, as lines. */
function results(trial) {
  const { head } = report.objective;
  return [
    [head, fixed(trial.score) + (trial.standardError === null ? "" : ` ± ${fixed(trial.standardError)}`)],
    ["validation loss", fixed(trial.loss)],
    ["epochs", setting(trial.values.epochs) || DASH],
    ["parameters of the network", figures(trial.size)],
    ["time", clock(trial.seconds)],
    ["time per epoch", clock(trial.perEpoch)],
    ["proposed as number", setting(trial.order) || DASH],
  ].filter(([, value]) => value !== DASH);
}

function about(trial) {
  const letter = letterOf(trial);
  const place = trials.indexOf(trial);
  const title = `${labelOf(trial.model)} on ${trial.dataset}${trial.rank ? `, rank ${trial.rank}` : ""}`;
  const step = (text, other) => button(text, () => openTrial(other), { disabled: !other });
  return [
    title,
    make("p", { class: "quiet" }, "Trial ", make("code", {}, trial.trial), trial.pruned ? ", pruned" : trial.completed ? "" : `, ${trial.status}`, trial.stuck ? ", which never left chance" : ""),
    trial.error ? make("p", { class: "note error" }, trial.error) : null,
    make("div", { class: "controls" },
      button(letter ? `Unpin ${letter}` : "Pin", () => pin(trial), { "aria-pressed": String(Boolean(letter)) }),
      pinned().length > 1 ? button("Compare pinned", openComparison) : null,
      step("Better", trials[place - 1]), step("Worse", trials[place + 1])),
    list(results(trial)),
    curves([{ trial, letter: "" }], title),
    make("h3", {}, "Settings"),
    settings(trial).length ? list(settings(trial).map(([name, value]) => [name, setting(value)])) : make("p", { class: "quiet" }, "None varies in this search."),
    toml(trial),
  ];
}

/** The trial as an entry of `try_first`, where its search says which values that takes. */
function toml(trial) {
  const names = (report.trials.given[trial.model] ?? []).filter((name) => trial.values[name] !== null && trial.values[name] !== undefined);
  if (!names.length) return null;
  const text = inToml(names.map((name) => [name, trial.values[name]]));
  return make("div", {}, make("h3", {}, "For ", make("code", {}, "try_first"), " of another search"), make("pre", { tabindex: "0" }, text), copyButton("Copy as TOML", text));
}

function comparison() {
  const shown = pinned();
  if (shown.length < 2) {
    return ["Compare trials", make("p", {}, "Pin two to four trials to see what differs between them: in the table, or with Shift and a click in a chart."), null];
  }
  const head = make("tr", {}, make("th", { scope: "col" }, "differs"), ...shown.map(({ trial, letter }) =>
    make("th", { scope: "col", class: "number", onmouseenter: () => pointAt(trial), onmouseleave: () => pointAt(null) },
      make("button", { type: "button", class: "letter", style: `background:var(--s${numberOf(trial.model) % 7})`, "aria-label": `Open trial ${letter}`, onclick: () => openTrial(trial) }, letter))));
  const lines = [
    ["model", shown.map(({ trial }) => labelOf(trial.model))], ["data set", shown.map(({ trial }) => trial.dataset)],
    ...parameters.filter((name) => name !== "epochs").map((name) => [name, shown.map(({ trial }) => setting(trial.values[name]) || DASH)]),
    ...results(shown[0].trial).map(([name]) => [name, shown.map(({ trial }) => results(trial).find(([other]) => other === name)?.[1] ?? DASH)]),
  ];
  const differs = ([, values]) => new Set(values).size > 1;
  const same = lines.filter((line) => !differs(line));
  const rows = lines.filter(differs).map(([name, values]) => make("tr", {}, make("th", { scope: "row" }, name), ...values.map((value) => make("td", { class: "number" }, value))));
  const letters = shown.map(({ letter }) => letter).join(", ");
  return [
    `Trials ${letters}: what differs`,
    make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "What differs between the pinned trials" },
      make("table", { id: "differences" }, make("thead", {}, head), make("tbody", {}, ...rows))),
    curves(shown, `Trials ${letters}`),
    same.length ? make("details", {}, make("summary", {}, `${same.length} ${same.length === 1 ? "line is" : "lines are"} the same`), list(same.map(([name, values]) => [name, values[0]]))) : null,
  ];
}

/** Score and loss of trials by epoch, a chart each, and buttons to save them; null where no trial has a curve. */
function curves(shown, heading) {
  const found = shown.map(({ trial, letter }) => ({ trial, letter, curve: curveOf(trial) })).filter(({ curve }) => curve);
  const drawn = [[report.objective.column, report.objective.head], ["val_loss", "validation loss"]];
  const boxes = drawn.filter(([name]) => found.some(({ curve }) => curve[name]?.length)).map(([name, words]) => {
    const here = box(190);
    chart(here, {
      option: (colours) => option(colours, found, name, words),
      describe: () => `${words} by epoch of ${found.map(({ trial, letter }) => letter || trial.trial).join(", ")}`,
    });
    return here;
  });
  if (!boxes.length) return null;
  const frame = make("div", { class: "drawer-charts" }, ...boxes);
  const name = shown.length > 1 ? "compared" : `trial-${shown[0].trial.trial}`;
  const save = make("div", { class: "toolbar", role: "toolbar", "aria-label": "Save" }, ...pictureButtons("The curves", () => ({ frame, name, heading })));
  oneStop(save, "button");
  frame.append(save);
  return frame;
}

function option(colours, found, name, words) {
  return {
    grid: { left: 48, right: 24, top: 28, bottom: 34 },
    title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 } },
    tooltip: { trigger: "axis", confine: true, backgroundColor: colours.card, borderColor: colours.line, textStyle: { color: colours.ink, fontSize: 12 }, valueFormatter: (value) => fixed(value) },
    xAxis: axis(colours, { type: "value", min: 1, max: ({ max }) => Math.max(2, max), minInterval: 1, splitLine: { show: false } }),
    yAxis: axis(colours, { type: "value", scale: true, splitNumber: 4, axisLabel: { formatter: (y) => String(Number(y.toPrecision(3))) } }),
    series: found.flatMap(({ trial, letter, curve }) => [[name, 2.2], [name.replace(/^val_/, ""), 1]].filter(([which], k) => curve[which]?.length && (k === 0 || which !== name)).map(([which, width]) => ({
      type: "line", name: cut(`${letter || labelOf(trial.model)}${width < 2 ? ", training" : ""}`, 30), data: curve[which], symbol: "circle", symbolSize: 4, showSymbol: curve[which].length === 1,
      lineStyle: { width, opacity: width < 2 ? 0.6 : 1, type: DASHES[letter] ?? "solid", color: colourOf(colours, numberOf(trial.model)) },
      itemStyle: { color: colourOf(colours, numberOf(trial.model)) },
      endLabel: { show: letter !== "" && width > 2, formatter: letter, color: colours.ink, fontWeight: 700 },
      labelLayout: { moveOverlap: "shiftY" },
    }))),
  };
}
return { drawDrawer };
})();
modules["parallel.js"] = (() => {
/* Parallel coordinates of the trials, coloured by score; what is brushed here is filtered everywhere. */

const { compact, cut, fixed, make, setting, tip } = modules["dom.js"];
const { completed, labelOf, noLower, report, settings } = modules["data.js"];
const { chart, DASHES, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { arrangement, arranger, isDone, shownOf } = modules["arrange.js"];
const { axes, hasWords, hidesOthers, intervalsOf, keep, lowestOn, onFilter, onScale, passing, scoreFloor, valueAt } = modules["filters.js"];
const { pinned } = modules["selection.js"];
const { onChange } = modules["store.js"];

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

function drawParallel(place) {
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
return { drawParallel };
})();
modules["progress.js"] = (() => {
/* The best score so far, by the number of trials or by time. */

const { choice, figures, fixed, setting, tip } = modules["dom.js"];
const { completed, labelOf, numberOf, noHigher, noLower, report, searchedDatasets, searchedModels, timing } = modules["data.js"];
const { axis, chart, colourOf, symbolOf, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { OF_TRIALS } = modules["filters.js"];
const { inDrawingOrder, markOf, pointedAt } = modules["marks.js"];
const { datasetShown, linkedChoice } = modules["selection.js"];
const { onChange } = modules["store.js"];
const { modelLegend } = modules["legend.js"];

const lowest = report.objective.direction === "min";
const ended = new Map((timing.timeline?.bars ?? []).map(([, , end, , , , trial]) => [trial, end]));

function drawProgress(place) {
  let by = "number";
  const dataset = () => datasetShown(searchedDatasets);
  const timed = completed.some(({ trial }) => ended.has(trial));
  const at = (trial) => (by === "number" ? trial.order : ended.get(trial.trial) ?? null);
  const lines = () => searchedModels.map((model) => {
    const mine = completed.filter((trial) => trial.model === model && trial.dataset === dataset() && !trial.pruned && at(trial) !== null).sort((a, b) => at(a) - at(b));
    let best = null;
    return { model, trials: mine, best: mine.map(({ score }) => (best = best === null ? score : lowest ? Math.min(best, score) : Math.max(best, score))) };
  }).filter(({ trials }) => trials.length);
  const { body, changed, frame } = figure(place, {
    name: "best-so-far",
    heading: "Best so far",
    controls: [
      ...(searchedDatasets.length > 1 ? [linkedChoice("Data set", "dataset", searchedDatasets.map((name) => [name, name]), dataset)] : []),
      ...(timed ? [choice("By", [["number", "number of trials"], ["time", "time"]], (which) => { by = which; show(); })] : []),
    ],
    caption: () => `Each mark is a trial on ${dataset()}; the line is the best ${report.objective.label} on ${report.validates_on} ${by === "number" ? "among so many trials of a model, in the order in which they were proposed" : "at that time, without pauses"}.`,
    table: () => ({
      columns: ["model", "trial", by === "number" ? "number" : "seconds", report.objective.column, "best_so_far"],
      rows: lines().flatMap(({ model, trials, best }) => trials.map((trial, k) => [labelOf(model), trial.trial, at(trial), trial.score, best[k]])),
    }),
  });
  const here = box(300);
  here.id = "best-so-far";
  frame.querySelector(".charts").before(modelLegend(searchedModels));
  body.append(here);
  const drawing = chart(here, {
    ofTrials: true,
    follows: OF_TRIALS,
    renderer: completed.length > 400 ? "canvas" : "svg",
    option: (colours) => option(colours, lines(), at, by),
    describe: () => lines().map(({ model, trials, best }) => `${labelOf(model)}: ${fixed(best.at(-1))} after ${trials.length} trials`).join(", "),
  });
  function show() {
    changed();
    drawing.redraw();
  }
  onChange(["dataset"], show);
}

function option(colours, lines, at, by) {
  const end = Math.max(1, ...lines.flatMap(({ trials }) => trials.map(at)));
  const unit = by === "number" || end < 180 ? [1, by === "number" ? "number of the trial" : "seconds"] : end < 3 * 3600 ? [60, "minutes"] : [3600, "hours"];
  const scores = lines.flatMap(({ trials }) => trials.map(({ score }) => score)).sort((a, b) => a - b);
  // The worst tenth would take up the scale
  const [low, high] = lowest ? [scores[0], scores[Math.ceil(0.9 * (scores.length - 1))]] : [scores[Math.floor(0.1 * (scores.length - 1))], scores.at(-1)];
  const lasting = lines.map(({ best }) => best.at(-1)); // each model's line is to be seen
  const [least, most] = [Math.min(low, ...lasting), Math.max(high, ...lasting)];
  const room = 0.06 * (most - least || 0.01);
  const ends = [noLower(least - room), noHigher(most + room)];
  const within = (score) => Math.min(Math.max(score, ends[0]), ends[1]);
  const many = scores.length > 300;
  return {
    grid: { left: 56, right: 18, top: 30, bottom: 46 },
    title: { text: report.objective.words, left: 0, top: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 400 } },
    tooltip: tooltip(colours, ({ data }) => data.trial && tip(`${labelOf(data.trial.model)}, rank ${data.trial.rank}`, [
      [unit[1], figures(at(data.trial) / unit[0])], [report.objective.head, fixed(data.trial.score)], ["number", setting(data.trial.order)],
    ]), { trigger: "item" }),
    xAxis: axis(colours, { type: "value", minInterval: by === "number" ? 1 : 0, min: by === "number" ? 1 : 0, max: Math.max(end / unit[0], by === "number" ? 2 : 0), name: unit[1], splitLine: { show: false }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } }, axisLabel: { formatter: (x) => figures(x) } }),
    yAxis: axis(colours, { type: "value", min: ends[0], max: ends[1], splitNumber: 4, axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false } }),
    series: lines.flatMap(({ model, trials, best }) => {
      const colour = colourOf(colours, numberOf(model));
      return [
        { type: "line", step: "end", name: labelOf(model), symbol: "none", silent: true, z: 4, lineStyle: { color: colour, width: 2.2 }, data: [...trials.map((trial, k) => [at(trial) / unit[0], within(best[k])]), [end / unit[0], within(best.at(-1))]] },
        {
          type: "scatter", emphasis: pointedAt(colours),
          data: inDrawingOrder(trials).map((trial) => ({
            name: trial.trial, trial, value: [at(trial) / unit[0], within(trial.score)], symbol: symbolOf(numberOf(model)),
            ...markOf(colours, trial, { color: colour, opacity: many ? 0.3 : 0.5 }, many ? 4 : 6),
          })),
        },
      ];
    }),
  };
}
return { drawProgress };
})();
modules["table.js"] = (() => {
/* The table of trials with its filters. */

const { clock, figures, fixed, make, setting } = modules["dom.js"];
const { labelOf, parameters, report, searchedDatasets, searchedModels, trialOf, trials } = modules["data.js"];
const { arrangement, arranger, shownOf } = modules["arrange.js"];
const { later, RESTS } = modules["charts.js"];
const { download } = modules["figure.js"];
const { axes, clearFilters, intervalsOf, isFiltered, keep, keepWords, noneOn, onFilter, passing, valueAt, wordsKept } = modules["filters.js"];
const { clickOn, letterOf, onPoint, pin, pointAt } = modules["selection.js"];
const { onChange } = modules["store.js"];

const PAGE = 100;

/** The columns: heading, a trial's value to sort by, its text; numbers stand to the right. */
const columns = [
  { head: "rank", get: (t) => t.rank, number: true },
  ...(searchedModels.length > 1 ? [{ head: "model", get: (t) => labelOf(t.model) }] : []),
  ...(searchedDatasets.length > 1 ? [{ head: "data set", get: (t) => t.dataset }] : []),
  { head: report.objective.head, get: (t) => t.score, number: true, down: report.objective.direction === "max", text: (t) => fixed(t.score) + (t.standardError === null ? "" : ` ± ${fixed(t.standardError)}`) + (t.stuck ? " †" : "") },
  { head: "val. loss", get: (t) => t.loss, number: true, text: (t) => fixed(t.loss) },
  ...(trials.some((t) => report.curves[t.trial]?.unpenalised_loss)
    ? [{ head: "val. loss without penalties", get: (t) => t.unpenalised, number: true, text: (t) => fixed(t.unpenalised) }] : []),
  ...parameters.map((name) => ({
    head: name, get: (t) => t.values[name], number: trials.every((t) => typeof (t.values[name] ?? 0) === "number"),
    text: (t) => setting(t.values[name]),
  })),
  { head: "size", get: (t) => t.size, number: true, text: (t) => figures(t.size) },
  { head: "time", get: (t) => t.seconds, number: true, text: (t) => clock(t.seconds) },
  { head: "status", get: (t) => (t.pruned ? "pruned" : t.status), text: (t) => (t.pruned ? "pruned" : t.status + (t.error ? `: ${t.error}` : "")) },
  { head: "trial", get: (t) => t.trial, text: (t) => t.trial },
].filter(({ head }) => head !== "status" || trials.some((t) => !t.completed || t.pruned));

arrangement("columns", columns.map(({ head }) => head));

/** The columns that are shown, in their order; all where none is. */
function shownColumns() {
  const shown = shownOf("columns").map((name) => columns.find(({ head }) => head === name));
  return shown.length ? shown : columns;
}

function drawTable(place) {
  let sorted = columns.findIndex(({ head: name }) => name === report.objective.head);
  let down = Boolean(columns[sorted].down);
  let page = 0;
  const count = make("p", { class: "count", role: "status" });
  const body = make("tbody", { onkeydown: walk });
  const pages = make("div", { class: "pages" });
  const head = make("tr");
  const search = make("input", { type: "search", placeholder: "cnn  dropout=0.5  size<100k", title: "Words, values, and comparisons by =, < and > that all have to hold: cnn dropout=0.5 size<100k", oninput: () => keepWords(search.value) });
  const clear = make("button", { type: "button", class: "quiet-button", onclick: clearFilters }, "Clear all filters");

  const heads = columns.map((column, k) => {
    const turn = () => {
      down = k === sorted ? !down : Boolean(column.down);
      sorted = k;
      page = 0;
      show();
    };
    const cell = make(
      "th", { scope: "col", class: column.number ? "number" : null },
      make("button", { type: "button", class: "sort", onclick: turn }, column.head),
    );
    return cell;
  });
  /** Let one heading or row be the table's only stop of the Tab key. */
  function stopAt(element) {
    for (const other of [...head.querySelectorAll("button"), ...body.rows]) other.tabIndex = other === element ? 0 : -1;
  }
  /** Go from heading to heading with the arrows, and down to the first row. */
  function walkHeads(event) {
    const every = [...head.querySelectorAll("button")];
    const here = every.indexOf(event.target);
    const next = { ArrowRight: every[here + 1], ArrowLeft: every[here - 1], Home: every[0], End: every.at(-1), ArrowDown: body.rows[0] }[event.key];
    if (here < 0 || !next) return;
    next.focus();
    event.preventDefault();
  }
  /** Go from row to row with the arrows, and up to the heading that sorts; Enter opens a row's trial, P pins it. */
  function walk(event) {
    const row = event.target;
    if (row.tagName !== "TR") return;
    const up = row.previousElementSibling ?? head.querySelector("[aria-sort] button") ?? head.querySelector("button");
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: up, Home: body.firstElementChild, End: body.lastElementChild }[event.key];
    if (event.key === "Enter") row.click();
    else if (event.key === "p" && !event.ctrlKey && !event.metaKey) pin(trialOf(row.dataset.trial));
    else if (!next) return;
    else next.focus();
    event.preventDefault();
  }
  const showHeads = () => head.replaceChildren(...shownColumns().map((column) => heads[columns.indexOf(column)]));

  function ordered() {
    const { get } = columns[sorted];
    const sign = down ? -1 : 1;
    const keyed = passing().map((trial) => [get(trial), trial]);
    keyed.sort(([a, s], [b, t]) => {
      if (a === b) return s.index - t.index;
      if (a === null || a === undefined) return 1; // what is missing comes last either way
      if (b === null || b === undefined) return -1;
      return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
    });
    return keyed.map(([, trial]) => trial);
  }

  let filled = false; // its rows are made when they come near, or when the browser has nothing else to do
  function show() {
    count.textContent = `${passing().length.toLocaleString("en-US")} of ${trials.length.toLocaleString("en-US")} trials`;
    clear.disabled = !isFiltered();
    if (filled) fill();
  }

  function fill() {
    const found = ordered();
    const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
    page = Math.min(page, last);
    heads.forEach((cell, k) => {
      if (k === sorted) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    });
    body.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(rowOf));
    stopAt(head.contains(document.activeElement) ? document.activeElement : body.rows[0] ?? head.querySelector("button"));
    const step = (text, to, possible) =>
      make("button", { type: "button", class: "quiet-button", disabled: !possible, onclick: () => { page = to; show(); } }, text);
    pages.replaceChildren(
      ...(last ? [step("Previous", page - 1, page > 0), ` ${page + 1} of ${last + 1} `, step("Next", page + 1, page < last)] : []),
    );
  }

  const save = make("button", {
    type: "button", class: "quiet-button", "aria-label": "The trials shown as a CSV file",
    onclick: () => download("trials", { columns: shownColumns().map(({ head: name }) => name), rows: ordered().map((t) => shownColumns().map(({ get }) => get(t))) }),
  }, "CSV");
  place.replaceChildren(
    make("h3", {}, "Every trial"),
    make("div", { class: "controls" }, make("label", { class: "choice" }, "Search", search), clear, save),
    filterPanel(),
    arranger("columns", "Arrange columns"),
    make("div", { class: "count-line" }, count),
    make(
      "div", { class: trials.length > 30 ? "scroll tall unfilled" : "scroll tall", role: "region", "aria-label": "The trials" },
      make("table", { id: "trials-rows" }, make("caption", {}, "The trials of the search; a heading sorts by its column"), make("thead", {}, head), body),
    ),
    pages,
    make("p", { class: "quiet" },
      "A click on a row, or Enter, opens its trial; with Shift, or by the key P, it is pinned. The arrows go from row to row. ",
      trials.some((t) => t.stuck) ? "† never left chance. " : "",
      "Ranks are within the search of each model on each data set. Every parameter, also those that never vary: ",
      make("a", { href: "trials.csv" }, "trials.csv"), "."),
  );
  onFilter((source) => {
    page = 0;
    if (source !== "words") search.value = wordsKept();
    show();
  });
  onChange(["columns"], () => {
    showHeads();
    show();
  });
  onChange(["pinned"], () => {
    for (const row of body.rows) showLetter(row);
  });
  onPoint((trial) => {
    for (const row of body.rows) row.classList.toggle("is-pointed-at", row.dataset.trial === trial?.trial);
  });
  search.value = wordsKept();
  showHeads();
  show();
  stopAt(head.querySelector("button"));
  head.parentNode.parentNode.addEventListener("focusin", ({ target }) => stopAt(target.closest(".sort, tbody tr")));
  head.addEventListener("keydown", walkHeads);
  const begin = () => {
    if (filled) return;
    filled = true;
    observer.disconnect();
    fill();
    const box = place.querySelector(".scroll");
    box.classList.remove("unfilled");
    const lacking = box.scrollWidth - box.clientWidth;
    if (lacking > 1) {
      place.style.setProperty("--broad", `${place.offsetWidth + lacking + 2}px`); // into both margins, which are empty
      place.classList.add("broad");
    }
    body.parentNode.dataset.filled = "yes";
  };
  const observer = new IntersectionObserver(([{ isIntersecting }]) => isIntersecting && begin(), { rootMargin: "600px" });
  observer.observe(body.parentNode);
  addEventListener("beforeprint", begin);
  setTimeout(() => later(begin), RESTS);
}

function rowOf(trial) {
  const cells = shownColumns().map(({ get, text, number }) =>
    make("td", { class: number ? "number" : null }, text ? text(trial) : String(get(trial) ?? "")));
  const row = make("tr", {
    class: trial.completed ? null : "failed", tabindex: "-1", "data-trial": trial.trial,
    onmouseenter: () => pointAt(trial), onmouseleave: () => pointAt(null), onfocus: () => pointAt(trial), onblur: () => pointAt(null),
    onclick: (event) => (event.shiftKey || getSelection().isCollapsed) && clickOn(trial, event),
  }, ...cells);
  showLetter(row);
  return row;
}

/** Show the letter of a pinned trial in front of its row. */
function showLetter(row) {
  const letter = letterOf(trialOf(row.dataset.trial));
  row.classList.toggle("is-pinned", letter !== "");
  row.cells[0].dataset.letter = letter;
}

/** A filter for each axis: boxes to tick for few values, a lowest and a highest for many. */
function filterPanel() {
  const panel = make("div", { class: "filters" });
  const parts = axes.map((axis) => (axis.values ? ticks(axis) : range(axis)));
  panel.append(...parts.map(({ element }) => element));
  const summary = make("summary");
  const follow = (source) => {
    parts.forEach((part) => part.follow(source));
    const active = axes.filter((axis) => intervalsOf(axis).length).map(({ name }) => name);
    summary.textContent = active.length ? `Filter by parameter: ${active.join(", ")}` : "Filter by parameter";
  };
  onFilter(follow);
  follow("begin");
  return make("details", { class: "filter-panel" }, summary, panel);
}

function ticks(axis) {
  const places = [...(axis.none === null ? [] : [axis.none]), ...axis.values.map((_, place) => place)];
  const boxes = places.map(() => make("input", { type: "checkbox", checked: true }));
  boxes.forEach((tick) => tick.addEventListener("change", () => {
    const on = boxes.map((one) => one.checked);
    keep(axis, on.every(Boolean) ? [] : runs(on, places[0]), "panel");
  }));
  const element = make(
    "fieldset", {}, make("legend", {}, axis.name),
    ...places.map((place, k) => make("label", { class: "tick" }, boxes[k], place === axis.none ? "none" : setting(axis.values[place]))),
  );
  const follow = (source) => {
    if (source === "panel") return;
    const intervals = intervalsOf(axis);
    boxes.forEach((tick, k) => {
      tick.checked = !intervals.length || intervals.some(([low, high]) => low <= places[k] && places[k] <= high);
    });
  };
  return { element, follow };
}

/** The intervals around runs of ticked boxes; one that holds nothing where none is ticked. */
function runs(on, first) {
  const found = [];
  on.forEach((ticked, k) => {
    if (!ticked) return;
    if (k > 0 && on[k - 1]) found.at(-1)[1] = first + k + 0.3;
    else found.push([first + k - 0.3, first + k + 0.3]);
  });
  return found.length ? found : [[-0.4, -0.39]];
}

function range(axis) {
  const shown = (place) => String(Number(valueAt(axis, place).toPrecision(4)));
  const [low, high] = ["from", "to"].map((text) => make("input", { type: "number", step: "any", "aria-label": `${axis.name} ${text}` }));
  const none = axis.none === null ? null : make("input", { type: "checkbox", checked: true });
  const reset = () => {
    low.placeholder = shown(axis.low);
    high.placeholder = shown(axis.high);
  };
  const change = () => {
    const without = none === null ? [] : none.checked ? [noneOn(axis)] : [];
    if (low.value === "" && high.value === "" && (none === null || none.checked)) return keep(axis, [], "panel");
    const on = (input, otherwise) => {
      if (input.value === "") return otherwise;
      return axis.log ? Math.log10(Math.max(Number(input.value), 1e-300)) : Number(input.value);
    };
    return keep(axis, [...without, [on(low, axis.low), on(high, axis.high)]], "panel");
  };
  [low, high, ...(none === null ? [] : [none])].forEach((input) => input.addEventListener("change", change));
  reset();
  const follow = (source) => {
    if (source === "panel") return;
    const every = intervalsOf(axis);
    const intervals = every.filter(([, b]) => b >= axis.low);
    low.value = intervals.length ? shown(Math.max(axis.none === null ? -Infinity : axis.low, Math.min(...intervals.map(([a]) => a)))) : "";
    high.value = intervals.length ? shown(Math.max(...intervals.map(([, b]) => b))) : "";
    if (none !== null) none.checked = !every.length || every.some(([a, b]) => a <= axis.none && axis.none <= b);
  };
  const box = none === null ? [] : [make("label", { class: "tick" }, none, "none")];
  return { element: make("fieldset", {}, make("legend", {}, axis.name), make("span", { class: "range" }, low, "to", high), ...box), follow };
}
return { drawTable };
})();
modules["pair.js"] = (() => {
/* The score by two parameters at once, as a map of heat; two clicks in the chart of importance choose them. */

const { choice, compact, cut, fixed, setting, tip } = modules["dom.js"];
const { completed, report, searchedDatasets } = modules["data.js"];
const { axis, chart, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { axes, keepAll, OF_TRIALS, passes, valueAt } = modules["filters.js"];
const { datasetShown, linkedChoice } = modules["selection.js"];
const { field, onChange, put, valueOf } = modules["store.js"];

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

function drawPair(place) {
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
function choosePair(names) {
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
return { drawPair, choosePair };
})();
modules["importance.js"] = (() => {
/* How much each parameter matters for the score and for the training time, with its 95 % interval. */

const { fixed, make, tip } = modules["dom.js"];
const { report, timing } = modules["data.js"];
const { axis, chart, isNarrow, tooltip, whiskers } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { choosePair } = modules["pair.js"];
const { datasetShown, linkedChoice, modelShown } = modules["selection.js"];
const { onChange } = modules["store.js"];

const BARS = 10;
/** The height of a bar with its distance, and of each further line of its name. */
const [BAR, LINE] = [30, 13];

function drawImportance(place) {
  const targets = [
    { name: report.objective.column, words: report.objective.words, groups: report.importance },
    { name: "seconds_per_epoch", words: "time per epoch", groups: timing.importance ?? [] },
  ].filter(({ groups }) => groups.length);
  const keys = new Map(targets.flatMap(({ groups }) => groups.map((group) => [keyOf(group), group])));
  if (!keys.size) return place.remove();
  const datasets = [...new Set([...keys.values()].map(({ dataset }) => dataset))];
  const models = new Map([...keys.values()].map(({ model, of }) => [model || "", of]));
  const choose = () => {
    const there = [...keys.values()].filter(({ dataset }) => dataset === datasetShown(datasets));
    return there.find(({ model }) => model === modelShown([...models.keys()])) ?? there[0];
  };
  let chosen = keyOf(choose());
  const controls = [
    ...(datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((name) => [name, name]), () => choose().dataset)] : []),
    ...(models.size > 1 ? [linkedChoice("Trials of", "model", [...models], () => choose().model || "")] : []),
  ];
  const found = () => targets.map((target) => ({ ...target, group: target.groups.find((group) => keyOf(group) === chosen) }));
  const { body, changed } = figure(place, {
    name: "importance",
    heading: "Importance of each parameter",
    controls,
    caption: () => {
      const told = found().filter(({ group }) => group).map(({ words, group }) => `The parameters tell the ${words} of ${group.trials} trials with an R² of ${group.r2.toFixed(2).replace("-", "−")}.`);
      return `Share of the variation between trials that a parameter has a part in, with its 95 % interval. Bars that do not stand out are pale. ${told.join(" ")}`;
    },
    table: () => ({
      columns: ["data set", "trials of", "target", "parameter", "share", "ci_low", "ci_high", "stands_out"],
      rows: found().filter(({ group }) => group).flatMap(({ name, group }) =>
        group.bars.map(([names, ...rest]) => [group.dataset, group.of, name, names.join(" × "), ...rest])),
    }),
  });
  let drawings = [];
  const said = make("p", { class: "quiet", role: "status" });
  body.after(said);
  const take = (names) => {
    const begun = choosePair(names);
    said.textContent = begun ? `${begun} and … Click another bar to see the score by both.` : "";
    if (!begun) document.querySelector("[data-figure=pair]")?.scrollIntoView({ block: "nearest" });
  };
  function show() {
    changed();
    body.replaceChildren();
    drawings = found().filter(({ group }) => group).map(({ words, group }) => {
      const bars = [...group.bars.filter(([names]) => names.length === 1).slice(0, BARS), ...group.bars.filter(([names, , , , out]) => names.length > 1 && out)];
      const tallest = Math.max(...bars.map(([names]) => linesOf(names).length));
      const here = box(92 + Math.max(BAR, LINE * tallest + 6) * bars.length, targets.length > 1 ? "half" : "");
      body.append(here);
      return chart(here, {
        option: (colours) => option(colours, words, bars),
        // Anywhere in a bar's row: many bars are but a line
        ready: (instance) => instance.getZr().on("click", ({ offsetX, offsetY }) => {
          const [, row] = instance.convertFromPixel({ gridIndex: 0 }, [offsetX, offsetY]);
          const inside = instance.containPixel({ gridIndex: 0 }, [here.clientWidth / 2, offsetY]);
          if (inside && bars[bars.length - 1 - row]) take(bars[bars.length - 1 - row][0]);
        }),
        describe: () => `Importance for the ${words}: ` + bars.map(([names, share]) => `${names.join(" and ")} ${Math.round(100 * share)} %`).join(", "),
      });
    });
  }
  onChange(["model", "dataset"], () => {
    if (keyOf(choose()) === chosen) return;
    chosen = keyOf(choose());
    show();
  });
  show();
}

const keyOf = (group) => JSON.stringify([group.dataset, group.of]);

/** The parameters of a bar in as many lines as they need, so that no name runs into another. */
function linesOf(names) {
  const most = isNarrow() ? 15 : 19;
  const lines = [""];
  for (const part of names.join(" × ").match(/[^ _]+[ _]*/g) ?? [""]) {
    if (lines.at(-1) && (lines.at(-1) + part).trimEnd().length > most) lines.push("");
    lines[lines.length - 1] += part;
  }
  return lines.map((line) => (line.trimEnd().length > most + 3 ? `${line.slice(0, most + 2)}…` : line.trimEnd()));
}

function option(colours, words, bars) {
  const shown = bars.slice().reverse();
  const percent = (share) => 100 * share;
  const low = Math.min(0, ...shown.map(([, , a]) => percent(a)));
  const high = Math.max(20, ...shown.map(([, , , b]) => percent(b)));
  const ends = [low < -1 ? Math.max(-20, Math.floor(low / 10) * 10) : 0, Math.min(150, Math.ceil(high / 20) * 20)];
  const ink = ([names, , , , out]) => (!out ? colours.pale : names.length > 1 ? colours.quiet : colours.ink); // no model's
  return {
    title: { text: `for the ${words}`, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    grid: { left: isNarrow() ? 118 : 140, right: 22, top: 30, bottom: 48 },
    tooltip: tooltip(colours, ({ dataIndex }) => {
      const [names, share, a, b, out] = shown[dataIndex];
      return tip(names.join(" × "), [
        ["share", `${fixed(percent(share), 1)} %`],
        ["95 % interval", `${fixed(percent(a), 1)} to ${fixed(percent(b), 1)} %`],
        ["stands out", out ? "yes" : "no"],
      ]);
    }, { trigger: "item" }),
    xAxis: axis(colours, { type: "value", min: ends[0], max: ends[1], name: "share of the variation, %", splitNumber: 5 }),
    yAxis: axis(colours, {
      type: "category", data: shown.map(([names]) => linesOf(names).join("\n")), splitLine: { show: false },
      axisLabel: { color: colours.ink, interval: 0, hideOverlap: false, lineHeight: LINE },
    }),
    series: [
      { type: "bar", barWidth: 16, data: shown.map((bar) => ({ value: percent(bar[1]), itemStyle: { color: ink(bar), borderRadius: [0, 3, 3, 0] } })) },
      { ...whiskers(colours, shown.map(([, , a, b], k) => [Math.max(percent(a), ends[0]), Math.min(percent(b), ends[1]), k])), clip: true },
    ],
  };
}
return { drawImportance };
})();
modules["slices.js"] = (() => {
/* The score of each trial by its value of each parameter, a panel each; lines are medians. */

const { cut, fixed, make, setting, tip } = modules["dom.js"];
const { completed, labelOf, noHigher, numberOf, report, searchedModels } = modules["data.js"];
const { axis, chart, colourOf, symbolOf, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { OF_TRIALS } = modules["filters.js"];
const { inDrawingOrder, markOf, pointedAt } = modules["marks.js"];
const { datasetShown, linkedChoice } = modules["selection.js"];
const { onChange } = modules["store.js"];
const { modelLegend } = modules["legend.js"];

/** Panels that are shown at first. */
const PANELS = 6;
/** Multiples of it, without their whole part, lie evenly: points are spread by them, and always alike. */
const GOLDEN = 0.618034;

function drawSlices(place) {
  const there = report.slices.map(({ dataset }) => dataset);
  const choose = () => report.slices.find(({ dataset }) => dataset === datasetShown(there));
  let chosen = choose();
  let all = false;
  const mine = () => completed.filter(({ dataset }) => dataset === chosen.dataset);
  const controls = report.slices.length > 1
    ? [linkedChoice("Data set", "dataset", there.map((name) => [name, name]), () => datasetShown(there))]
    : [];
  const ranked = () => report.importance.some(({ dataset }) => dataset === chosen.dataset);
  const { body, changed, frame } = figure(place, {
    name: "slices",
    heading: "Score by each parameter",
    controls,
    caption: () => {
      const below = chosen.low === null ? 0 : mine().filter(({ score }) => score < chosen.low).length;
      const edge = below ? ` Triangles at the lower edge stand for ${below} ${below === 1 ? "trial" : "trials"} further down.` : "";
      return `Each mark is a trial on ${chosen.dataset}, by its value of each parameter${ranked() ? ", the most important first" : ""}. Lines join the medians of each model.${edge}`;
    },
    table: () => ({
      columns: ["trial", "model", ...chosen.panels.map(({ name }) => name), report.objective.column],
      rows: mine().map((t) => [t.trial, labelOf(t.model), ...chosen.panels.map(({ name }) => valueOf(t, name)), t.score]),
    }),
  });
  const more = make("button", { type: "button", class: "quiet-button", onclick: () => { all = true; show(); } }, "Show all parameters");
  frame.querySelector(".charts").before(modelLegend(searchedModels));
  function show() {
    changed();
    const panels = all ? chosen.panels : chosen.panels.slice(0, PANELS);
    body.replaceChildren(...panels.map((panel) => {
      const here = box(220, "third");
      chart(here, {
        ofTrials: true,
        follows: OF_TRIALS,
        renderer: completed.length > 400 ? "canvas" : "svg",
        option: (colours) => option(colours, chosen, panel, mine()),
        describe: () => `${capital(report.objective.words)} by ${panel.name} on ${chosen.dataset}`,
      });
      return here;
    }));
    if (!all && chosen.panels.length > PANELS) body.append(more);
  }
  onChange(["dataset"], () => {
    if (choose() === chosen) return;
    chosen = choose();
    show();
  });
  show();
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const valueOf = (trial, name) => (name === "model" ? labelOf(trial.model) : trial.values[name] ?? null);

function option(colours, slice, panel, trials) {
  const low = slice.low;
  const there = panel.lines.map(({ model }) => model);
  const few = panel.values !== null;
  const beside = few && panel.name !== "model" && there.length > 1;
  const width = 0.72 / (beside ? there.length : 1);
  const middle = (k) => (beside ? (k - (there.length - 1) / 2) * width : 0);
  const top = Math.max(...trials.map(({ score }) => score));
  const bottom = low ?? Math.min(...trials.map(({ score }) => score));
  const room = 0.06 * (top - bottom || 0.01);
  const position = new Map(few ? panel.values.map((value, k) => [value, k]) : []);
  const placed = there.flatMap((label, k) =>
    trials
      .filter((trial) => labelOf(trial.model) === label && valueOf(trial, panel.name) !== null)
      .map((trial, n) => {
        const value = valueOf(trial, panel.name);
        const spread = few ? ((GOLDEN * n + 0.5) % 1 - 0.5) * 0.7 * width : 0;
        const below = low !== null && trial.score < low;
        const number = numberOf(trial.model);
        return {
          name: trial.trial,
          value: [few ? position.get(value) + middle(k) + spread : value, below ? bottom - 0.6 * room : trial.score],
          symbol: below ? "triangle" : symbolOf(number), symbolRotate: below ? 180 : 0, trial,
          ...markOf(colours, trial, { color: colourOf(colours, number), opacity: trials.length > 300 ? 0.4 : 0.6 }, trials.length > 300 ? 5 : 7),
        };
      }));
  const points = new Map(placed.map((point) => [point.trial, point]));
  const numberOfLabel = (label) => numberOf(report.models.find((model) => model.label === label)?.name);
  const lines = panel.lines.flatMap(({ model, at, median }, k) => {
    const look = { color: colourOf(colours, numberOfLabel(model)), width: 2 };
    const medians = at.map((x, n) => [few ? x + middle(k) : x, Math.max(median[n], bottom)]);
    const joined = panel.ordered ? [{ type: "line", data: medians, lineStyle: look, symbol: "none", silent: true, z: 4 }] : [];
    const dashes = few
      ? [{
          type: "custom", silent: true, z: 4, data: medians,
          renderItem: (_, api) => {
            const [a, b] = [-0.42, 0.42].map((side) => api.coord([api.value(0) + side * width, api.value(1)]));
            return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: look.color, lineWidth: 3 } };
          },
        }]
      : [];
    return [...joined, ...dashes];
  });
  const ticks = few ? panel.values.map((_, k) => k) : null;
  const crowded = few && panel.values.map((value) => setting(value).length).reduce((a, b) => a + b, 0) > 26;
  return {
    grid: { left: 46, right: 10, top: 10, bottom: crowded ? 66 : 46 },
    tooltip: tooltip(colours, ({ data }) => tip(`${labelOf(data.trial.model)}, rank ${data.trial.rank}`, [
      [panel.name, setting(valueOf(data.trial, panel.name))],
      [report.objective.head, fixed(data.trial.score)],
    ]), { trigger: "item" }),
    xAxis: axis(colours, {
      type: panel.log ? "log" : "value", name: panel.name, nameGap: crowded ? 48 : 28, splitLine: { show: false },
      nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
      ...(few ? { min: -0.55, max: panel.values.length - 0.45 } : { scale: true, splitNumber: 4 }),
      axisLabel: {
        formatter: (x) => (few ? cut(setting(panel.values[x] ?? ""), 12) : setting(Number(x.toPrecision(4)))),
        rotate: crowded ? 35 : 0, hideOverlap: !crowded,
        ...(ticks ? { customValues: ticks } : {}),
      },
    }),
    yAxis: axis(colours, {
      type: "value", min: bottom - room, max: noHigher(top + room), splitNumber: 4,
      axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false },
    }),
    series: [
      { type: "scatter", data: inDrawingOrder(placed.map(({ trial }) => trial)).map((trial) => points.get(trial)), emphasis: pointedAt(colours) },
      ...lines,
    ],
  };
}
return { drawSlices };
})();
modules["learning.js"] = (() => {
/* Accuracy and loss by epoch of the best five trials: each with the colour of its model and, by its place, its dashes. */

const { choice, fixed, make, setting, tip } = modules["dom.js"];
const { completed, curveOf, labelOf, numberOf, report, searchedDatasets, searchedModels, settings } = modules["data.js"];
const { axis, chart, colourOf, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { OF_TRIALS, strengthOf } = modules["filters.js"];
const { datasetShown, letterOf, linkedChoice, modelShown } = modules["selection.js"];
const { onChange } = modules["store.js"];
const { dashOf, lineKey, lineLook } = modules["legend.js"];

const BEST = 5;
const { name: chosenBy, column, label } = report.objective;
const UNPENALISED = Object.values(report.curves).some((curve) => curve.unpenalised_loss) ? ["unpenalised_loss"] : [];
/** What is drawn: by accuracy and loss, the loss without penalties where there are any, and the objective where it is
 * another, of which training knows nothing. */
const DRAWN = [
  ["accuracy", "accuracy"], ["loss", "loss"], ...UNPENALISED.map((metric) => [metric, "loss without penalties"]),
  ...(chosenBy === "accuracy" ? [] : [[chosenBy, label]]),
];
const RECORDED = [
  ...["accuracy", "loss", ...UNPENALISED].flatMap((metric) => [metric, `val_${metric}`]),
  ...(chosenBy === "accuracy" ? [] : [column]),
];

function drawLearning(place) {
  const scopes = searchedDatasets.flatMap((dataset) => [
    ...(searchedModels.length > 1 ? [{ dataset, model: null }] : []),
    ...searchedModels.map((model) => ({ dataset, model })),
  ]).filter((scope) => best(scope).length);
  if (!scopes.length) return place.remove();
  const datasets = [...new Set(scopes.map(({ dataset }) => dataset))];
  const models = [...new Set(scopes.map(({ model }) => model))];
  const choose = () => {
    const there = scopes.filter(({ dataset }) => dataset === datasetShown(datasets));
    return there.find(({ model }) => model === modelShown(models)) ?? there[0];
  };
  let chosen = choose();
  let late = false;
  const name = ({ dataset, model }) =>
    (model === null ? "all models" : labelOf(model)) + (searchedDatasets.length > 1 ? ` on ${dataset}` : "");
  const controls = [
    ...(datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((one) => [one, one]), () => choose().dataset)] : []),
    ...(models.length > 1 ? [linkedChoice("Trials of", "model", models.map((one) => [one ?? "", one === null ? "all models" : labelOf(one)]), () => choose().model ?? "")] : []),
    choice("Epochs", [["", "all"], ["late", "second half"]], (which) => { late = which === "late"; show(); }),
  ];
  const { body, changed } = figure(place, {
    name: "curves",
    heading: "The best trials, epoch by epoch",
    controls,
    caption: () => {
      const count = Math.min(BEST, best(chosen).length);
      const pins = best(chosen).some(letterOf) ? ", with pinned ones" : "";
      return `${count === 1 ? "This is the best trial" : `These are the best ${count} trials`} of ${name(chosen)}${pins}: thick lines are scores on ${report.validates_on}, thin ones on training images. Colours are those of models${count > 1 ? ", and dashes tell trials apart" : ""}.`;
    },
    table: () => ({
      columns: ["trial", "model", "data set", "rank", "epoch", ...RECORDED],
      rows: best(chosen).flatMap((trial) => {
        const curve = Object.fromEntries(Object.entries(curveOf(trial)).map(([name, points]) => [name, new Map(points)]));
        return [...curve[column].keys()].map((epoch) => [
          trial.trial, labelOf(trial.model), trial.dataset, trial.rank, epoch, ...RECORDED.map((metric) => curve[metric]?.get(epoch) ?? null),
        ]);
      }),
    }),
  });
  const legend = make("ul", { class: "keys" });
  body.append(legend);
  const drawings = DRAWN.map(([metric, words]) => {
    const here = box(isNarrow() ? 300 : 330, "half");
    body.append(here);
    return chart(here, {
      ofTrials: true,
      follows: OF_TRIALS,
      option: (colours) => option(colours, best(chosen), metric, words, late),
      describe: () => `${words} by epoch of the best trials of ${name(chosen)}`,
    });
  });
  function tell() {
    changed();
    const mark = (type, trial) => drawings.forEach((drawing) => drawing.instance()?.dispatchAction({ type, seriesName: trial.trial }));
    legend.replaceChildren(...best(chosen).map((trial, k) => lineKey(
      { ...lineLook(numberOf(trial.model)), dash: k, title: `${letterOf(trial) || k + 1}  ${labelOf(trial.model)}`, value: fixed(trial.score) },
      { onmouseenter: () => mark("highlight", trial), onmouseleave: () => mark("downplay", trial) },
    )));
  }
  function show() {
    tell();
    drawings.forEach((drawing) => drawing.redraw());
  }
  onChange(["model", "dataset"], () => {
    chosen = choose();
    show();
  });
  onChange(OF_TRIALS, tell);
  show();
}

function best({ dataset, model }) {
  const there = completed.filter((trial) => trial.dataset === dataset && strengthOf(trial) && (report.curves[trial.trial] || report.histories.trials[trial.trial]));
  const ranked = there.filter((trial) => model === null || trial.model === model).slice(0, BEST);
  return [...ranked, ...there.filter((trial) => letterOf(trial) && !ranked.includes(trial))];
}

function option(colours, trials, metric, words, late) {
  if (!trials.length) return { title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } } };
  const curves = new Map(trials.map((trial) => [trial, curveOf(trial)]));
  const pointsOf = (trial, which) => curves.get(trial)[which] ?? [];
  const epochs = Math.max(...trials.map((trial) => pointsOf(trial, "val_loss").at(-1)?.[0] ?? 1));
  const first = late ? Math.ceil(epochs / 2) : 1;
  const ends = epochs > first ? { min: first, max: epochs }
    : { min: first - 0.5, max: first + 0.5, axisLabel: { customValues: [first] } }; // a single epoch stands in the middle
  const line = (trial, k, which, thin) => ({
    type: "line", name: trial.trial, id: thin ? undefined : trial.trial, z: letterOf(trial) ? 5 : thin ? 2 : 3,
    data: pointsOf(trial, which).filter(([epoch]) => epoch >= first),
    symbol: "circle", symbolSize: 5, showSymbol: pointsOf(trial, which).length === 1,
    lineStyle: { width: thin ? 1 : letterOf(trial) ? 3.2 : 2.2, opacity: (thin ? 0.6 : 1) * strengthOf(trial), type: dashOf(k) },
    itemStyle: { color: colourOf(colours, numberOf(trial.model)) },
    emphasis: { lineStyle: { width: 4, opacity: 1 } },
    tooltip: { show: !thin },
    silent: thin,
  });
  return {
    grid: { left: 52, right: 14, top: 34, bottom: 46 },
    title: { text: words, left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesName, data }) => {
      const place = trials.findIndex(({ trial }) => trial === seriesName);
      const trial = trials[place];
      return tip(`${letterOf(trial) || place + 1}  ${labelOf(trial.model)} ${fixed(trial.score)}`, [["epoch", data[0]], [words, fixed(data[1])], ...settings(trial).map(([n, v]) => [n, setting(v)])]);
    }, { trigger: "item" }),
    xAxis: axis(colours, { type: "value", name: "epoch", minInterval: 1, splitLine: { show: false }, ...ends }),
    yAxis: axis(colours, {
      type: "value", scale: true, splitNumber: 5,
      max: metric === "accuracy" ? ({ max, min }) => Math.min(1, max + 0.05 * (max - min)) : undefined,
      axisLabel: { formatter: (y) => String(Number(y.toPrecision(3))), showMaxLabel: metric === "accuracy" ? false : undefined },
    }),
    series: trials.flatMap((trial, k) => [
      line(trial, k, `val_${metric}`, false), ...(pointsOf(trial, metric).length ? [line(trial, k, metric, true)] : []),
    ]),
  };
}
return { drawLearning };
})();
modules["roc.js"] = (() => {
/* ROC curves of each class against the rest, whole and in the upper left corner. */

const { choice, fixed, make, tip } = modules["dom.js"];
const { numberOf, report } = modules["data.js"];
const { axis, chart, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { chosenChoices, chosenShown, chosenThere, classChoice, classShown, linkedChoice } = modules["selection.js"];
const { field, onChange, valueOf } = modules["store.js"];
const { dashOf, lineKey, lineLook } = modules["legend.js"];
const { ZOOM, zoomButtons } = modules["zoom.js"];

/** How far the corner reaches from 0 and from 1. */
const CORNERS = [1, 0.5, 0.3, 0.2, 0.1, 0.05, 0.03, 0.02, 0.01, 0.005];

/** How false positive rates stand on the axes of curves. */
field("rates", { initial: "log", read: (text) => (["log", "linear"].includes(text) ? text : null) });
const isLog = () => valueOf("rates") === "log";
const ratesChoice = () => linkedChoice("Axis", "rates", [["log", "logarithmic"], ["linear", "linear"]]);

/** Where a rate of 0 stands on a logarithmic axis: at half an image, as in the report. */
const leastRate = (models) => 0.5 / Math.max(1, ...models.map((model) => model.test_size));

/** What guessing gives, for charts with a linear axis. */
const guess = (colours) => ({
  type: "line", data: [[0, 0], [1, 1]], symbol: "none", silent: true, z: 1, clip: true, lineStyle: { color: colours.quiet, width: 1.2, type: "dashed" },
});

function drawRoc(place) {
  let wanted = 0; // how large a corner was asked for, or 0: as the curves need it
  const corner = () => wanted || tellingCorner(curves());
  const corners = choice("Corner", [[0, "as the curves need"], ...CORNERS.slice(1).map((size) => [size, `${size} × ${size}`])], (size) => {
    wanted = Number(size);
    show();
  });
  const drawings = [];
  const { body, changed } = figure(place, {
    name: "roc",
    heading: "ROC, each class against the rest",
    controls: [...chosenChoices(), classChoice("Curves of", "each class"), ratesChoice(), corners, zoomButtons(() => drawings, [0, 1])],
    caption: () => {
      const many = report.chosen.some((one) => one.roc.length < one.classes.length);
      return `The left chart shows the true positive rate by the false positive rate on the test images${isLog() ? ", which stands on a logarithmic axis" : "; the dashed line is what guessing gives"}. The right chart shows the upper left corner alone, up to a false positive rate of ${corner()}. Beside each class stands the area under its curve.${many ? " Of many classes the 20 with the smallest areas are drawn." : ""} Zoom with the buttons, with Ctrl and the wheel, or with two fingers.`;
    },
    table: () => ({
      columns: ["model", "data set", "class", "auc", "false_positive_rate", "true_positive_rate"],
      rows: curves().flatMap(({ model, name, auc, x, y }) => x.map((rate, k) => [model.label, model.dataset, name, auc, rate, y[k]])),
    }),
  });
  const legend = make("ul", { class: "keys" });
  for (const inCorner of [false, true]) {
    const here = box(isNarrow() ? 320 : 440, "half");
    here.id = inCorner ? "roc-corner" : "roc";
    body.append(here);
    drawings.push(chart(here, {
      option: (colours) => option(colours, curves(), inCorner ? corner() : 1, !inCorner && isLog(), inCorner),
      describe: () => curves().map(({ title, auc }) => `${title}: area ${fixed(auc)}`).join(", "),
    }));
  }
  body.append(legend);
  function show() {
    changed();
    legend.replaceChildren(...curves().map(({ title, auc, look }, k) => lineKey(
      { ...look, title, value: fixed(auc) },
      { onmouseenter: () => mark("highlight", k), onmouseleave: () => mark("downplay", k) },
    )));
    drawings.forEach((drawing) => drawing.redraw());
  }
  const mark = (type, seriesIndex) => drawings.forEach((drawing) => drawing.instance()?.dispatchAction({ type, seriesIndex }));
  onChange(["model", "dataset", "label", "rates"], show);
  show();
}

/** The curves of each class of the model that is shown, in colours of classes, or of all models for the class that is
 * looked at, in those of models. */
function curves() {
  const shown = chosenShown();
  const wanted = classShown(shown);
  const curve = (model, [label, auc, x, y]) => ({ model, name: model.classes[label], auc, x, y });
  if (wanted === null) return shown.roc.map((one, k) => ({ ...curve(shown, one), title: shown.classes[one[0]], look: lineLook(k, true) }));
  return chosenThere().flatMap((model) => model.roc
    .filter(([label]) => label === wanted)
    .map((one) => ({ ...curve(model, one), title: model.label, look: lineLook(numberOf(model.model)) })));
}

/** The smallest corner in which the bend of every curve can be seen. */
function tellingCorner(shown) {
  const bends = shown.filter(({ x }) => x.length).map(({ x, y }) => Math.min(...x.map((rate, k) => Math.max(rate, 1 - y[k]))));
  const wanted = 2 * Math.max(0.002, ...bends);
  return CORNERS.filter((size) => size >= wanted).at(-1) ?? 1;
}

function option(colours, shown, reach, log, inCorner) {
  const short = (rate) => String(Number(rate.toPrecision(3)));
  const least = leastRate(shown.map(({ model }) => model));
  return {
    grid: { left: 58, right: 14, top: 30, bottom: 46 },
    title: { text: inCorner ? "upper left corner" : "whole", left: 0, top: 0, textStyle: { color: colours.ink, fontSize: 13, fontWeight: 600 } },
    tooltip: tooltip(colours, ({ seriesIndex, dataIndex }) => {
      const { model, name, auc, x, y } = shown[seriesIndex];
      return tip(`${name}, ${model.label}`, [["false positive rate", fixed(x[dataIndex])], ["true positive rate", fixed(y[dataIndex])], ["area", fixed(auc)]]);
    }, { trigger: "item" }),
    dataZoom: [{ xAxisIndex: 0, filterMode: "none", ...ZOOM }, { yAxisIndex: 0, filterMode: "none", ...ZOOM }],
    xAxis: axis(colours, { type: log ? "log" : "value", min: log ? least : 0, max: reach, name: "false positive rate", axisLabel: { formatter: short, showMinLabel: log ? false : null } }),
    yAxis: axis(colours, { type: "value", min: 1 - reach, max: 1, name: "true positive rate", nameGap: 42, splitNumber: reach === 1 ? 5 : 4, axisLabel: { formatter: short } }),
    series: [
      ...shown.map(({ title, x, y, look }) => ({
        type: "line", name: title, data: x.map((rate, n) => [log ? Math.max(rate, least) : rate, y[n]]),
        symbol: "circle", symbolSize: 5, showSymbol: false, clip: true,
        lineStyle: { width: 1.8, color: look.colour(colours), type: dashOf(look.dash) },
        itemStyle: { color: look.colour(colours) },
        emphasis: { focus: "series", lineStyle: { width: 3 } },
      })),
      ...(log ? [] : [guess(colours)]),
    ],
  };
}
return { isLog, ratesChoice, leastRate, guess, drawRoc };
})();
modules["tiles.js"] = (() => {
/* Test images of a sheet, drawn one by one. */

const { make } = modules["dom.js"];
const { chosenShown } = modules["selection.js"];
const { field, onChange, put, valueOf } = modules["store.js"];

/** Images on the page are so many pixels wide. */
const SHOWN = 72;

/** Whether heat maps lie over the images. */
field("heat", { initial: false, read: (text) => text === "yes", write: (heat) => (heat ? "yes" : "") });

/** The heat maps of a model on a sheet, or null where none are wanted or kept. */
const heatOf = (sheet, { model }) => (valueOf("heat") ? sheet?.heat[model] ?? null : null);

/** The switch of the heat maps, which is the same in every panel; it says where the model that is shown has none. */
function heatSwitch() {
  const tick = make("input", { type: "checkbox", onchange: () => put({ heat: tick.checked }) });
  const words = make("span");
  const follow = () => {
    const { heat, label } = chosenShown();
    tick.checked = valueOf("heat");
    tick.disabled = !heat;
    words.textContent = heat ? "Heat maps" : `No heat maps of ${label}`;
  };
  onChange(["model", "dataset", "heat"], follow);
  follow();
  return make("label", { class: "choice", title: "Where the model saw the class that it took an image for, by Grad-CAM (Selvaraju et al., 2017)" }, tick, words);
}

/**
 * Images of a sheet side by side, each in a figure.
 *
 * `shown` has of each its `place` on the sheet, what a screen reader `says` of it and `lines` under it, texts or elements.
 * `heat` are the heat maps that lie over the images, where there are any.
 */
function tiles(sheet, shown, heat = null) {
  const scale = SHOWN / sheet.width;
  const drawn = shown.map(({ place, says, lines }) => {
    const file = sheet.files?.[place];
    const canvas = make("canvas", {
      width: sheet.width, height: sheet.height, role: "img", style: `width:${SHOWN}px;height:${Math.round(scale * sheet.height)}px`,
      "aria-label": `${file ? `${file}: ` : ""}${says}`,
    });
    const name = file ? [make("span", { class: "file", title: file }, file.split("/").pop())] : [];
    const over = heat?.of.includes(place) ? make("canvas", { width: SHOWN, height: Math.round(scale * sheet.height), class: "heat-map", "aria-hidden": "true" }) : null;
    const element = make("figure", { class: "tile", style: `max-width:${SHOWN + 24}px` }, make("div", { class: "seen", style: `width:${SHOWN}px` }, canvas, over), make("figcaption", {}, ...lines, ...name));
    return { place, canvas, over, element };
  });
  const picture = new Image();
  picture.onload = () => {
    for (const { place, canvas } of drawn) {
      const [x, y] = [(place % sheet.across) * sheet.width, Math.floor(place / sheet.across) * sheet.height];
      canvas.getContext("2d").drawImage(picture, x, y, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height);
      canvas.dataset.drawn = "yes";
    }
  };
  picture.src = sheet.source;
  if (heat) drawHeat(sheet, heat, drawn.filter(({ over }) => over));
  return make("div", { class: "tiles" }, ...drawn.map(({ element }) => element));
}

/** Draw heat maps over the images that they are of, with values between those that are kept. */
function drawHeat(sheet, heat, drawn) {
  const picture = new Image();
  picture.onload = () => {
    for (const { place, over } of drawn) {
      const number = heat.of.indexOf(place);
      const [x, y] = [(number % sheet.across) * heat.width, Math.floor(number / sheet.across) * heat.height];
      const context = over.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, x, y, heat.width, heat.height, 0, 0, over.width, over.height);
      over.dataset.drawn = "yes";
    }
  };
  picture.src = heat.source;
}

/** A confidence in short. */
const sure = (confidence) => (confidence >= 0.9995 && confidence < 1 ? "p > 0.999" : `p = ${confidence.toFixed(3)}`);
return { heatOf, heatSwitch, tiles, sure };
})();
modules["confusion.js"] = (() => {
/* The confusion matrix as a table: each cell with mistakes is a button that shows the images. */

const { cutMiddle, make, tip } = modules["dom.js"];
const { images, report } = modules["data.js"];
const { oneStop } = modules["arrows.js"];
const { axis, chart, isNarrow, tooltip } = modules["charts.js"];
const { download } = modules["figure.js"];
const { pictureButtons } = modules["saving.js"];
const { chosenChoices, chosenShown, classShown } = modules["selection.js"];
const { onChange, valueOf } = modules["store.js"];
const { heatOf, heatSwitch, sure, tiles } = modules["tiles.js"];

/** More classes than this are shown as a picture, with buttons for the most frequent mistakes. */
const MOST_CLASSES = 26;
const LISTED = 60;
/** A cell of the picture is so many pixels wide and high, at least; names beside it take so many. */
const [CELL, NAMES] = [11, 150];
const VIEWS = [["count", "numbers of images"], ["row", "% of each true class"], ["column", "% of each predicted class"]];

function drawConfusion(place) {
  let chosen = chosenShown();
  let view = "count";
  const frame = make("div");
  const album = make("div", { class: "album", role: "region", "aria-live": "polite", "aria-label": "Misclassified images" });
  let reopen = () => {};
  const views = make("select", { onchange: () => { view = views.value; show(); } });
  const save = make("div", { class: "toolbar", role: "toolbar", "aria-label": "Save" },
    make("button", {
      type: "button", class: "quiet-button", "aria-label": "The confusion matrix as a CSV file",
      onclick: () => download("confusion", { columns: ["true class", "predicted class", "images"], rows: chosen.confusion.flatMap((row, k) => row.map((count, m) => [chosen.classes[k], chosen.classes[m], count])) }),
    }, "CSV"),
    ...pictureButtons("The confusion matrix", () => {
      const cells = cellsOf(chosen, view);
      const many = chosen.classes.length > MOST_CLASSES;
      return { frame, name: "confusion", heading: titleOf(chosen, cells), ...(many ? {} : tablePicture(chosen, cells)) };
    }));
  oneStop(save, "button");
  const controls = [...chosenChoices(), make("label", { class: "choice" }, "Cells", views), heatSwitch(), save];
  const open = (true_, predicted, button) => {
    frame.querySelectorAll("[aria-pressed=true]").forEach((other) => other.setAttribute("aria-pressed", "false"));
    button?.setAttribute("aria-pressed", "true");
    reopen = () => fill(album, chosen, true_, predicted);
    reopen();
  };
  let seen = false; // images are read when they come near
  const openWorst = () => {
    const [every, some] = ["button", ".of-class button"].map((which) => [...frame.querySelectorAll(`${which}[data-count]`)]);
    (some.length ? some : every).sort((a, b) => b.dataset.count - a.dataset.count)[0]?.click();
  };
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    seen = true;
    openWorst();
  }, { rootMargin: "200px" }).observe(frame);
  /** Offer the views of a model: numbers, shares, and the difference from each other model of its data set. */
  function offer() {
    const others = report.chosen.filter((one) => one !== chosen && one.dataset === chosen.dataset);
    const every = [...VIEWS, ...others.map((one) => [`− ${one.model}`, `${chosen.label} − ${one.label}`])];
    views.replaceChildren(...every.map(([value, text]) => make("option", { value }, text)));
    view = every.some(([value]) => value === view) ? view : "count";
    views.value = view;
  }
  function show() {
    const cells = cellsOf(chosen, view);
    const few = chosen.classes.length <= MOST_CLASSES;
    frame.className = few ? "" : "many";
    frame.replaceChildren(few ? matrix(chosen, cells, open) : overview(chosen, cells, open), ramp(cells));
    reopen = () => {};
    followClass();
    const wrong = chosen.confusion.some((counts, row) => counts.some((count, column) => count && row !== column));
    album.replaceChildren(make("p", { class: "quiet" }, wrong ? "Choose a cell with mistakes to see its images." : `${chosen.label} made no mistake on ${chosen.dataset}.`));
    if (seen) openWorst();
  }
  /** Mark the row and the column of the class that is looked at; of a picture show its mistakes alone beside it. */
  function followClass() {
    markClass(frame.querySelector(".matrix"), classShown(chosen));
    frame.querySelector(".worst")?.replaceChildren(...worst(chosen, open));
    for (const row of document.querySelectorAll(".heat [data-class]")) row.classList.toggle("of-class", row.dataset.class === valueOf("label"));
  }
  place.replaceChildren(make("div", { class: "controls" }, ...controls), make("div", { class: "confusions" }, frame, album));
  onChange(["model", "dataset", "label"], (names) => {
    if (names.some((name) => name !== "label")) {
      chosen = chosenShown();
      offer();
      return show();
    }
    followClass();
    return seen && openWorst();
  });
  onChange(["heat"], () => reopen());
  offer();
  show();
}

/**
 * What the cells of a view hold.
 *
 * `values` are numbers by true and predicted class; `most` is the largest beside the diagonal, without its sign, by which
 * colours go; `text` writes a value; `signed` says whether values are differences; `what` calls them.
 */
function cellsOf({ model, label, dataset, classes, confusion }, view) {
  const beside = (values) => Math.max(...values.flatMap((row, a) => row.map((value, b) => (a === b ? 0 : Math.abs(value)))), 0);
  const sums = (rows) => rows.map((row) => row.reduce((a, b) => a + b, 0));
  if (view.startsWith("− ")) {
    const other = report.chosen.find((one) => one.model === view.slice(2) && one.dataset === dataset && one.model !== model);
    const values = confusion.map((row, a) => row.map((count, b) => count - other.confusion[a][b]));
    const text = (value) => (value > 0 ? `+${value}` : String(value).replace("-", "−"));
    return { values, most: beside(values), text, signed: true, what: `test images more or fewer than ${other.label}` };
  }
  if (view === "count") return { values: confusion, most: beside(confusion), text: String, signed: false, what: "test images" };
  const totals = view === "row" ? sums(confusion) : sums(classes.map((_, b) => confusion.map((row) => row[b])));
  const values = confusion.map((row, a) => row.map((count, b) => (100 * count) / (totals[view === "row" ? a : b] || 1)));
  const text = (value) => (value && (value < 0.95 || (value > 99 && value < 100)) ? value.toFixed(1) : String(Math.round(value)));
  return { values, most: beside(values), text, signed: false, what: view === "row" ? "% of the test images of each true class" : "% of the test images taken for each class" };
}

/** How strong the colour of a cell is, from 0 to 1: of mistakes by the largest of them. */
const strength = ({ values, most }, row, column) =>
  Math.min(1, Math.abs(values[row][column]) / (most || 1));

/** What the colours of mistakes go by. */
function ramp({ most, text, signed }) {
  if (!most) return make("span");
  const bar = make("span", { class: signed ? "ramp-bar signed" : "ramp-bar wrong-bar" });
  return make("div", { class: "ramp mistakes-ramp" }, signed ? `${text(-most)} fewer mistakes` : "mistakes: 0", bar, signed ? `${text(most)} more` : text(most));
}

const titleOf = ({ label, dataset }, { what }) => `${label} on ${dataset}: ${what} by true class (row) and predicted class (column)`;

function matrix(chosen, cells, open) {
  const { classes, confusion } = chosen;
  const head = make("tr", {}, make("th", { scope: "col", class: "corner" }, "predicted →", make("br"), "true ↓"),
    ...classes.map((name) => make("th", { scope: "col", class: "turned", title: name }, make("span", {}, cutMiddle(name, 18)))));
  const rows = confusion.map((counts, row) => make("tr", {},
    make("th", { scope: "row", title: classes[row] }, cutMiddle(classes[row], 18)),
    ...counts.map((count, column) => {
      const value = cells.values[row][column];
      const right = row === column;
      if (!count && !value) return make("td", {}, make("span", { class: "none" }, "·"));
      const good = cells.signed ? value > 0 === right : right;
      const share = right && !cells.signed ? count / (counts.reduce((a, b) => a + b, 0) || 1) : strength(cells, row, column);
      const look = { class: !value && cells.signed ? null : good ? "right" : "wrong", style: `--v:${share.toFixed(3)}` };
      return make("td", look, right || !count ? cells.text(value) : cellButton(chosen, row, column, cells.text(value), open));
    })));
  const wide = isNarrow() || classes.length > 14 || Math.max(...classes.map((name) => name.length)) > 8;
  const table = make(
    "table", { class: `matrix ${wide ? "wide" : ""}` },
    make("caption", {}, titleOf(chosen, cells)),
    make("thead", {}, head), make("tbody", {}, ...rows),
  );
  oneStop(table, "button", "tr");
  return make("div", { class: "scroll", role: "region", "aria-label": "Confusion matrix" }, table);
}

/** Mark a class in the matrix, or none. */
function markClass(table, label) {
  for (const cell of table?.querySelectorAll("th, td") ?? []) {
    const [row, column] = [cell.parentNode.rowIndex - 1, cell.cellIndex - 1];
    cell.classList.toggle("of-class", label !== null && (row === label || column === label));
  }
}

function cellButton(chosen, row, column, text, open) {
  const [a, b] = [chosen.classes[row], chosen.classes[column]];
  const count = chosen.confusion[row][column];
  const button = make("button", {
    type: "button", "aria-pressed": "false", "data-count": count, title: `${a} taken for ${b}`,
    "aria-label": `${count} of ${a} taken for ${b}: show the images`, onclick: () => open(row, column, button),
  }, text);
  return button;
}

/** Many classes: the whole matrix as a picture with a name for each row, and the most frequent mistakes as buttons. */
function overview(chosen, cells, open) {
  const { classes, confusion, label, dataset } = chosen;
  const here = make("div", { class: "chart", style: `height:${70 + CELL * classes.length}px;min-width:${NAMES + CELL * classes.length}px` });
  here.id = "confusion-overview";
  chart(here, {
    renderer: "canvas",
    follows: ["label"],
    describe: () => `Confusion matrix of ${label} on ${dataset}, ${classes.length} classes`,
    ready: (instance) => instance.on("click", ({ data }) => data && data[0] !== data[1] && confusion[data[1]][data[0]] && open(data[1], data[0])),
    option: (colours) => picture(colours, chosen, cells),
  });
  const words = make("p", { class: "quiet" }, `${titleOf(chosen, cells)}. The diagonal is grey.`);
  return make("div", {}, words, make("div", { class: "scroll", role: "region", "aria-label": "Confusion matrix" }, here), make("div", { class: "worst" }));
}

/** The matrix of few classes as it is saved: larger cells, each with its value. */
function tablePicture(chosen, cells) {
  const names = chosen.classes.map((name) => cutMiddle(name, 18));
  const [wide, high] = [48, 34].map((size) => size * names.length);
  const turned = Math.max(...names.map((name) => name.length)) > 6;
  const below = turned ? 150 : 60;
  const value = (colours) => ({
    itemStyle: { borderColor: colours.card, borderWidth: 2 },
    label: { show: true, color: colours.ink, formatter: ({ data }) => cells.text(data[2]) },
  });
  const option = (colours) => {
    const { xAxis, yAxis, grid, series, ...rest } = picture(colours, chosen, cells);
    const axisLabel = { fontSize: 12 };
    return {
      ...rest,
      grid: { ...grid, bottom: below },
      xAxis: { ...xAxis, data: names, name: "predicted class", nameGap: below - 24, axisLabel: { ...xAxis.axisLabel, ...axisLabel, rotate: turned ? 90 : 0 } },
      yAxis: { ...yAxis, data: names, name: "true class", nameGap: NAMES - 22, axisLabel: { ...yAxis.axisLabel, ...axisLabel } },
      series: series.map((one) => ({ ...one, ...value(colours) })),
    };
  };
  return { option, width: NAMES + wide + 8, height: 6 + high + below };
}

/** The matrix as a picture. */
function picture(colours, chosen, cells) {
  const { classes, confusion } = chosen;
  const all = cells.values.flatMap((values, row) => values.map((value, column) => [column, row, value])).filter(([, , value]) => value);
  const looked = classShown(chosen);
  const axisLabel = { interval: 0, fontSize: 10, hideOverlap: false, color: (_, k) => (Number(k) === looked ? colours.accent : colours.quiet) };
  return {
    grid: { left: NAMES, right: 8, top: 6, bottom: 56 },
    tooltip: tooltip(colours, ({ data }) => tip(`${classes[data[1]]} taken for ${classes[data[0]]}`, [
      [cells.what, cells.text(data[2])], ["images", confusion[data[1]][data[0]]],
    ])),
    xAxis: axis(colours, { type: "category", data: classes.map((_, k) => k), name: "predicted class, by number", nameGap: 32, axisLabel: { ...axisLabel, rotate: 90 }, splitLine: { show: false } }),
    yAxis: axis(colours, { type: "category", data: classes.map((name, k) => `${cutMiddle(name, 18)}  ${k}`), inverse: true, axisLabel, splitLine: { show: false } }),
    visualMap: [
      {
        show: false, seriesIndex: 0, min: cells.signed ? -cells.most : 0, max: cells.most || 1,
        inRange: { color: cells.signed ? [colours.good, colours.card, colours.warm] : [colours.faint, colours.warm] },
      },
      { show: false, seriesIndex: 1, min: 0, max: 1, inRange: { color: [colours.pale] } },
    ],
    series: [
      { type: "heatmap", data: all.filter(([column, row]) => column !== row), progressive: 0 },
      { type: "heatmap", data: all.filter(([column, row]) => column === row), progressive: 0 },
    ],
  };
}

/** The most frequent mistakes as buttons under a heading; of the class that is looked at alone, where there is one. */
function worst(chosen, open) {
  const { classes, confusion } = chosen;
  const looked = classShown(chosen);
  const mistakes = confusion.flatMap((counts, row) => counts.map((count, column) => [column, row, count]))
    .filter(([column, row, count]) => count && column !== row && (looked === null || column === looked || row === looked));
  const found = mistakes.sort((a, b) => b[2] - a[2] || a[1] - b[1] || a[0] - b[0]).slice(0, LISTED);
  const list = make("ul", { class: "pairs" }, ...found.map(([column, row, count]) =>
    make("li", {}, cellButton(chosen, row, column, `${cutMiddle(classes[row], 20)} → ${cutMiddle(classes[column], 20)}: ${count}`, open))));
  oneStop(list, "button");
  return [make("h3", {}, `The ${found.length} most frequent mistakes${looked === null ? "" : ` with ${cutMiddle(classes[looked], 40)}`}`), list];
}

/** Show the images of a cell. */
function fill(album, chosen, row, column) {
  const { sheets, cells } = images();
  const sheet = sheets[chosen.dataset];
  const found = cells.find(([dataset, model, a, b]) => dataset === chosen.dataset && model === chosen.model && a === row && b === column);
  const count = chosen.confusion[row][column];
  const [a, b] = [chosen.classes[row], chosen.classes[column]];
  const shown = found ? found[4] : [];
  const some = shown.length < count ? `, the ${shown.length} that it was surest of` : ", the surest first";
  const text = `${chosen.label} took ${count} ${count === 1 ? "image" : "images"} of ${a} for ${b}${count > 1 ? some : ""}.`;
  album.replaceChildren(make("p", {}, text));
  if (!shown.length) return;
  const heat = heatOf(sheet, chosen);
  if (heat) album.append(make("p", { class: "quiet" }, `Red is where it saw ${b} (Grad-CAM).`));
  album.append(tiles(sheet, shown.map(([place, confidence]) => ({
    place, says: `${a} taken for ${b} with a confidence of ${confidence.toFixed(3)}`, lines: [sure(confidence)],
  })), heat));
}
return { drawConfusion };
})();
modules["oneclass.js"] = (() => {
/* One class: precision and recall at a threshold that is moved, what it is mistaken for, and the images, of two models. */

const { choice, cut, fixed, make, tip } = modules["dom.js"];
const { images, numberOf, report } = modules["data.js"];
const { axis, chart, colourOf, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { chosenChoices, chosenShown, chosenThere, classChoice, classShown, follower } = modules["selection.js"];
const { guess, isLog, leastRate, ratesChoice } = modules["roc.js"];
const { field, onChange, put, valueOf } = modules["store.js"];
const { heatOf, heatSwitch, sure, tiles } = modules["tiles.js"];

const LEVELS = report.thresholds;
/** The place among the levels of the threshold. */
field("threshold", {
  initial: LEVELS.indexOf(0.5),
  read: (text) => (LEVELS.includes(Number(text)) ? LEVELS.indexOf(Number(text)) : null),
  write: (place) => String(LEVELS[place]),
});
/** The model that the shown one is held against, or "". */
field("against", { initial: "", read: (text) => (report.models.some(({ name }) => name === text) ? text : null) });

function drawOneClass(place) {
  let which = "precision";
  let opened = ""; // the mistake whose images are shown
  const slider = make("input", { type: "range", min: 0, max: LEVELS.length - 1, step: 1, "aria-label": "Probability from which on an image is given to the class" });
  slider.addEventListener("input", () => put({ threshold: Number(slider.value) }, "threshold"));
  const said = make("p", { class: "operating", role: "status" });
  const scales = ratesChoice();
  const { body, changed } = figure(place, {
    name: "class",
    heading: "One class",
    controls: [
      ...chosenChoices(), classChoice("Class", "told apart worst"), againstChoice(),
      choice("Curve", [["precision", "precision by recall"], ["roc", "ROC"]], (kind) => { which = kind; show(); }),
      scales, heatSwitch(),
    ],
    caption: () => "Each curve is a model; the mark on it is the threshold, from which on an image is given to the class by its probability on the test images. In the table, and in the images, each image counts for the class that is most probable. A model's own images are shown where it is mistaken, with what the other model says of the same image.",
    table: () => {
      const found = counts();
      return {
        columns: ["model", "class", "threshold", "images", "found", "wrongly", "precision", "recall"],
        rows: found.flatMap(({ model, name, of, right, wrong }) => LEVELS.map((level, k) => [model.label, name, level, of, right[k], wrong[k], ratio(right[k], right[k] + wrong[k]), ratio(right[k], of)])),
      };
    },
  });
  const here = box(isNarrow() ? 300 : 340, "half");
  here.id = "one-class";
  const table = make("div", { class: "half beside" });
  const album = make("div", { class: "album whole", role: "region", "aria-live": "polite", "aria-label": "Images that the class is mistaken in" });
  body.append(make("div", { class: "threshold" }, make("label", { class: "choice" }, "Threshold", slider), said), here, table, album);
  const drawing = chart(here, {
    option: (colours) => option(colours, counts(), which, valueOf("threshold")),
    describe: () => counts().map(({ model, name, of, right, wrong }) => `${model.label}, ${name}: ${told(of, right, wrong)}`).join("; "),
  });
  let seen = false; // images are read when they come near
  new IntersectionObserver(([{ isIntersecting }], observer) => {
    if (!isIntersecting) return;
    observer.disconnect();
    seen = true;
    showImages();
  }, { rootMargin: "200px" }).observe(album);

  function counts() {
    const label = shownClass();
    return chosenThere().flatMap((model) => model.thresholds.filter(([one]) => one === label)
      .map(([, of, right, wrong]) => ({ model, name: model.classes[label], of, right, wrong })));
  }
  function showThreshold() {
    slider.value = String(valueOf("threshold"));
    slider.setAttribute("aria-valuetext", `a probability of ${LEVELS[valueOf("threshold")]}`);
    const mine = counts().find(({ model }) => model === chosenShown());
    said.textContent = mine ? `${mine.model.label}, ${cut(mine.name, 40)}: ${told(mine.of, mine.right, mine.wrong)}` : "";
    drawing.redraw();
  }
  function show() {
    changed();
    scales.hidden = which !== "roc";
    showThreshold();
    table.replaceChildren(mistakes(shownClass(), (key) => { opened = key; show(); }, opened));
    if (seen) showImages();
  }
  function showImages() {
    album.replaceChildren(...imagesOf(shownClass(), opened));
  }
  onChange(["threshold"], showThreshold);
  onChange(["model", "dataset", "label", "against", "rates", "heat"], (names) => {
    if (names.some((name) => ["model", "dataset", "label"].includes(name))) opened = "";
    show();
  });
  show();
}

const ratio = (part, whole) => (whole ? part / whole : null);

/** The class that is looked at, or that with the smallest area of those that the shown model has curves of. */
function shownClass() {
  const chosen = chosenShown();
  const areas = new Map(chosen.roc.map(([label, area]) => [label, area ?? 1]));
  return classShown(chosen) ?? [...areas].sort((a, b) => a[1] - b[1])[0][0];
}

function told(of, right, wrong) {
  const k = valueOf("threshold");
  return `from a probability of ${LEVELS[k]} on, precision ${fixed(ratio(right[k], right[k] + wrong[k]))}, recall ${fixed(ratio(right[k], of))}; ${of - right[k]} of ${of} missed, ${wrong[k]} wrongly given to it.`;
}

/** The models that the shown one can be held against. */
const others = () => chosenThere().filter((one) => one !== chosenShown());

/** The model that the shown one is held against: the chosen one, else the best other one; null where there is none. */
const other = () => others().find(({ model }) => model === valueOf("against")) ?? others()[0] ?? null;

const againstChoice = () => follower("Against", "against", () => others().map(({ model, label }) => [model, label]), () => other()?.model ?? "");

/** What images of the class are taken for, and what is taken for it, with the counts of both models. */
function mistakes(label, open, opened) {
  const [mine, its] = [chosenShown(), other()];
  const { classes, confusion } = mine;
  const rows = classes.flatMap((name, k) => (k === label ? [] : [
    { key: `${label}-${k}`, words: `taken for ${cut(name, 30)}`, count: confusion[label][k], against: its?.confusion[label][k] },
    { key: `${k}-${label}`, words: `${cut(name, 30)} taken for it`, count: confusion[k][label], against: its?.confusion[k][label] },
  ])).filter(({ count, against }) => count || against).sort((a, b) => b.count - a.count || b.against - a.against);
  if (!rows.length) return make("p", { class: "quiet" }, `No test image of ${classes[label]} is mistaken, and none is taken for it.`);
  const row = ({ key, words, count, against }) => make("tr", {},
    make("th", { scope: "row" }, count ? make("button", { type: "button", class: "link", "aria-pressed": String(key === opened), onclick: () => open(key === opened ? "" : key) }, words) : words),
    make("td", { class: "number" }, String(count)), ...(its ? [make("td", { class: "number" }, String(against))] : []));
  return make("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": `Mistakes with ${classes[label]}` }, make("table", { class: "one-class" },
    make("caption", {}, `${classes[label]} on ${mine.dataset}: the images that are mistaken; choose a line to see its images alone`),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "test images"), make("th", { scope: "col", class: "number" }, mine.label), ...(its ? [make("th", { scope: "col", class: "number" }, its.label)] : []))),
    make("tbody", {}, ...rows.map(row))));
}

/** The images of the class's mistakes of the shown model, or of one kind of them, with what the other model says. */
function imagesOf(label, opened) {
  const [mine, its] = [chosenShown(), other()];
  const { sheets, cells } = images();
  const sheet = sheets[mine.dataset];
  const found = cells.filter(([dataset, model, a, b]) => dataset === mine.dataset && model === mine.model && (a === label || b === label) && (!opened || opened === `${a}-${b}`));
  const shown = found.flatMap(([, , a, b, some]) => some.map(([place, confidence]) => ({ a, b, place, confidence }))).sort((one, two) => two.confidence - one.confidence).slice(0, 48);
  if (!sheet || !shown.length) return [];
  const names = mine.classes;
  const say = ({ a, place }) => {
    const answer = its && sheet.said[its.model]?.[place];
    if (!answer) return null;
    const [predicted, percent] = answer;
    return { right: predicted === a, words: `${its.label}: ${predicted === a ? "right" : cut(names[predicted], 16)}, ${percent}\u00a0%` };
  };
  const better = shown.filter((one) => say(one)?.right).length;
  const heat = heatOf(sheet, mine);
  const told = heat ? " Red is where it saw the class that it took an image for (Grad-CAM)." : "";
  const counted = its ? ` ${its.label} is right about ${better} of them.` : "";
  return [
    make("p", {}, `The ${shown.length} surest of these mistakes of ${mine.label} that the page holds.${counted}${told}`),
    tiles(sheet, shown.map((one) => {
      const answer = say(one);
      return {
        place: one.place,
        says: `${names[one.a]} taken for ${names[one.b]} with a confidence of ${one.confidence.toFixed(3)}${answer ? `; ${answer.words}` : ""}`,
        lines: [make("span", { class: "line" }, `${cut(names[one.a], 12)} → ${cut(names[one.b], 12)}`), make("span", { class: "line" }, sure(one.confidence)), ...(answer ? [make("span", { class: `line ${answer.right ? "is-right" : "is-wrong"}` }, answer.words)] : [])],
      };
    }), heat),
  ];
}

function option(colours, found, which, at) {
  const roc = which === "roc";
  const all = new Map(found.map(({ model }) => [model, model.confusion.flat().reduce((a, b) => a + b, 0)])); // test images
  const point = ({ of, right, wrong, model }, k) => (
    roc ? [ratio(wrong[k], all.get(model) - of), ratio(right[k], of)] : [ratio(right[k], of), ratio(right[k], right[k] + wrong[k])]
  );
  const log = roc && isLog();
  const leftmost = leastRate(found.map(({ model }) => model));
  // The third is the rate itself, of what stands at the end of a logarithmic axis
  const placed = ([x, y]) => [log ? Math.max(x, leftmost) : x, y, x];
  const points = found.map((one) => LEVELS.map((_, k) => point(one, k)).filter((both) => !both.includes(null)).map(placed));
  const least = roc && !log ? 0 : Math.min(1, ...points.flat().map(([, y]) => y));
  const names = roc ? ["false positive rate", "true positive rate"] : ["recall", "precision"];
  const mark = (one) => point(one, at);
  return {
    grid: { left: 56, right: 18, top: 34, bottom: 46 },
    legend: { top: 0, left: 0, itemWidth: 18, itemHeight: 8, textStyle: { color: colours.quiet, fontSize: 12 }, data: found.map(({ model }) => model.label) },
    tooltip: tooltip(colours, ({ seriesIndex, data }) => {
      const one = found[seriesIndex % found.length];
      return tip(`${one.model.label}, ${one.name}`, [[names[0], fixed(data[2])], [names[1], fixed(data[1])]]);
    }, { trigger: "item" }),
    xAxis: axis(colours, { type: log ? "log" : "value", min: log ? leftmost : 0, max: 1, name: names[0], axisLabel: { formatter: (x) => String(Number(x.toPrecision(3))), showMinLabel: log ? false : null } }),
    yAxis: axis(colours, { type: "value", min: Math.floor(10 * least) / 10, max: 1, name: names[1], nameGap: 40, axisLabel: { formatter: (y) => String(Number(y.toFixed(3))) } }),
    series: [
      ...found.map(({ model }, k) => ({
        type: "line", name: model.label, data: points[k], symbol: "circle", symbolSize: 4, showSymbol: false,
        lineStyle: { color: colourOf(colours, numberOf(model.model)), width: 2 }, itemStyle: { color: colourOf(colours, numberOf(model.model)) },
      })),
      ...found.map((one) => ({
        type: "scatter", symbolSize: one.model === chosenShown() ? 14 : 9, z: 5, data: mark(one).includes(null) ? [] : [placed(mark(one))],
        itemStyle: { color: colourOf(colours, numberOf(one.model.model)), borderColor: colours.ink, borderWidth: one.model === chosenShown() ? 2 : 1 },
      })),
      ...(roc && !log ? [guess(colours)] : []),
    ],
  };
}
return { drawOneClass };
})();
modules["cost.js"] = (() => {
/* Score against what a model costs: parameters of every trial, file size and latency of the chosen ones. */

const { compact, figures, fixed, make, setting, tip } = modules["dom.js"];
const { completed, labelOf, noHigher, noLower, numberOf, report, settings, timing, trialOf } = modules["data.js"];
const { axis, chart, colourOf, isNarrow, symbolOf, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { OF_TRIALS } = modules["filters.js"];
const { inDrawingOrder, markOf, pointedAt } = modules["marks.js"];
const { datasetShown, linkedChoice } = modules["selection.js"];
const { onChange } = modules["store.js"];
const { modelLegend } = modules["legend.js"];

function drawCost(place) {
  const datasets = report.datasets.filter((name) => completed.some(({ dataset }) => dataset === name) || report.chosen.some(({ dataset }) => dataset === name));
  let chosen = datasetShown(datasets);
  const panels = () => [sizes(chosen), files(chosen), latencies(chosen)].filter(({ points }) => new Set(points.map(({ x }) => x)).size > 1);
  const { body, changed, frame } = figure(place, {
    name: "cost",
    heading: `What ${report.objective.label} costs`,
    controls: datasets.length > 1 ? [linkedChoice("Data set", "dataset", datasets.map((name) => [name, name]), () => datasetShown(datasets))] : [],
    caption: () => "The dashed line joins the Pareto front, whose marks are large: no other trial, or model, is better than one on it in cost or in score without being worse in the other. Test accuracy is the mean over retrainings." + (panels().some(({ points, low }) => points.some(({ y }) => y < low)) ? " Each triangle at the lower edge is a trial further down." : ""),
    table: () => ({
      columns: ["score", "cost", "data set", "model", "trial", "score_value", "cost_value", "pareto_front"],
      rows: panels().flatMap(({ score, cost, points }) => points.map((p) => [score, cost, chosen, labelOf(p.model), p.trial, p.y, p.x, p.front])),
    }),
  });
  frame.querySelector(".charts").before(modelLegend(report.models.map(({ name }) => name)));
  function show() {
    changed();
    const found = panels();
    if (!found.length) return body.replaceChildren(make("p", { class: "quiet" }, "All cost the same here."));
    return body.replaceChildren(...found.map((panel) => {
      const here = box(isNarrow() ? 280 : 310, ["", "", "half", "third"][found.length]);
      chart(here, {
        ofTrials: panel.own,
        follows: panel.own ? OF_TRIALS : [],
        renderer: panel.points.length > 400 ? "canvas" : "svg",
        option: (colours) => option(colours, panel),
        describe: () => `${panel.score} by ${panel.cost} on ${chosen}`,
      });
      return here;
    }));
  }
  onChange(["dataset"], () => {
    if (chosen === datasetShown(datasets)) return;
    chosen = datasetShown(datasets);
    show();
  });
  show();
}

function sizes(dataset) {
  const front = new Set(report.fronts.find((one) => one.dataset === dataset)?.trials ?? []);
  const points = completed.filter((t) => t.dataset === dataset && t.size).map((t) => ({
    x: t.size, y: t.score, model: t.model, trial: t.trial, front: front.has(t.trial),
    lines: [...settings(t).map(([name, value]) => [name, setting(value)])],
  }));
  const low = report.slices.find((one) => one.dataset === dataset)?.low ?? null;
  return { score: report.objective.words, cost: "parameters", text: compact, points, low, own: true };
}

const models = (dataset) => report.chosen.filter((one) => one.dataset === dataset);

function files(dataset) {
  const found = models(dataset);
  const front = new Set(report.file_fronts.find((one) => one.dataset === dataset)?.models ?? []);
  const points = found.map((m) => ({ x: Number(m.megabytes.toFixed(3)), y: m.retrained_mean, model: m.model, trial: null, front: front.has(m.model), lines: [] }));
  return { score: "mean test accuracy", cost: "file, MB", text: (x) => figures(x), points, named: true };
}

function latencies(dataset) {
  const points = models(dataset).flatMap((m) => {
    const row = timing.models?.find((one) => one.model === m.model && one.dataset === dataset);
    if (!row?.latency_ms) return [];
    return [{ x: row.latency_ms, y: m.retrained_mean, model: m.model, trial: null, front: row.front, lines: [] }];
  });
  return { score: "mean test accuracy", cost: "latency, ms per image", text: (x) => figures(x), points, named: true };
}

function option(colours, { score, cost, text, points, named, low, own }) {
  const sorted = points.slice().sort((a, b) => a.x - b.x || a.y - b.y);
  const front = sorted.filter((p) => p.front);
  const many = points.length > 300;
  const bottom = low ?? -Infinity;
  const scores = points.map(({ y }) => y).filter((y) => y >= bottom);
  const room = 0.08 * (Math.max(...scores) - Math.min(...scores) || 0.01);
  const [lowest, highest] = own ? [noLower, noHigher] : [(y) => Math.max(0, y), (y) => Math.min(1, y)];
  const least = lowest(Math.min(...scores) - room);
  const ends = [Math.min(...points.map(({ x }) => x)), Math.max(...points.map(({ x }) => x))];
  const log = ends[1] > 3 * ends[0];
  const margin = log ? (ends[1] / ends[0]) ** 0.08 : 1 + 0.12 * (ends[1] / ends[0] - 1 || 0.1);
  return {
    grid: { left: 56, right: 18, top: 34, bottom: 48 },
    title: { text: score, left: 0, top: 0, textStyle: { color: colours.quiet, fontSize: 12, fontWeight: 400 } },
    tooltip: tooltip(colours, ({ data }) => data.point && tip(labelOf(data.point.model), [
      [cost, text(data.point.x)], [score, fixed(data.point.y)], ["Pareto front", data.point.front ? "yes" : "no"], ...data.point.lines,
    ]), { trigger: "item" }),
    xAxis: axis(colours, {
      type: log ? "log" : "value", min: ends[0] / margin, max: ends[1] * margin, name: cost, splitLine: { show: false },
      nameTextStyle: { color: colours.ink, fontSize: 12, fontWeight: 600 }, axisLine: { show: true, onZero: false, lineStyle: { color: colours.line } },
      splitNumber: 4,
      axisLabel: log
        ? { formatter: (x) => text(Number(x.toPrecision(2))), customValues: ticks(ends[0] / margin, ends[1] * margin) }
        : { formatter: (x) => text(Number(x.toPrecision(3))), showMinLabel: false, showMaxLabel: false },
    }),
    yAxis: axis(colours, { type: "value", min: least, max: highest(Math.max(...scores) + room), splitNumber: 4,
      axisLabel: { formatter: (y) => String(Number(y.toFixed(3))), showMinLabel: false, showMaxLabel: false } }),
    series: [
      { type: "line", step: "end", data: front.map(({ x, y }) => [x, y]), symbol: "none", silent: true, lineStyle: { color: colours.quiet, width: 1.5, type: "dashed" } },
      {
        type: "scatter", cursor: "default",
        emphasis: pointedAt(colours),
        data: inOrder(sorted, own).map((point) => ({
          name: point.trial, value: [point.x, Math.max(point.y, least + 0.25 * room)], point, symbolRotate: point.y < bottom ? 180 : 0,
          symbol: point.y < bottom ? "triangle" : symbolOf(numberOf(point.model)),
          ...lookOf(colours, point, many, named),
        })),
      },
    ],
  };
}

/** Points in the order in which to draw them. */
function inOrder(points, own) {
  if (!own) return points;
  const byTrial = new Map(points.map((point) => [trialOf(point.trial), point]));
  return inDrawingOrder([...byTrial.keys()]).map((trial) => byTrial.get(trial));
}

function lookOf(colours, { model, trial, front }, many, named) {
  const style = {
    color: colourOf(colours, numberOf(model)), opacity: front || named ? 1 : many ? 0.35 : 0.65,
    borderColor: colours.card, borderWidth: front ? 1.5 : 0,
  };
  const size = front ? 12 : many ? 5 : 8;
  return trial ? markOf(colours, trialOf(trial), style, size) : { symbolSize: size, itemStyle: style };
}

/** Round places on a logarithmic axis: tenfold steps, and 2 and 5 between them where these are few. */
function ticks(low, high) {
  const found = (steps) => {
    const places = [];
    for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); k += 1) {
      places.push(...steps.map((step) => Number((step * 10 ** k).toPrecision(3))).filter((x) => low <= x && x <= high));
    }
    return places;
  };
  return [[1], [1, 3], [1, 2, 5]].map(found).find((places) => places.length > 2) ?? found([1, 1.5, 2, 3, 4, 5, 7]);
}
return { drawCost };
})();
modules["timeline.js"] = (() => {
/* When trials ran, and how long the models take: all that a clock measured. */

const { clock, figures, make, setting, tip } = modules["dom.js"];
const { labelOf, numberOf, report, timing, trialOf } = modules["data.js"];
const { axis, chart, colourOf, isNarrow, tooltip } = modules["charts.js"];
const { box, figure } = modules["figure.js"];
const { OF_TRIALS, strengthOf } = modules["filters.js"];
const { letterOf } = modules["selection.js"];
const { modelKey } = modules["legend.js"];
const { ZOOM, zoomButtons } = modules["zoom.js"];

function drawTimeline(place) {
  const { bars, rows, earlier, unplaced, pauses } = timing.timeline;
  if (!bars.length) return place.remove();
  const names = rows.map(([node, worker]) => (node ? `${node} · ${worker}` : `${worker}`));
  const nodes = new Set(rows.map(([node]) => node)).size;
  let drawing = null;
  const { body } = figure(place, {
    name: "timeline",
    heading: "Timeline of the trials",
    controls: [zoomButtons(() => [drawing], [0.5])],
    caption: () => {
      const were = (count) => ` ${count} ${count === 1 ? "trial was" : "trials were"}`;
      const before = (earlier ? `${were(earlier)} trained before this search began and left out.` : "")
        + (unplaced ? `${were(unplaced)} left out of which no worker is recorded.` : "");
      const cuts = pauses.length ? ` At the dotted lines pauses are cut out: ${pauses.map(([, length]) => clock(length)).join(", ")}.` : "";
      return `Each bar is a trial; faint ones are retrainings, and framed ones failed. Each row is a worker${nodes > 1 ? ` of one of ${nodes} machines` : ""}.${before}${cuts} Zoom with the buttons, with Ctrl and the wheel, or with two fingers.`;
    },
    table: () => ({
      columns: ["worker", "begin_s", "end_s", "model", "data set", "role", "trial", "completed"],
      rows: bars.map(([row, begin, end, model, ...rest]) => [names[row], begin, end, labelOf(model), ...rest]),
    }),
  });
  const models = report.models.filter(({ name }) => bars.some((bar) => bar[3] === name));
  const legend = models.map(({ name }) => modelKey(name, "roundRect"));
  const here = box(86 + Math.max(34, Math.min(rows.length * 34, Math.max(420, rows.length * 12))));
  here.id = "timeline";
  body.append(make("div", { class: "legend" }, ...legend), here);
  drawing = chart(here, {
    ofTrials: true,
    follows: OF_TRIALS,
    renderer: bars.length > 300 ? "canvas" : "svg",
    option: (colours) => option(colours, bars, names, pauses),
    describe: () => `${bars.length} trials of ${names.length} ${names.length === 1 ? "worker" : "workers"} over ${clock(Math.max(...bars.map((bar) => bar[2])))}`,
  });
}

function option(colours, bars, names, pauses) {
  const end = Math.max(...bars.map((bar) => bar[2]));
  const unit = end < 180 ? [1, "seconds"] : end < 3 * 3600 ? [60, "minutes"] : [3600, "hours"];
  const longest = Math.max(...names.map((name) => name.length));
  const room = Math.min(isNarrow() ? 84 : 190, 20 + 7 * longest);
  return {
    grid: { left: 18 + room, right: 14, top: 8, bottom: 50 },
    tooltip: tooltip(colours, ({ dataIndex }) => {
      const [row, , , model, dataset, role, trial, done] = bars[dataIndex];
      const settings = trialOf(trial)?.rank ? [["rank", setting(trialOf(trial).rank)]] : [];
      return tip(`${labelOf(model)} on ${dataset}`, [
        ["", role === "final" ? "retraining" : "trial"], ["trial", trial], ["worker", names[row]], ["took", clock(timing.seconds[trial])],
        ...settings, ...(done ? [] : [["", "failed"]]),
      ]);
    }, { trigger: "item" }),
    dataZoom: [{ xAxisIndex: 0, filterMode: "weakFilter", ...ZOOM }],
    xAxis: axis(colours, {
      type: "value", min: 0, max: end / unit[0], name: `${unit[1]} since the first trial began`, splitNumber: isNarrow() ? 4 : 8,
      axisLabel: { formatter: (x) => figures(x), showMaxLabel: false },
    }),
    yAxis: axis(colours, {
      type: "category", data: names, inverse: true, splitLine: { show: false },
      name: "worker", nameLocation: "middle", nameGap: room - 6, axisLabel: { width: room - 12, overflow: "truncate" },
    }),
    series: [{
      type: "custom",
      encode: { x: [1, 2], y: 0 },
      data: bars.map(([row, begin, until, , , , trial]) => ({ name: trial, value: [row, begin / unit[0], until / unit[0]] })),
      renderItem: (params, api) => {
        const [, , , model, , role, trial, done] = bars[params.dataIndex];
        const [left, middle] = api.coord([api.value(1), api.value(0)]);
        const [right] = api.coord([api.value(2), api.value(0)]);
        const height = Math.min(24, api.size([0, 1])[1] * 0.72);
        const shape = echarts.graphic.clipRectByRect(
          { x: left, y: middle - height / 2, width: Math.max(1.5, right - left - 0.5), height },
          { x: params.coordSys.x, y: params.coordSys.y, width: params.coordSys.width, height: params.coordSys.height },
        );
        const known = trialOf(trial);
        const letter = known && letterOf(known);
        return shape && {
          type: "rect", shape: { ...shape, r: 1.5 },
          style: {
            fill: colourOf(colours, numberOf(model)), opacity: (role === "final" ? 0.45 : 0.95) * (known ? strengthOf(known) : 1),
            stroke: letter ? colours.ink : done ? colours.card : colours.bad, lineWidth: letter || !done ? 2 : 0.5,
          },
          z2: letter ? 2 : 0,
          emphasis: { style: { opacity: 1, stroke: colours.ink, lineWidth: 2 } },
          textConfig: { position: "top", distance: 1 },
          textContent: letter ? { style: { text: letter, fill: colours.ink, fontWeight: 700, stroke: colours.card, lineWidth: 3 } } : undefined,
        };
      },
      markLine: pauses.length
        ? { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.quiet, type: "dotted" }, data: pauses.map(([x]) => ({ xAxis: x / unit[0] })) }
        : undefined,
    }],
  };
}
return { drawTimeline };
})();
modules["selectionbar.js"] = (() => {
/* The bar at the lower edge that says what is selected, and takes it back. */

const { make, cut, fixed } = modules["dom.js"];
const { labelOf, numberOf, trials } = modules["data.js"];
const { axes, hideOthers, hidesOthers, intervalsOf, isFiltered, keep, keepWords, OF_TRIALS, passing, told, wordsKept } = modules["filters.js"];
const { openComparison, openTrial, pin, pinned, pointAt } = modules["selection.js"];
const { canUndo, onChange, reset, undo } = modules["store.js"];

function drawSelectionBar(bar) {
  const kept = make("p", { class: "count", role: "status" });
  const chips = make("ul", { class: "chips", "aria-label": "Filters and pinned trials" });
  const hide = make("button", { type: "button", class: "quiet-button", onclick: () => hideOthers(!hidesOthers()) }, "Hide others");
  const compare = make("button", { type: "button", class: "quiet-button", onclick: openComparison }, "Compare");
  const back = make("button", { type: "button", class: "quiet-button", title: "Escape does the same", onclick: undo }, "Undo");
  const clear = make("button", { type: "button", class: "quiet-button", onclick: () => reset([...OF_TRIALS]) }, "Clear");
  bar.append(kept, chips, make("div", { class: "bar-buttons" }, compare, hide, back, clear));
  function show() {
    const filtered = isFiltered();
    const pins = pinned();
    bar.hidden = !filtered && !pins.length;
    document.body.classList.toggle("selecting", !bar.hidden);
    kept.textContent = filtered ? `${passing().length.toLocaleString("en-US")} of ${trials.length.toLocaleString("en-US")} trials` : "";
    hide.hidden = !filtered;
    compare.hidden = pins.length < 2;
    hide.setAttribute("aria-pressed", String(hidesOthers()));
    back.disabled = !canUndo();
    const words = wordsKept().trim();
    chips.replaceChildren(
      ...(words ? [chip(`“${cut(words, 40)}”`, "search", () => keepWords("", "bar"))] : []),
      ...axes.filter((axis) => intervalsOf(axis).length).map((axis) => chip(`${cut(axis.name, 24)}: ${cut(told(axis), 40)}`, `filter by ${axis.name}`, () => keep(axis, [], "bar"))),
      ...pins.map(({ trial, letter }) => pinChip(trial, letter)),
    );
  }
  onChange(OF_TRIALS, show);
  show();
}

function chip(text, what, drop) {
  return make("li", { class: "chip" }, make("span", {}, text), make("button", { type: "button", "aria-label": `Take away: ${what}`, onclick: drop }, "×"));
}

function pinChip(trial, letter) {
  const rank = trial.rank === null ? trial.status : `rank ${trial.rank}, ${fixed(trial.score)}`;
  const element = make(
    "li", { class: "chip pinned-chip", onmouseenter: () => pointAt(trial), onmouseleave: () => pointAt(null) },
    make("button", { type: "button", class: "letter", style: `background:var(--s${numberOf(trial.model) % 7})`, "aria-label": `Open trial ${letter}`, onclick: () => openTrial(trial) }, letter),
    make("span", {}, `${cut(labelOf(trial.model), 20)}, ${rank}`),
    make("button", { type: "button", "aria-label": `Unpin trial ${letter}`, onclick: () => { pointAt(null); pin(trial); } }, "×"),
  );
  return element;
}
return { drawSelectionBar };
})();
modules["main.js"] = (() => {
/* Fills every place that the page has. */

const { stopWhereScrolled } = modules["arrows.js"];
const { canDraw, startCharts } = modules["charts.js"];
const { drawConfusion } = modules["confusion.js"];
const { drawCost } = modules["cost.js"];
const { drawDrawer } = modules["drawer.js"];
const { drawImportance } = modules["importance.js"];
const { drawLearning } = modules["learning.js"];
const { drawOneClass } = modules["oneclass.js"];
const { drawPair } = modules["pair.js"];
const { drawParallel } = modules["parallel.js"];
const { drawProgress } = modules["progress.js"];
const { drawRoc } = modules["roc.js"];
const { drawScores } = modules["scores.js"];
const { drawSelectionBar } = modules["selectionbar.js"];
const { drawSlices } = modules["slices.js"];
const { drawTable } = modules["table.js"];
const { drawTimeline } = modules["timeline.js"];
const { followAddress, undo } = modules["store.js"];

const FIGURES = {
  scores: drawScores, parallel: drawParallel, progress: drawProgress, pair: drawPair, class: drawOneClass, importance: drawImportance, slices: drawSlices, learning: drawLearning,
  roc: drawRoc, cost: drawCost, timeline: drawTimeline, "trials-table": drawTable, "confusion-matrix": drawConfusion,
};

document.getElementById("no-library").hidden = canDraw;
for (const place of document.querySelectorAll("[data-figure]")) fill(place, FIGURES[place.dataset.figure]);
startCharts(document.getElementById("theme"));
fill(document.getElementById("selection"), drawSelectionBar);
fill(document.getElementById("drawer"), drawDrawer);
followReading();
followAddress();
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && undo()) event.preventDefault();
});
stopWhereScrolled();
document.documentElement.dataset.ready = "yes";

/** Fill one place; where that fails, the others are filled all the same. */
function fill(place, draw) {
  try {
    draw(place);
  } catch (error) {
    place.textContent = "This could not be drawn; report.md has it.";
    console.error(error);
  }
}

/** Mark in the navigation which part is being read. */
function followReading() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      links.forEach((link, name) => (name === target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => observer.observe(section));
}
return {  };
})();
