/* Values as TOML, as a search file takes them, and a button that copies a text. */

import { make } from "./dom.js";

const BARE = /^[A-Za-z0-9_-]+$/;
const key = (name) => (BARE.test(name) ? name : quoted(name));

/** A text as TOML's basic string, which JSON's is but for the character DEL. */
const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");

function value(held) {
  if (typeof held === "string") return quoted(held);
  return Array.isArray(held) ? `[${held.map(value).join(", ")}]` : String(held);
}

/** An entry of `try_first`: [name, value] pairs as an inline table. */
export const inToml = (pairs) => `{ ${pairs.map(([name, held]) => `${key(name)} = ${value(held)}`).join(", ")} }`;

/** A button that copies a text, and says so for a moment. */
export function copyButton(words, text) {
  const button = make("button", { type: "button", class: "quiet-button", onclick: copy }, words);
  const said = make("span", { class: "quiet", role: "status" });
  async function copy() {
    let done = false;
    try {
      await navigator.clipboard.writeText(text);
      done = true;
    } catch {
      done = copyOldWay(text); // where a browser does not let a page from the disk write
      button.focus();
    }
    said.textContent = done ? " Copied." : " Select the text above, and copy it.";
    setTimeout(() => (said.textContent = ""), 4000);
  }
  return make("p", {}, button, said);
}

function copyOldWay(text) {
  const field = make("textarea", { "aria-hidden": "true", style: "position:fixed;top:0;left:-99rem" });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
