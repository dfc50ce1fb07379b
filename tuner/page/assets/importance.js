/* How much each parameter matters for the score and for the training time, with its 95 % interval. */

import { fixed, make, tip } from "./dom.js";
import { report, timing } from "./data.js";
import { axis, chart, isNarrow, tooltip, whiskers } from "./charts.js";
import { box, figure } from "./figure.js";
import { choosePair } from "./pair.js";
import { datasetShown, linkedChoice, modelShown } from "./selection.js";
import { onChange } from "./store.js";

const BARS = 10;
/** The height of a bar with its distance, and of each further line of its name. */
const [BAR, LINE] = [30, 13];

export function drawImportance(place) {
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
