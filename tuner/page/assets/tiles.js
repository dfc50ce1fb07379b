/* Test images of a sheet, drawn one by one. */

import { make } from "./dom.js";

/** Images on the page are so many pixels wide. */
const SHOWN = 72;

/**
 * Images of a sheet side by side, each in a figure.
 *
 * `shown` has of each its `place` on the sheet, what a screen reader `says` of it and `lines` under it, texts or elements.
 * `heat` are the heat maps that lie over the images, where there are any.
 */
export function tiles(sheet, shown, heat = null) {
  const scale = SHOWN / sheet.width;
  const drawn = shown.map(({ place, says, lines }) => {
    const file = sheet.files?.[place];
    const canvas = make("canvas", {
      width: sheet.width, height: sheet.height, role: "img", style: `width:${SHOWN}px;height:${Math.round(scale * sheet.height)}px`,
      "aria-label": `${file ? `${file}: ` : ""}${says}`,
    });
    const name = file ? [make("span", { class: "file", title: file }, file.split("/").pop())] : [];
    const over = heat?.of.includes(place) ? make("canvas", { width: SHOWN, height: Math.round(scale * sheet.height), class: "heat-map", "aria-hidden": "true" }) : null;
    const element = make("figure", { class: "tile", style: `max-width:${SHOWN + 24}px` }, make("div", { class: "seen", style: `width:${SHOWN}px` }, canvas, over), make("figcaption", {}, ...lines, ...name));
    return { place, canvas, over, element };
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
  if (heat) drawHeat(sheet, heat, drawn.filter(({ over }) => over));
  return make("div", { class: "tiles" }, ...drawn.map(({ element }) => element));
}

/** Draw heat maps over the images that they are of, with values between those that are kept. */
function drawHeat(sheet, heat, drawn) {
  const picture = new Image();
  picture.onload = () => {
    for (const { place, over } of drawn) {
      const number = heat.of.indexOf(place);
      const [x, y] = [(number % sheet.across) * heat.width, Math.floor(number / sheet.across) * heat.height];
      const context = over.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, x, y, heat.width, heat.height, 0, 0, over.width, over.height);
      over.dataset.drawn = "yes";
    }
  };
  picture.src = heat.source;
}

/** A confidence in short. */
export const sure = (confidence) => (confidence >= 0.9995 && confidence < 1 ? "p > 0.999" : `p = ${confidence.toFixed(3)}`);
