// Putting items into an order: by dragging, with the buttons beside an item, or with Alt and the arrows.

import { Control, button, herald, key, make, say, styles, valueOf } from "./control.js";

/** Show a field whose value is all items of the task in an order. */
export async function mount({ item, field, params, words }) {
  await styles();
  const ranking = new Ranking(Control.of(field), params.items, item.dataset.assignment, words);
  ranking.begin(valueOf(field));
  const shown = item.querySelector(".wai-exhibit[data-pointer='/items']");
  if (shown) shown.hidden = true;
}

class Ranking {
  constructor(control, items, seed, words) {
    this.control = control;
    this.items = items;
    this.seed = seed;
    this.words = words;
    this.herald = herald();
    this.list = make("ol", { class: "wai-ranking", keydown: (event) => this.press(event) });
    const hint = make("p", { class: "wai-hint" }, words.rank_hint, " ", key("Alt+↑"), " ", key("Alt+↓"));
    control.place.append(hint, this.list, this.herald.element);
  }

  begin(value) {
    // Everybody starts from another order, so that who only submits agrees with nobody.
    const order = value?.length ? completed(value, this.items) : shuffled(this.items, this.seed);
    this.list.append(...order.map((text) => this.row(text)));
    this.number();
    this.control.begin(order);
    if (this.control.had) this.list.querySelector("button").focus();
  }

  row(text) {
    const { words } = this;
    const row = make("li", {});
    row.text = text;
    const up = button("↑", () => this.move(row, -1, up), { class: "wai-quiet", "aria-label": say(words.rank_up, { text }) });
    const down = button("↓", () => this.move(row, 1, down), { class: "wai-quiet", "aria-label": say(words.rank_down, { text }) });
    const handle = button(text, () => {}, { class: "wai-rank", dir: "auto", "aria-keyshortcuts": "Alt+ArrowUp Alt+ArrowDown" });
    row.append(make("span", { class: "wai-place", "aria-hidden": "true" }), handle, up, down);
    handle.addEventListener("pointerdown", (event) => this.grab(row, handle, event));
    return row;
  }

  get rows() {
    return [...this.list.children];
  }

  press(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    event.stopPropagation();
    const row = event.target.closest("li");
    if (event.altKey) this.move(row, step, event.target);
    else this.rows[this.rows.indexOf(row) + step]?.querySelector(".wai-rank").focus();
  }

  move(row, step, focus) {
    const rows = this.rows;
    const other = rows[rows.indexOf(row) + step];
    if (!other) return;
    if (step < 0) other.before(row);
    else other.after(row);
    this.settle(row);
    (focus.disabled ? row.querySelector(".wai-rank") : focus).focus();
  }

  /** Take a row along with the pointer; it is put where the pointer is. */
  grab(row, handle, event) {
    if (event.button !== 0) return;
    handle.setPointerCapture(event.pointerId);
    const before = this.rows;
    const follow = ({ clientY: y }) => {
      row.classList.add("dragged");
      const next = this.rows.find((each) => each !== row && y < middle(each));
      if (next !== row.nextElementSibling) this.list.insertBefore(row, next ?? null);
      // The capture is lost where an element is put elsewhere.
      if (!handle.hasPointerCapture(event.pointerId)) handle.setPointerCapture(event.pointerId);
    };
    const end = () => {
      row.classList.remove("dragged");
      handle.removeEventListener("pointermove", follow);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      if (this.rows.some((each, n) => each !== before[n])) this.settle(row);
      handle.focus({ preventScroll: true });
    };
    handle.addEventListener("pointermove", follow);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  }

  settle(row) {
    this.number();
    this.control.write(this.rows.map((each) => each.text));
    const place = this.rows.indexOf(row) + 1;
    this.herald.tell(say(this.words.rank_moved, { text: row.text, place, n: this.rows.length }));
  }

  number() {
    const rows = this.rows;
    rows.forEach((row, n) => {
      const [place, , up, down] = row.children;
      place.textContent = n + 1;
      up.disabled = n === 0;
      down.disabled = n === rows.length - 1;
    });
  }
}

function middle(element) {
  const { top, height } = element.getBoundingClientRect();
  return top + height / 2;
}

/** What is known of an order, and behind it what it lacks. */
function completed(value, items) {
  const left = new Map(items.map((text) => [text.normalize("NFC"), text]));
  const found = [];
  for (const text of value) {
    const form = String(text).normalize("NFC");
    if (left.has(form)) found.push(left.get(form));
    left.delete(form);
  }
  return [...found, ...left.values()];
}

/** The items in an order that is always the same for the same seed. */
function shuffled(items, seed) {
  let state = 2166136261;
  for (const character of seed) state = Math.imul(state ^ character.codePointAt(0), 16777619);
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    // A step of mulberry32, a public-domain generator of 32 bits.
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    const other = ((mixed ^ (mixed >>> 14)) >>> 0) % (last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
