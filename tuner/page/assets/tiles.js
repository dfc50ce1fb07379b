/* Test images of a sheet, drawn one by one. */

import { make } from "./dom.js";
import { chosenShown } from "./selection.js";
import { field, onChange, put, valueOf } from "./store.js";

/** Images on the page are so many pixels wide. */
const SHOWN = 72;

/** Whether heat maps lie over the images. */
field("heat", { initial: false, read: (text) => text === "yes", write: (heat) => (heat ? "yes" : "") });

/** The heat maps of a model on a sheet, or null where none are wanted or kept. */
export const heatOf = (sheet, { model }) => (valueOf("heat") ? sheet?.heat[model] ?? null : null);

/** The switch of the heat maps, which is the same in every panel; it says where the model that is shown has none. */
export function heatSwitch() {
  const tick = make("input", { type: "checkbox", onchange: () => put({ heat: tick.checked }) });
  const words = make("span");
  const follow = () => {
    const { heat, label } = chosenShown();
    tick.checked = valueOf("heat");
    tick.disabled = !heat;
    words.textContent = heat ? "Heat maps" : `No heat maps of ${label}`;
  };
  onChange(["model", "dataset", "heat"], follow);
  follow();
  return make("label", { class: "choice", title: "Where the model saw the class that it took an image for, by Grad-CAM (Selvaraju et al., 2017)" }, tick, words);
}

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
