/* One class: precision and recall at a threshold that is moved, what it is mistaken for, and the images, of two models. */

import { choice, cut, fixed, make, tip } from "./dom.js";
import { images, numberOf, report } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { chosenChoices, chosenShown, chosenThere, classChoice, classShown, follower } from "./selection.js";
import { guess, isLog, leastRate, ratesChoice } from "./roc.js";
import { field, onChange, put, valueOf } from "./store.js";
import { heatOf, heatSwitch, sure, tiles } from "./tiles.js";

const LEVELS = report.thresholds;
/** The place among the levels of the threshold. */
field("threshold", {
  initial: LEVELS.indexOf(0.5),
  read: (text) => (LEVELS.includes(Number(text)) ? LEVELS.indexOf(Number(text)) : null),
  write: (place) => String(LEVELS[place]),
});
/** The model that the shown one is held against, or "". */
field("against", { initial: "", read: (text) => (report.models.some(({ name }) => name === text) ? text : null) });

export function drawOneClass(place) {
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
