/* The chosen models on the test images: each retraining, and the interval of their mean. */

import { fixed, tip, cut } from "./dom.js";
import { report, numberOf } from "./data.js";
import { axis, chart, colourOf, isNarrow, tooltip, whiskers } from "./charts.js";
import { box, figure } from "./figure.js";

export function drawScores(place) {
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
