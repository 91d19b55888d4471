// The labels of a task: buttons with a key and a colour each.

import { button, key, make } from "./control.js";

const KEYS = "1234567890abcdefghijklmnopqrstuvwxyz";
const COLOURS = 10;

/** The class that gives an element the colour of a label. */
export function colour(n) {
  return `wai-c${Math.max(0, n) % COLOURS}`;
}

export class Labels {
  /**
   * @param names The labels, in the requester's order.
   * @param title What they are called, for screen readers.
   * @param choose Called with a label that was chosen.
   */
  constructor(names, title, choose) {
    this.names = names;
    this.buttons = names.map((name, n) => {
      const hotkey = KEYS[n];
      const made = button("", () => choose(name), { class: `wai-label ${colour(n)}`, "data-hotkey": hotkey, "aria-pressed": "false" });
      made.append(make("span", { dir: "auto" }, name), ...(hotkey ? [key(hotkey)] : []));
      // A press takes neither the selection of a text away nor the focus of what is labeled.
      made.addEventListener("pointerdown", (event) => event.preventDefault());
      made.addEventListener("mousedown", (event) => event.preventDefault());
      return made;
    });
    this.element = make("div", { class: "wai-labels", role: "group", "aria-label": title }, ...this.buttons);
    this.current = null;
  }

  /** The requester's spelling of a label, and what colour it has; they are compared in Unicode NFC. */
  find(name) {
    const form = String(name ?? "").normalize("NFC");
    const n = this.names.findIndex((each) => each.normalize("NFC") === form);
    return { name: n < 0 ? name : this.names[n], n };
  }

  /** Show which label is the chosen one; null for none. */
  press(name) {
    this.current = name;
    this.buttons.forEach((each, n) => each.setAttribute("aria-pressed", String(this.names[n] === name)));
  }
}
