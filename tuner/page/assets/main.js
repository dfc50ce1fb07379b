/* Fills every place that the page has. */

import { stopWhereScrolled } from "./arrows.js";
import { canDraw, startCharts } from "./charts.js";
import { drawConfusion } from "./confusion.js";
import { drawCost } from "./cost.js";
import { drawDrawer } from "./drawer.js";
import { drawImportance } from "./importance.js";
import { drawLearning } from "./learning.js";
import { drawOneClass } from "./oneclass.js";
import { drawPair } from "./pair.js";
import { drawParallel } from "./parallel.js";
import { drawProgress } from "./progress.js";
import { drawRoc } from "./roc.js";
import { drawScores } from "./scores.js";
import { drawSelectionBar } from "./selectionbar.js";
import { drawSlices } from "./slices.js";
import { drawTable } from "./table.js";
import { drawTimeline } from "./timeline.js";
import { followAddress, undo } from "./store.js";

const FIGURES = {
  scores: drawScores, parallel: drawParallel, progress: drawProgress, pair: drawPair, class: drawOneClass, importance: drawImportance, slices: drawSlices, learning: drawLearning,
  roc: drawRoc, cost: drawCost, timeline: drawTimeline, "trials-table": drawTable, "confusion-matrix": drawConfusion,
};

document.getElementById("no-library").hidden = canDraw;
for (const place of document.querySelectorAll("[data-figure]")) fill(place, FIGURES[place.dataset.figure]);
startCharts(document.getElementById("theme"));
fill(document.getElementById("selection"), drawSelectionBar);
fill(document.getElementById("drawer"), drawDrawer);
followReading();
followAddress();
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && undo()) event.preventDefault();
});
stopWhereScrolled();
document.documentElement.dataset.ready = "yes";

/** Fill one place; where that fails, the others are filled all the same. */
function fill(place, draw) {
  try {
    draw(place);
  } catch (error) {
    place.textContent = "This could not be drawn; report.md has it.";
    console.error(error);
  }
}

/** Mark in the navigation which part is being read. */
function followReading() {
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      links.forEach((link, name) => (name === target.id ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    }
  }, { rootMargin: "-20% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => observer.observe(section));
}
