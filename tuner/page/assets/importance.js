/* How much each parameter matters for the score and for the training time, with its 95 % interval. */

import { choice, cut, fixed, tip } from "./dom.js";
import { report, timing } from "./data.js";
import { axis, chart, isNarrow, tooltip, whiskers } from "./charts.js";
import { box, figure } from "./figure.js";

const BARS = 10;

export function drawImportance(place) {
  const targets = [
    { name: report.objective.column, words: report.objective.words, groups: report.importance },
    { name: "seconds_per_epoch", words: "time per epoch", groups: timing.importance ?? [] },
  ].filter(({ groups }) => groups.length);
  const keys = new Map(targets.flatMap(({ groups }) => groups.map((group) => [keyOf(group), group])));
  if (!keys.size) return place.remove();
  const several = new Set([...keys.values()].map(({ dataset }) => dataset)).size > 1;
  let chosen = [...keys.keys()][0];
  const options = [...keys].map(([key, group]) => [key, several ? `${group.of} on ${group.dataset}` : group.of]);
  const controls = options.length > 1 ? [choice("Trials of", options, (key) => { chosen = key; show(); })] : [];
  const found = () => targets.map((target) => ({ ...target, group: target.groups.find((group) => keyOf(group) === chosen) }));
  const { body, changed } = figure(place, {
    name: "importance",
    heading: "Importance of each parameter",
    controls,
    caption: () => {
      const told = found().filter(({ group }) => group).map(({ words, group }) => `${words}: ${group.trials} trials, R² ${group.r2.toFixed(2).replace("-", "−")}`);
      return `Share of the variation between trials that a parameter has a part in, with its 95 % interval; what stands out is coloured. ${told.join("; ")}.`;
    },
    table: () => ({
      columns: ["data set", "trials of", "target", "parameter", "share", "ci_low", "ci_high", "stands_out"],
      rows: found().filter(({ group }) => group).flatMap(({ name, group }) =>
        group.bars.map(([names, ...rest]) => [group.dataset, group.of, name, names.join(" × "), ...rest])),
    }),
  });
  let drawings = [];
  function show() {
    changed();
    body.replaceChildren();
    drawings = found().filter(({ group }) => group).map(({ words, group }) => {
      const bars = [...group.bars.filter(([names]) => names.length === 1).slice(0, BARS), ...group.bars.filter(([names, , , , out]) => names.length > 1 && out)];
      const here = box(92 + 30 * bars.length, targets.length > 1 ? "half" : "");
      body.append(here);
      return chart(here, {
        option: (colours) => option(colours, words, bars),
        describe: () => `Importance for the ${words}: ` + bars.map(([names, share]) => `${names.join(" and ")} ${Math.round(100 * share)} %`).join(", "),
      });
    });
  }
  show();
}

const keyOf = (group) => JSON.stringify([group.dataset, group.of]);

function option(colours, words, bars) {
  const shown = bars.slice().reverse();
  const percent = (share) => 100 * share;
  const low = Math.min(0, ...shown.map(([, , a]) => percent(a)));
  const high = Math.max(20, ...shown.map(([, , , b]) => percent(b)));
  const ends = [low < -1 ? Math.max(-20, Math.floor(low / 10) * 10) : 0, Math.min(150, Math.ceil(high / 20) * 20)];
  const ink = ([names, , , , out]) => (out ? colours.series[names.length > 1 ? 1 : 0] : colours.pale);
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
      type: "category", data: shown.map(([names]) => cut(names.join(" × "), 32)), splitLine: { show: false },
      axisLabel: { color: colours.ink, interval: 0, hideOverlap: false, width: isNarrow() ? 108 : 130, overflow: "break" },
    }),
    series: [
      { type: "bar", barWidth: 16, data: shown.map((bar) => ({ value: percent(bar[1]), itemStyle: { color: ink(bar), borderRadius: [0, 3, 3, 0] } })) },
      { ...whiskers(colours, shown.map(([, , a, b], k) => [Math.max(percent(a), ends[0]), Math.min(percent(b), ends[1]), k])), clip: true },
    ],
  };
}
