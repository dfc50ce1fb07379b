/* One stop of the Tab key for the charts of a figure, each matrix and each list; arrows go from mark to mark within. */

import { make } from "./dom.js";

/** Steps of the arrow keys: along the marks of a series, or the items of a row, and from one series or row to another. */
const ALONG = { ArrowRight: 1, ArrowLeft: -1 };
const ACROSS = { ArrowDown: 1, ArrowUp: -1 };
/** Steps from one chart of a figure to another. */
const PAGES = { PageDown: 1, PageUp: -1 };

/**
 * Let the arrows go from mark to mark of a chart, whose tooltip is shown and read; Escape puts it away.
 *
 * Of the charts of a figure one is a stop of the Tab key; page up and page down go to the others.
 */
export function walkMarks(box, instance) {
  let series = 0;
  let mark = -1;
  const said = make("span", { class: "unseen", role: "status" });
  box.after(said);
  const together = () => [...(box.closest(".charts") ?? box.parentNode).querySelectorAll(".chart")].filter(({ clientWidth }) => clientWidth);
  const stop = (here) => together().forEach((other) => (other.tabIndex = other === here ? 0 : -1));
  if (!together().some((other) => other !== box && other.tabIndex === 0)) stop(box);
  box.addEventListener("focus", () => {
    stop(box);
    if (together().length > 1) box.setAttribute("aria-description", "Page up and page down go to the other charts of this figure.");
  });
  const marksOf = (k) => instance.getOption().series[k]?.data?.length ?? 0;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && mark >= 0) {
      instance.dispatchAction({ type: "hideTip" });
      mark = -1;
      event.stopPropagation();
      return;
    }
    const next = event.key in PAGES ? together()[together().indexOf(box) + PAGES[event.key]] : null;
    if (next) {
      stop(next);
      next.focus();
      event.preventDefault();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in ALONG || event.key in ACROSS)) return;
    event.preventDefault();
    const walked = instance.getOption().series.flatMap(({ silent, tooltip }, k) => (silent || tooltip?.show === false || !marksOf(k) ? [] : [k]));
    if (!walked.length) return;
    if (!walked.includes(series)) [series, mark] = [walked[0], -1];
    if (event.key in ACROSS && walked.length > 1) {
      series = walked[(walked.indexOf(series) + ACROSS[event.key] + walked.length) % walked.length];
      mark = Math.min(Math.max(mark, 0), marksOf(series) - 1);
    } else {
      const step = ALONG[event.key] ?? ACROSS[event.key];
      mark = mark < 0 ? 0 : (mark + step + marksOf(series)) % marksOf(series);
    }
    instance.dispatchAction({ type: "showTip", seriesIndex: series, dataIndex: mark });
    said.textContent = [...box.querySelectorAll(".tip strong, .tip dt, .tip dd")].map(({ textContent }) => textContent).join(" ");
  });
  box.addEventListener("blur", () => instance.dispatchAction({ type: "hideTip" }));
}

/**
 * Make the elements of a box that a selector finds one stop of the Tab key.
 *
 * Arrows go along them and, where `rows` finds what they stand in, from row to row at the same place.
 */
export function oneStop(box, selector, rows = null) {
  const all = () => [...box.querySelectorAll(selector)];
  const stop = (element) => {
    for (const other of all()) other.tabIndex = other === element ? 0 : -1;
  };
  if (all().length) stop(all()[0]);
  box.addEventListener("focusin", ({ target }) => target.matches(selector) && stop(target));
  box.addEventListener("keydown", (event) => {
    const here = event.target.closest(selector);
    if (!here) return;
    const every = all();
    let next;
    if (event.key in ALONG) next = every[every.indexOf(here) + ALONG[event.key]];
    else if (event.key in ACROSS) next = rows ? nearest(here, ACROSS[event.key]) : every[every.indexOf(here) + ACROSS[event.key]];
    else if (event.key === "Home") [next] = every;
    else if (event.key === "End") next = every.at(-1);
    else return;
    event.preventDefault();
    next?.focus();
  });
  /** The next one up or down in the same column, or nearest to it in a row that has any. */
  function nearest(here, step) {
    const place = (element) => element.closest("td, th").cellIndex;
    for (let row = here.closest(rows); row; row = step > 0 ? row.nextElementSibling : row.previousElementSibling) {
      if (row === here.closest(rows)) continue;
      const found = [...row.querySelectorAll(selector)];
      if (found.length) return found.reduce((a, b) => (Math.abs(place(b) - place(here)) < Math.abs(place(a) - place(here)) ? b : a));
    }
    return null;
  }
}

/** Let boxes that scroll be a stop only where there is something to scroll, and no stop within. */
export function stopWhereScrolled() {
  const follow = (box) => {
    const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
    if (scrolls && !box.querySelector("a[href], button:not([tabindex='-1']), [tabindex='0']")) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver((entries) => entries.forEach(({ target }) => follow(target.closest(".scroll") ?? target)));
  const watch = (box) => {
    observer.observe(box);
    for (const child of box.children) observer.observe(child);
  };
  document.querySelectorAll(".scroll").forEach(watch);
  new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes) {
      const boxes = [...addedNodes].flatMap((node) => (node.nodeType === 1 ? [...(node.matches(".scroll") ? [node] : []), ...node.querySelectorAll(".scroll")] : []));
      if (target.matches?.(".scroll")) boxes.push(target);
      boxes.forEach(watch);
    }
  }).observe(document.querySelector("main"), { childList: true, subtree: true });
}
