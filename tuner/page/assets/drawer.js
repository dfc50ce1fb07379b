/* The drawer: all of one trial, or what differs between pinned ones. */

import { clock, cut, DASH, figures, fixed, make, setting } from "./dom.js";
import { curveOf, labelOf, numberOf, parameters, report, settings, trialOf, trials } from "./data.js";
import { axis, chart, colourOf, DASHES } from "./charts.js";
import { box } from "./figure.js";
import { COMPARE, letterOf, openComparison, openTrial, pin, pinned, pointAt } from "./selection.js";
import { oneStop } from "./arrows.js";
import { pictureButtons } from "./saving.js";
import { onChange, put, valueOf } from "./store.js";
import { copyButton, inToml } from "./toml.js";

export function drawDrawer(panel) {
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
