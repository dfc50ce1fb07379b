/* The table of trials with its filters. */

import { clock, figures, fixed, make, setting } from "./dom.js";
import { labelOf, parameters, report, searchedDatasets, searchedModels, trialOf, trials } from "./data.js";
import { arrangement, arranger, shownOf } from "./arrange.js";
import { later, RESTS } from "./charts.js";
import { download } from "./figure.js";
import { axes, clearFilters, intervalsOf, isFiltered, keep, keepWords, noneOn, onFilter, passing, valueAt, wordsKept } from "./filters.js";
import { clickOn, letterOf, onPoint, pin, pointAt } from "./selection.js";
import { onChange } from "./store.js";

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

export function drawTable(place) {
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
