/* Buttons that zoom charts, since a wheel needs a mouse, and a way back. */

import { oneStop } from "./arrows.js";
import { make } from "./dom.js";

/** How a chart zooms with Ctrl and the wheel, or with two fingers; one finger scrolls the page. */
export const ZOOM = { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, preventDefaultMouseMove: false };

/**
 * Buttons to zoom in and out, and to see all again.
 *
 * `drawings` returns charts; `towards` says of each of their zooms which end stays where it is, from 0 to 1.
 */
export function zoomButtons(drawings, towards) {
  const zoom = (factor) => {
    for (const instance of drawings().map((drawing) => drawing.instance()).filter(Boolean)) {
      instance.getOption().dataZoom.forEach(({ start, end }, dataZoomIndex) => {
        const width = Math.min(100, factor * (end - start));
        const fixed = start + towards[dataZoomIndex] * (end - start);
        const from = Math.min(100 - width, Math.max(0, fixed - towards[dataZoomIndex] * width));
        instance.dispatchAction({ type: "dataZoom", dataZoomIndex, start: from, end: from + width });
      });
    }
  };
  const button = (text, label, factor) =>
    make("button", { type: "button", class: "quiet-button", "aria-label": label, title: label, onclick: () => zoom(factor) }, text);
  const buttons = make(
    "span", { class: "zoom", role: "toolbar", "aria-label": "Zoom" },
    button("+", "Zoom in", 0.5), button("−", "Zoom out", 2), button("Reset", "Reset the zoom", Infinity),
  );
  oneStop(buttons, "button");
  return buttons;
}
