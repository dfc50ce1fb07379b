/* The bar at the lower edge that says what is selected, and takes it back. */

import { make, cut, fixed } from "./dom.js";
import { labelOf, numberOf, trials } from "./data.js";
import { axes, hideOthers, hidesOthers, intervalsOf, isFiltered, keep, keepWords, OF_TRIALS, passing, told, wordsKept } from "./filters.js";
import { openComparison, openTrial, pin, pinned, pointAt } from "./selection.js";
import { canUndo, onChange, reset, undo } from "./store.js";

export function drawSelectionBar(bar) {
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
