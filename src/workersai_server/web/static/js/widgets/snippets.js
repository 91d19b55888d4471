// Shortcuts that become longer texts when a space follows; each worker has their own.

import { prefer, preference } from "../preferences.js";
import { make } from "./control.js";

/** Expand the worker's shortcuts in the texts of an element; returns where they are edited. */
export function snippets(element, words) {
  let known = parsed(preference("snippets"));
  element.addEventListener("input", (event) => {
    if (event.isComposing || !event.target.matches("textarea, input[type=text]") || event.target.closest(".wai-snippets")) return;
    expand(event.target, known);
  });
  const box = make("textarea", { rows: "4", id: "wai-snippets", maxlength: "10000", spellcheck: "false", placeholder: words.snippets_example });
  box.value = preference("snippets");
  box.addEventListener("input", (event) => {
    // They are no part of the answer.
    event.stopPropagation();
    known = parsed(box.value);
    prefer("snippets", box.value);
  });
  return make("details", { class: "wai-snippets" },
    make("summary", {}, words.snippets),
    make("label", { for: "wai-snippets", class: "wai-hint" }, words.snippets_hint), box);
}

function parsed(text) {
  const lines = text.split("\n").map((line) => /^\s*(\S+)\s*=\s*(.+?)\s*$/.exec(line));
  return new Map(lines.filter(Boolean).map(([, short, long]) => [short, long]));
}

function expand(field, known) {
  const end = field.selectionStart;
  const [, short, space] = /(?:^|\s)(\S+)(\s)$/.exec(field.value.slice(0, end)) ?? [];
  if (!known.has(short)) return;
  field.setRangeText(known.get(short) + space, end - short.length - 1, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
