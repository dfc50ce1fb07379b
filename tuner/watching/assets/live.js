/* The part of a watched page that is alive: how the search stands, what is being trained, and what has finished.

Nothing moves while somebody looks: numbers change in their places, and new rows wait behind a button. Whatever is told
becomes a text node, never markup. */
"use strict";
(() => {
const root = document.getElementById("live-part");
const given = JSON.parse(root.dataset.shown);
const { control } = given;
const MOST_ROWS = 1000;
const DASH = "–";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
const count = (n) => n.toLocaleString("en-US");
const fixed = (value) => (value === null || value === undefined ? DASH : value.toFixed(4).replace("-", "−"));
function clock(seconds) {
  if (seconds < 100) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  return seconds < 6000 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
const words = (column) => column.replace(/^val_/, "validation ").replaceAll("_", " ");
const settings = (pairs) => pairs.map(([name, value]) => `${name} ${value}`).join(", ");
/** Set a text where it is another one, so that what somebody has selected stays selected. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/* What stands in the part, top down. */
const stands = make("p", { class: "live-stands", role: "status" }, "Connecting …");
const trouble = make("p", { class: "note live-trouble", role: "status", tabindex: "0" });
const numbers = {};
const tiles = make("dl", { class: "live-numbers" }, ...["finished", "running", "failed", "left"].map((name) => {
  numbers[name] = make("dd", {}, DASH);
  return make("div", {}, make("dt", {}, name), numbers[name]);
}));
const noWorkers = make("p", { class: "quiet" }, "Nothing is being trained.");
const workers = make("div", { class: "live-workers" }, noWorkers);
workers.classList.toggle("live-stopping", control);
addEventListener("resize", keepRoom);
const show = make("button", { type: "button", class: "quiet-button", id: "live-new", hidden: true, onclick: showNew });
const shown = make("p", { class: "count", id: "live-count" });
const body = make("tbody", {});
const heads = ["#", "model", "data set", "what", "what differs", "epochs", "score", "seconds", "worker"];
const numeric = new Set(["#", "epochs", "score", "seconds", "worker"]);
const table = make("div", { class: "scroll tall", role: "region", tabindex: "0", "aria-label": "Finished trainings" },
  make("table", { id: "live-rows" },
    make("caption", {}, "Finished trainings, the last first; scores of retrainings are of test images and shown when the search has finished"),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", class: numeric.has(head) ? "number" : null }, head)))),
    body));
const anew = make("button", { type: "button", class: "quiet-button", id: "live-anew", hidden: true, onclick: () => location.reload() });
const below = make("p", { class: "live-below" }, make("span", {}), " ", anew);
const controls = make("div", { class: "controls live-controls", hidden: !given.control });
const pause = make("button", { type: "button", class: "quiet-button", id: "live-pause" }, "Pause");
pause.addEventListener("click", () => ask(state?.paused ? "resume" : "pause"));
const finish = armed("End and report", "Really end the search?", () => ask("report"));
finish.id = "live-report";
const answer = make("span", { class: "quiet", role: "status" });
controls.append(pause, finish, answer);
const queue = make("ul", { class: "live-queue" });
const queued = make("details", { class: "live-queued", hidden: !given.control }, make("summary", {}, "Trials that wait"), queue);
const form = liveForm({ make, say, post });
form.element.hidden = !given.control;
const asked = make("ul", { class: "live-asked" });
const byHand = make("div", {}, make("h3", {}, "Asked by hand"), asked);
root.append(stands, trouble, controls, tiles, make("h3", {}, "Workers"), workers, queued, form.element, byHand, make("h3", {}, "Finished trainings"),
  make("div", { class: "controls" }, show, shown), table, below);

/* Rows: those that are shown, and those that wait until somebody asks for them. */
let known = new Set();
let waiting = [];
let rows = [];
let first = true;  // what is there as the page opens moves nothing
let state = null;

function take(fresh) {
  for (const row of fresh) {
    if (known.has(row.key)) continue;
    known.add(row.key);
    waiting.push(row);
  }
  if (first) showNew();
  tell();
}

function showNew() {
  const latest = waiting.reverse().map(rowOf);
  rows = rows.concat(waiting);
  waiting = [];
  body.prepend(...latest);
  while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
  tell();
}

function rowOf(row) {
  const cell = (text, more = {}) => make("td", more, text);
  const number = (text) => cell(text, { class: "number" });
  const failed = row.status === "failed";
  const what = row.role === "final" ? "retraining" : failed ? "failed" : "trial";
  const split = row.split > 1 ? `, split ${row.split}` : "";
  return make("tr", { class: failed ? "failed" : null, title: `trial ${row.trial}`, "data-key": row.key },
    number(count(row.number)), cell(row.model), cell(row.dataset), cell(what + split),
    cell(failed ? row.error : settings(row.settings)), number(row.epochs === null ? DASH : count(row.epochs)),
    number(fixed(row.score)), number(row.seconds.toFixed(1)), number(row.worker === null ? DASH : String(row.worker)));
}

/* What is asked of the run; it decides between two results, and what it decided comes back as part of the state. */
async function ask(what, trial = "") {
  say(answer, "Asked …");
  const reply = await post("ask", trial ? { what, trial } : { what });
  say(answer, reply.ok ? "Asked; the run decides within a second." : `Not taken: ${reply.text}`);
}
/** Send something to the server; returns whether it took it, and the text of its answer. */
async function post(where, what) {
  try {
    const reply = await fetch(where, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what) });
    return { ok: reply.ok, text: await reply.text() };
  } catch {
    return { ok: false, text: "the server did not answer." };
  }
}
/** A button that acts on its second click, within some seconds of the first. */
function armed(text, question, act) {
  let timer = 0;
  const button = make("button", { type: "button", class: "quiet-button" }, text);
  const calm = () => {
    timer = 0;
    say(button, text);
  };
  button.addEventListener("click", () => {
    if (!timer) {
      timer = setTimeout(calm, 6000);
      say(button, question);
      return;
    }
    clearTimeout(timer);
    calm();
    act();
  });
  return button;
}
function tellAsked() {
  const runs = state.what === "running";
  pause.disabled = finish.disabled = !runs;
  say(pause, state.paused ? "Go on" : "Pause");
  fill(asked, state.asked.length ? state.asked : ["Nothing was asked."], (text) => text, (text) => make("li", {}, text));
  if (!given.control) return;
  form.tell(state);
  const waits = state.waiting.filter((one) => one.role === "search");
  fill(queue, waits, (one) => one.trial, (one) => make("li", {},
    make("button", { type: "button", class: "quiet-button", onclick: () => ask("skip", one.trial) }, "Skip"),
    `${one.model} on ${one.dataset}: ${settings(one.settings) || one.trial}`));
}
/** Make a list anew where it holds something else. */
function fill(list, items, key, item) {
  const now = JSON.stringify(items.map(key));
  if (list.dataset.holds === now) return;
  list.dataset.holds = now;
  list.replaceChildren(...items.map(item));
}

/* How the search stands. */
const STANDS = {
  "not begun": "The search has not begun. This page fills as it runs.",
  running: "The search runs.",
  stopped: "The search is not finished, and nobody runs it on this machine. The same command goes on with it.",
  finished: "The search has finished.",
};

function tell() {
  const all = rows.length + waiting.length;
  show.hidden = !waiting.length;
  say(show, `Show ${count(waiting.length)} new`);
  say(shown, `${count(Math.min(rows.length, MOST_ROWS))} shown${rows.length > MOST_ROWS ? ` of ${count(rows.length)}` : ""}`);
  const over = state?.what === "finished" && !given.finished;
  anew.hidden = !(all > given.rows || over);
  say(anew, over ? "Show the report" : `Draw them of all ${count(all)}`);
  say(below.firstElementChild, given.rows ? `The figures below are of ${count(given.rows)} finished trainings.` : "There are no figures yet.");
  if (!state) return;
  const phase = state.phase === "retraining" ? " Winners are being retrained." : "";
  say(stands, STANDS[state.what] + phase + (state.paused ? " It is paused: nothing new begins." : ""));
  tellAsked();
  say(trouble, state.problem);
  const total = state.total ? ` of ${count(state.total)}` : "";
  say(numbers.finished, state.done === null ? count(all) : count(state.done) + total);
  say(numbers.running, count(state.running.length) + (state.places ? ` of ${count(state.places)}` : ""));
  say(numbers.failed, count(state.failed ?? rows.concat(waiting).filter((row) => row.status === "failed").length));
  say(numbers.left, state.left ? between(...state.left) : DASH);
}
function between(low, high) {
  const [from, to] = [clock(low), clock(high)];
  return from === to ? from : from.split(" ")[1] === to.split(" ")[1] ? `${from.split(" ")[0]} to ${to}` : `${from} to ${to}`;
}

/* A card for each worker, which keeps its place; one that is idle stays, after the run too, so that nothing below moves. */
const cards = new Map();
let places = 1;  // for so many cards room is kept
function tellWorkers() {
  const mine = new Map();
  for (const one of state.running) mine.set(placeOf(one, mine), one);
  const several = new Set([...mine.values()].map((one) => one.node)).size > 1;
  for (const [name, one] of mine) if (!cards.has(name)) addCard(name, one, several);
  for (const [name, card] of cards) card.tell(mine.get(name));
  noWorkers.hidden = cards.size > 0;
}
/** Return what a card is known by: its worker or, where nobody told which that is, one of so many of its node. */
function placeOf(one, taken) {
  const worker = one.worker === null ? one.node : `${one.node} ${one.worker}`;
  if (one.worker !== null && !taken.has(worker)) return worker;
  const free = [...taken.keys(), ""].map((_, place) => `${worker} #${place + 1}`).filter((name) => !taken.has(name));
  return free.find((name) => cards.get(name)?.trial === one.trial) ?? free[0];
}
/** Keep room for the workers that there are as the page opens; if there are more later, they are scrolled to. */
function keepRoom() {
  const columns = getComputedStyle(workers).gridTemplateColumns.split(" ").length;
  workers.style.setProperty("--rows", String(Math.ceil(places / columns)));
}
function addCard(name, one, several) {
  const where = several && one.node ? ` on ${one.node}` : "";
  const head = make("h4", {}, (one.worker === null ? "A worker" : `Worker ${one.worker}`) + where);
  const what = make("p", { class: "live-what" });
  const far = make("p", { class: "live-far" });
  const given = make("p", { class: "quiet live-given" });
  const curve = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  curve.setAttribute("viewBox", "0 0 100 30");
  curve.setAttribute("preserveAspectRatio", "none");
  curve.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  curve.append(line);
  let whole = "";
  const stop = control ? armed("Stop this trial", "Really stop it?", () => ask("stop", whole)) : null;
  const element = make("article", { class: "live-worker", "data-worker": name }, head, what, far, curve, given, stop);
  const place = [...cards.keys(), name].sort((a, b) => a.localeCompare(b, "en", { numeric: true })).indexOf(name);
  workers.insertBefore(element, workers.children[place] ?? null);
  cards.set(name, { element, trial: "", tell(now) {
    element.classList.toggle("idle", !now);
    this.trial = now?.trial ?? "";
    whole = now?.whole ?? "";
    if (stop) stop.disabled = now?.role !== "search";
    if (!now) {
      say(what, "waits");
      say(far, DASH);
      say(given, DASH);
      line.setAttribute("points", "");
      return;
    }
    const fold = now.fold ? `, fold ${now.fold[0]} of ${now.fold[1]}` : "";
    say(what, `${now.model} on ${now.dataset}${now.role === "final" ? ", retraining" : ""}${fold}`);
    const last = now.curve.at(-1);
    say(far, `epoch ${count(now.epoch)} of ${count(now.epochs)}${last ? `, ${words(now.column)} ${fixed(last[1])}` : ""}`);
    say(given, settings(now.settings) || `trial ${now.trial}`);
    const values = now.curve.map(([, value]) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const span = high - low || 1;
    line.setAttribute("points", now.curve.length > 1
      ? now.curve.map(([epoch, value]) => `${(100 * epoch / Math.max(1, now.epochs)).toFixed(2)},${(28 - 26 * (value - low) / span).toFixed(2)}`).join(" ") : "");
  } });
}

/* What the server sends; a browser that is cut off asks again by itself, for what came after the last row it has. */
const source = new EventSource("events");
source.addEventListener("reset", (event) => {
  root.dataset.epoch = JSON.parse(event.data).epoch;
  known = new Set();
  table.style.minHeight = `${table.offsetHeight}px`;
  [waiting, rows] = [[], []];
  body.replaceChildren();
  tell();
});
source.addEventListener("rows", (event) => take(JSON.parse(event.data).rows));
source.addEventListener("state", (event) => {
  state = JSON.parse(event.data);
  if (first) {
    places = Math.max(1, state.places, state.running.length);
    keepRoom();
  }
  first = false;
  root.dataset.state = state.what;
  tellWorkers();
  tell();
});
source.addEventListener("error", () => {
  say(stands, source.readyState === EventSource.CLOSED
    ? "This address is no longer served. Type the command again for a new one."
    : "The connection is lost, and is tried again. What is shown may be old.");
});
source.addEventListener("open", () => state && tell());
})();
