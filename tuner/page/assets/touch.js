/* Fingers on charts: one that moves up or down scrolls the page, one that moves along does what a mouse does. A wheel
   scrolls the page as well, unless Ctrl is held. */

/** From so many pixels on a finger moves. */
const MOVES = 8;

/**
 * Keep a chart from taking every touch for itself, which leaves a page that cannot be scrolled.
 *
 * Its library stops the browser at the first touch. Here it sees no finger: two are a pinch, which it does see; one that
 * moves along becomes a mouse that drags, and a tap becomes a click by the browser's own doing.
 */
export function letScroll(box) {
  let from = null; // where a finger came down
  let drags = false;
  const as = (type, { clientX, clientY }) =>
    (box.querySelector("canvas, svg") ?? box).dispatchEvent(
      new MouseEvent(type, { clientX, clientY, bubbles: true, cancelable: true, view: window, buttons: type === "mouseup" ? 0 : 1 }));
  const listen = (type, listener) => box.addEventListener(type, (event) => {
    if (event.touches.length > 1) {
      from = null;
      return;
    }
    event.stopPropagation();
    listener(event);
  }, { capture: true, passive: false });
  listen("touchstart", ({ touches }) => {
    from = touches[0];
    drags = false;
  });
  listen("touchmove", (event) => {
    if (!from) return;
    const finger = event.touches[0];
    if (!drags) {
      const [x, y] = [Math.abs(finger.clientX - from.clientX), Math.abs(finger.clientY - from.clientY)];
      if (Math.max(x, y) < MOVES) return;
      if (y >= x) {
        from = null; // scrolls
        return;
      }
      drags = true;
      as("mousemove", from);
      as("mousedown", from);
    }
    if (event.cancelable) event.preventDefault();
    as("mousemove", finger);
  });
  listen("touchend", (event) => {
    if (drags) as("mouseup", event.changedTouches[0]);
    drags = false;
    from = null;
  });
  // The library takes every turn of a wheel over a chart that can be zoomed, and zooms by none without Ctrl
  for (const type of ["wheel", "mousewheel", "DOMMouseScroll"]) {
    box.addEventListener(type, (event) => event.ctrlKey || event.stopPropagation(), { capture: true, passive: true });
  }
  listen("touchcancel", (event) => {
    if (drags) as("mouseup", event.changedTouches[0]);
    drags = false;
    from = null;
  });
}
