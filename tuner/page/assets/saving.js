/* Charts as pictures: what a figure shows, under its heading, as an SVG or a PNG file. */

import { make } from "./dom.js";
import { report } from "./data.js";
import { chartsIn, palette } from "./charts.js";

/** Pixels of a PNG for each of the page. */
const SHARP = 2;
const MARGIN = 16;

/** Save the charts of a figure as they stand there; `kind` is "svg" or "png". */
export function savePicture(frame, name, heading, kind) {
  const found = chartsIn(frame);
  if (!found.length) return;
  const colours = palette();
  const origin = frame.getBoundingClientRect();
  const places = found.map((one) => ({ ...one, at: one.box.getBoundingClientRect() }));
  const top = Math.min(...places.map(({ at }) => at.top));
  const left = Math.min(...places.map(({ at }) => at.left));
  const keys = [...frame.querySelectorAll(".legend .key, .keys li")].map((key) => ({ words: key.textContent, colour: colourIn(key.querySelector("i, svg")) }));
  const above = MARGIN + 30 + (keys.length ? 26 : 0);
  const sized = places.map(({ option, at }) => ({ option, x: at.left - left + MARGIN, y: at.top - top + above, width: at.width, height: at.height }));
  const width = Math.max(...sized.map(({ x, width: w }) => x + w), Math.min(origin.width, 420)) + MARGIN;
  const height = Math.max(...sized.map(({ y, height: h }) => y + h)) + MARGIN;
  const head = { heading, keys, width, height, colours };
  const file = `${report.search}-${name}.${kind}`;
  if (kind === "svg") save(new Blob([asSvg(sized, head)], { type: "image/svg+xml" }), file);
  else asCanvas(sized, head).toBlob((blob) => save(blob, file), "image/png");
}

function colourIn(mark) {
  const style = mark && getComputedStyle(mark);
  if (!style) return null;
  return [style.backgroundColor, style.borderTopColor, style.fill].find((one) => one && !/, 0\)$|transparent/.test(one)) ?? null;
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const fontOf = () => getComputedStyle(document.body).fontFamily;

/** Where each key of the legend begins, a word's width guessed from its letters. */
function keyPlaces(keys) {
  let x = MARGIN;
  return keys.map((key) => {
    const at = x;
    x += 34 + 7 * key.words.length;
    return { ...key, at };
  });
}

function asSvg(sized, { heading, keys, width, height, colours }) {
  const drawn = sized.map(({ option, x, y, width: w, height: h }) => {
    const place = make("div");
    const instance = echarts.init(place, null, { renderer: "svg", width: w, height: h });
    instance.setOption(option());
    instance.getZr().flush();
    const drawing = place.querySelector("svg");
    drawing.setAttribute("x", x);
    drawing.setAttribute("y", y);
    const text = new XMLSerializer().serializeToString(drawing); // whatever names hold, it is well-formed
    instance.dispose();
    return text;
  });
  const legend = keyPlaces(keys).map(({ words, colour, at }) =>
    `<rect x="${at}" y="44" width="11" height="11" rx="3" fill="${escaped(colour ?? colours.ink)}"/><text x="${at + 17}" y="54" font-size="12">${escaped(words)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(fontOf())}" fill="${colours.ink}">`
    + `<rect width="100%" height="100%" fill="${colours.card}"/><text x="${MARGIN}" y="30" font-size="16" font-weight="650">${escaped(heading)}</text>`
    + `${legend.join("")}${drawn.join("")}</svg>`;
}

function asCanvas(sized, { heading, keys, width, height, colours }) {
  const canvas = make("canvas", { width: Math.round(width * SHARP), height: Math.round(height * SHARP) });
  const pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = colours.card;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = colours.ink;
  pen.font = `650 16px ${fontOf()}`;
  pen.fillText(heading, MARGIN, 30);
  pen.font = `12px ${fontOf()}`;
  for (const { words, colour, at } of keyPlaces(keys)) {
    pen.fillStyle = colour ?? colours.ink;
    pen.fillRect(at, 44, 11, 11);
    pen.fillStyle = colours.ink;
    pen.fillText(words, at + 17, 54);
  }
  for (const { option, x, y, width: w, height: h } of sized) {
    const place = make("div");
    const instance = echarts.init(place, null, { renderer: "canvas", width: w, height: h, devicePixelRatio: SHARP });
    instance.setOption(option());
    instance.getZr().flush();
    pen.drawImage(instance.renderToCanvas({ pixelRatio: SHARP }), x, y, w, h);
    instance.dispose();
  }
  return canvas;
}
