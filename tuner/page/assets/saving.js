/* Charts as pictures: what a figure shows, under its heading, as an SVG or a PNG file. */

import { make } from "./dom.js";
import { report } from "./data.js";
import { canDraw, chartsIn, optionOf, palette } from "./charts.js";

/** Pixels of a PNG for each of the page. */
const SHARP = 2;
const MARGIN = 16;
const HEADING = "650 16px";
/** From one line of the legend to the next. */
const LINE = 20;

/**
 * Buttons that save what is shown as pictures; none where nothing can draw.
 *
 * `what` names it; `shown` returns at each click the `frame` whose charts and legends are saved as they stand there, the
 * `name` of the file and the `heading`; and, of what is no chart on the page, the `option`, `width` and `height` of one.
 */
export function pictureButtons(what, shown) {
  const button = (kind) => make("button", {
    type: "button", class: "quiet-button", "aria-label": `${what} as a ${kind.toUpperCase()} file`, onclick: () => savePicture(shown(), kind),
  }, kind.toUpperCase());
  return canDraw ? [button("png"), button("svg")] : [];
}

function savePicture({ frame, name, heading, option, width: wide, height: high }, kind) {
  const places = option ? [{ option: () => optionOf({ option }), at: { left: 0, top: 0, width: wide, height: high } }]
    : chartsIn(frame).map((one) => ({ ...one, at: one.box.getBoundingClientRect() }));
  if (!places.length) return;
  const colours = palette();
  const top = Math.min(...places.map(({ at }) => at.top));
  const left = Math.min(...places.map(({ at }) => at.left));
  const width = Math.max(...places.map(({ at }) => at.left - left + MARGIN + at.width), MARGIN + widthOf(heading, HEADING)) + MARGIN;
  const keys = inLines(keysOf(frame), width - MARGIN);
  const above = MARGIN + 30 + (keys.length ? 6 + LINE * (keys.at(-1).line + 1) : 0);
  const sized = places.map(({ option, at }) => ({ option, x: at.left - left + MARGIN, y: at.top - top + above, width: at.width, height: at.height }));
  const height = Math.max(...sized.map(({ y, height: h }) => y + h)) + MARGIN;
  const head = { heading, keys, width, height, colours };
  const file = `${report.search}-${name}.${kind}`;
  if (kind === "svg") save(new Blob([asSvg(sized, head)], { type: "image/svg+xml" }), file);
  else asCanvas(sized, head).toBlob((blob) => save(blob, file), "image/png");
}

/** The keys of a figure's legends: the words of each, its mark as a `path` or else a line with its dashes, and its ink. */
function keysOf(frame) {
  return [...frame.querySelectorAll(".legend .key, .keys li")].map((key) => {
    const words = [...key.childNodes].map(({ textContent }) => textContent).filter(Boolean).join("  ");
    const mark = key.querySelector("path, line");
    const { fill, stroke } = getComputedStyle(mark);
    if (mark.tagName === "path") return { words, path: mark.getAttribute("d"), ink: fill, wide: 12 };
    return { words, path: null, dashes: mark.getAttribute("stroke-dasharray").split(" ").map(Number).filter(Boolean), ink: stroke, wide: 28 };
  });
}

/** Where each key stands, in as many lines as they need to end before `end`. */
function inLines(keys, end) {
  let [x, line] = [MARGIN, 0];
  return keys.map((key) => {
    const room = key.wide + 6 + widthOf(key.words, "12px");
    if (x > MARGIN && x + room > end) [x, line] = [MARGIN, line + 1];
    const at = x;
    x += room + 18;
    return { ...key, at, line, top: 44 + LINE * line };
  });
}

/** How much room a text takes in a font of this size. */
function widthOf(text, size) {
  const pen = make("canvas").getContext("2d");
  pen.font = `${size} ${fontOf()}`;
  return pen.measureText(text).width;
}

function save(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

const escaped = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const fontOf = () => getComputedStyle(document.body).fontFamily;

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
  const markOf = ({ path, dashes, ink, wide, at, top }) => (path
    ? `<path transform="translate(${at} ${top})" d="${path}" fill="${ink}"/>`
    : `<line x1="${at}" y1="${top + 6}" x2="${at + wide}" y2="${top + 6}" stroke="${ink}" stroke-width="2.5" stroke-dasharray="${dashes.join(" ") || "none"}"/>`);
  const legend = keys.map((key) => `${markOf(key)}<text x="${key.at + key.wide + 6}" y="${key.top + 10}" font-size="12" xml:space="preserve">${escaped(key.words)}</text>`);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(fontOf())}" fill="${colours.ink}">`
    + `<rect width="100%" height="100%" fill="${colours.card}"/><text x="${MARGIN}" y="30" font-size="16" font-weight="650">${escaped(heading)}</text>`
    + `<g>${legend.join("")}</g>${drawn.join("")}</svg>`;
}

function asCanvas(sized, { heading, keys, width, height, colours }) {
  const canvas = make("canvas", { width: Math.round(width * SHARP), height: Math.round(height * SHARP) });
  const pen = canvas.getContext("2d");
  pen.scale(SHARP, SHARP);
  pen.fillStyle = colours.card;
  pen.fillRect(0, 0, width, height);
  pen.fillStyle = colours.ink;
  pen.font = `${HEADING} ${fontOf()}`;
  pen.fillText(heading, MARGIN, 30);
  pen.font = `12px ${fontOf()}`;
  for (const key of keys) {
    drawMark(pen, key);
    pen.fillStyle = colours.ink;
    pen.fillText(key.words, key.at + key.wide + 6, key.top + 10);
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

function drawMark(pen, { path, dashes, ink, wide, at, top }) {
  pen.save();
  pen.translate(at, top);
  Object.assign(pen, { fillStyle: ink, strokeStyle: ink, lineWidth: 2.5 });
  if (path) pen.fill(new Path2D(path));
  else {
    pen.setLineDash(dashes);
    pen.stroke(new Path2D(`M0 6H${wide}`));
  }
  pen.restore();
}
