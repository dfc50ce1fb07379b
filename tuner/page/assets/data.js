/* What the page is made of: the blocks of JSON in it. */

const read = (name) => JSON.parse(document.getElementById(name).textContent);

export const report = read("report");
/** What a clock measured; an empty object where nothing ran. */
export const timing = read("timing");

let heldImages = null;
/** The misclassified images; read when they are first asked for. */
export function images() {
  heldImages ??= read("images");
  return heldImages;
}

/** How high on an axis, which ends where the objective does. */
export const noHigher = (y) => Math.min(report.objective.high ?? Infinity, y);
export const noLower = (y) => Math.max(report.objective.low ?? -Infinity, y);

const labels = new Map(report.models.map(({ name, label }) => [name, label]));
export const labelOf = (model) => labels.get(model) ?? model;
/** The number of a model's colour. */
export const numberOf = (model) => Math.max(0, report.models.findIndex(({ name }) => name === model));

const stuck = new Set(report.trials.stuck);
const places = new Map();
/** The search trials, best first. `values` holds the parameters that vary; `rank` counts within a model's search. */
export const trials = report.trials.rows.map((row, index) => {
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
export const trialOf = (id) => byId.get(id);

export const completed = trials.filter((trial) => trial.completed && trial.score !== null);
export const searchedModels = [...new Set(trials.map((trial) => trial.model))];
export const searchedDatasets = [...new Set(trials.map((trial) => trial.dataset))];
/** The parameters that vary between trials. */
export const parameters = report.trials.parameters;

const { columns: thinned, parts, most, trials: thin } = report.histories;

/** The number of the epoch that a point of a thinned curve is of. */
const epochOf = (k, epochs) => (epochs <= most ? k : Math.floor((2 * k * (epochs - 1) + most - 1) / (2 * (most - 1)))) + 1;

/** What was recorded of a trial after its epochs: [[epoch, value], …] by name, empty what was not; null of no trial at all. */
export function curveOf({ trial }) {
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
export function settings(trial) {
  return parameters
    .filter((name) => trial.values[name] !== null)
    .map((name) => [name, trial.values[name]]);
}
