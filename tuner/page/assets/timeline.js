/* When trials ran, and how long the models take: all that a clock measured. */

import { clock, figures, make, setting, tip } from "./dom.js";
import { labelOf, numberOf, report, timing, trialOf } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip } from "./charts.js";
import { box, figure } from "./figure.js";
import { OF_TRIALS, strengthOf } from "./filters.js";
import { letterOf } from "./selection.js";
import { modelKey } from "./legend.js";
import { ZOOM, zoomButtons } from "./zoom.js";

export function drawTimeline(place) {
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
