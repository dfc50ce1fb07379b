/* How the mark of a trial looks in any chart: pale where a filter drops it, ringed and lettered where it is pinned. */

import { passes, strengthOf } from "./filters.js";
import { letterOf } from "./selection.js";

/** The look of a mark that is pointed at, here or elsewhere. */
export const pointedAt = (colours) => ({ scale: 1.7, itemStyle: { opacity: 1, borderColor: colours.ink, borderWidth: 1.5 } });

/** The look of a trial's mark, of the style and size that it has by itself. */
export function markOf(colours, trial, style, size) {
  const letter = letterOf(trial);
  if (!letter) return { symbolSize: size, itemStyle: { ...style, opacity: style.opacity * strengthOf(trial) } };
  return {
    symbolSize: size + 6,
    itemStyle: { ...style, opacity: 1, borderColor: colours.ink, borderWidth: 2 },
    label: {
      show: true, formatter: letter, position: "top", distance: 3, color: colours.ink, fontWeight: 700, fontSize: 13,
      textBorderColor: colours.card, textBorderWidth: 3,
    },
  };
}

/** Trials in the order in which to draw them: those that a filter drops first, pinned ones last; none that are hidden. */
export function inDrawingOrder(trials) {
  const height = (trial) => (letterOf(trial) ? 2 : passes(trial) ? 1 : 0);
  return trials.filter(strengthOf).sort((a, b) => height(a) - height(b));
}
