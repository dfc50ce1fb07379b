/* What is selected on the page: one state, which every panel reads and hears of when it changes.

   It is made of fields, each declared once. What is not as it was at first stands in the address behind the part that is
   read, `#trials?words=cnn&pinned=3f2a`, so that a link shows the same. Escape takes the last change back. */

/** Changes that can be taken back. */
const MOST_STEPS = 200;
/** Changes of one kind that follow each other within so many ms are one, as while an axis is brushed. */
const TOGETHER = 1000;
/** The address is written when nothing has changed for so many ms: browsers complain of more than a few a second. */
const RESTS = 250;

const fields = new Map();
const listeners = [];
const past = [];
let state = {};
let last = { kind: "", at: -Infinity };
let timer = 0;
let [part, given] = addressed();

/** The address behind its `#`: the part that is read, and what is said of fields. */
function addressed() {
  const hash = location.hash.slice(1);
  const place = hash.indexOf("?");
  return place < 0 ? [hash, null] : [hash.slice(0, place), new URLSearchParams(hash.slice(place + 1))];
}

/**
 * Declare a field; it begins as the address says.
 *
 * `read` makes a value of a text in the address, which anybody may have written, and `write` makes that text. A value is
 * never changed, but put in another's place.
 */
export function field(name, { initial, read = (text) => text, write = String }) {
  fields.set(name, { initial, read, write });
  state = { ...state, [name]: valueIn(given, name) };
}

function valueIn(query, name) {
  const { initial, read } = fields.get(name);
  const text = query?.get(name) ?? null;
  return text === null ? initial : read(text) ?? initial;
}

/** The value of a field at the moment. */
export const valueOf = (name) => state[name];

/** Call `listener` with the names of changed fields and the source of the change, after each change of one of `names`. */
export const onChange = (names, listener) => listeners.push({ names, listener });
/** Call `listener` so after each change of any field. */
export const onEveryChange = (listener) => listeners.push({ names: null, listener });

/**
 * Change fields; `source` tells listeners who did it.
 *
 * Changes of one source that follow each other within `together` ms, with no other between, are one step.
 */
export function put(changes, source = "", together = TOGETHER) {
  const next = { ...state, ...changes };
  const names = changed(next);
  if (!names.length) return;
  const kind = source && `${source} ${names}`;
  const now = performance.now();
  if (!kind || kind !== last.kind || now - last.at > together) past.push(state);
  if (past.length > MOST_STEPS) past.shift();
  last = { kind, at: now };
  become(next, names, source);
}

/** Take the last change back; returns whether there was one. */
export function undo() {
  const before = past.pop();
  if (!before) return false;
  last = { kind: "", at: -Infinity };
  become(before, changed(before), "undo");
  return true;
}

export const canUndo = () => past.length > 0;

/** Bring these fields back to what they were at first. */
export const reset = (names, source = "clear") => put(Object.fromEntries(names.map((name) => [name, fields.get(name).initial])), source);

const changed = (next) => [...fields].filter(([name, { write }]) => write(next[name]) !== write(state[name])).map(([name]) => name);

function become(next, names, source) {
  state = next;
  clearTimeout(timer);
  timer = setTimeout(writeAddress, RESTS);
  for (const { names: wanted, listener } of listeners) if (wanted === null || names.some((name) => wanted.includes(name))) listener(names, source);
}

/** The page's address with what is selected. */
export function address() {
  const query = new URLSearchParams();
  for (const [name, { initial, write }] of fields) {
    if (write(state[name]) !== write(initial)) query.set(name, write(state[name]));
  }
  const said = String(query);
  const behind = said ? `#${part}?${said}` : part ? `#${part}` : "";
  return location.href.split("#")[0] + behind;
}

function writeAddress() {
  try {
    history.replaceState(null, "", address());
  } catch {
    // Where a page may not write its address, as within another page, it does without.
  }
}

/** Follow the address: a link to a part keeps what is selected, one that says what is selected is followed. */
export function followAddress() {
  if (part) document.getElementById(part)?.scrollIntoView();
  window.addEventListener("hashchange", () => {
    [part, given] = addressed();
    if (given === null) return writeAddress();
    put(Object.fromEntries([...fields.keys()].map((name) => [name, valueIn(given, name)])), "address");
    return document.getElementById(part)?.scrollIntoView();
  });
}
