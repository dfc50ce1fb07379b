/* Test images of a sheet, drawn one by one. */

import { make } from "./dom.js";

/** Images on the page are so many pixels wide. */
const SHOWN = 72;

/**
 * Images of a sheet side by side, each in a figure.
 *
 * `shown` has of each its `place` on the sheet, what a screen reader `says` of it and `lines` under it, texts or elements.
 */
export function tiles(sheet, shown) {
  const scale = SHOWN / sheet.width;
  const drawn = shown.map(({ place, says, lines }) => {
    const file = sheet.files?.[place];
    const canvas = make("canvas", {
      width: sheet.width, height: sheet.height, role: "img", style: `width:${SHOWN}px;height:${Math.round(scale * sheet.height)}px`,
      "aria-label": `${file ? `${file}: ` : ""}${says}`,
    });
    const name = file ? [make("span", { class: "file", title: file }, file.split("/").pop())] : [];
    return { place, canvas, element: make("figure", { class: "tile", style: `max-width:${SHOWN + 24}px` }, canvas, make("figcaption", {}, ...lines, ...name)) };
  });
  const picture = new Image();
  picture.onload = () => {
    for (const { place, canvas } of drawn) {
      const [x, y] = [(place % sheet.across) * sheet.width, Math.floor(place / sheet.across) * sheet.height];
      canvas.getContext("2d").drawImage(picture, x, y, sheet.width, sheet.height, 0, 0, sheet.width, sheet.height);
      canvas.dataset.drawn = "yes";
    }
  };
  picture.src = sheet.source;
  return make("div", { class: "tiles" }, ...drawn.map(({ element }) => element));
}

/** A confidence in short. */
export const sure = (confidence) => (confidence >= 0.9995 && confidence < 1 ? "p > 0.999" : `p = ${confidence.toFixed(3)}`);
