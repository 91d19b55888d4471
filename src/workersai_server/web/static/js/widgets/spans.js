// Marking spans of a text: select, then choose the label. Spans are kept in UTF-16 offsets here and in code points outside.

import { Control, button, herald, key, make, say, styles, valueOf, writes } from "./control.js";
import { Labels, colour } from "./labels.js";
import { Offsets, place, selected } from "./offsets.js";

const STEPS = {
  ArrowLeft: ["left", "character", "word"],
  ArrowRight: ["right", "character", "word"],
  ArrowUp: ["backward", "line", "line"],
  ArrowDown: ["forward", "line", "line"],
  Home: ["backward", "lineboundary", "lineboundary"],
  End: ["forward", "lineboundary", "lineboundary"],
};

/** Show a field whose value is the labeled spans of the task's text. */
export async function mount({ item, field, params, words }) {
  await styles();
  const value = valueOf(field) ?? [];
  if (!Array.isArray(value) || !value.every((span) => Number.isInteger(span?.start) && Number.isInteger(span.end))) {
    throw new Error("this is no list of spans");
  }
  const spans = new Spans(Control.of(field), params, words);
  spans.begin(value);
  for (const pointer of ["/text", "/labels"]) {
    const shown = item.querySelector(`.wai-exhibit[data-pointer='${pointer}']`);
    if (shown) shown.hidden = true;
  }
}

class Spans {
  constructor(control, { text, labels, overlap = "none" }, words) {
    Object.assign(this, { control, text, overlap, words, spans: [], active: -1 });
    this.offsets = new Offsets(text);
    this.labels = new Labels(labels, words.labels, (label) => this.choose(label));
    this.herald = herald();
    this.shown = make("div", { class: "wai-marked wai-shown-text", tabindex: "0", dir: "auto", role: "group", "aria-label": words.span_text });
    this.list = make("ol", { class: "wai-found" });
    this.caret = make("span", { class: "wai-caret", hidden: true });
    const hint = make("p", { class: "wai-hint" }, words.span_hint, " ", key("Shift+→"), " ", key("Ctrl+Shift+→"), " ", key("Del"), " ", key("Ctrl+Z"));
    control.place.append(hint, this.labels.element, make("div", { class: "wai-around" }, this.shown, this.caret), this.list, this.herald.element);
    this.shown.addEventListener("keydown", (event) => this.steer(event));
    this.shown.addEventListener("click", (event) => this.touch(event));
    this.shown.addEventListener("blur", () => (this.caret.hidden = true));
    control.place.addEventListener("keydown", (event) => this.press(event));
  }

  begin(value) {
    this.read(value);
    this.control.begin(this.answer());
    this.show();
    if (this.control.had || document.activeElement === document.body) this.shown.focus({ preventScroll: true });
  }

  /** From code points to what is on the screen; what is wrong with a span stays with it. */
  read(value) {
    this.spans = value.map((span, n) => ({
      start: this.offsets.toUnits(span.start),
      end: this.offsets.toUnits(span.end),
      label: this.labels.find(span.label).name,
      issues: this.control.issues.get(n),
    }));
  }

  answer() {
    return this.spans.map(({ start, end, label }) => {
      const [first, last] = [this.offsets.toPoints(start), this.offsets.toPoints(end)];
      return { start: first, end: last, label, text: this.text.slice(start, end) };
    });
  }

  // --- what is done to spans ---------------------------------------------------------------------

  /** Label what is selected, else change the label of the active span. */
  choose(label) {
    const range = this.selection();
    if (range) this.add({ ...range, label });
    else if (this.active >= 0) this.change(() => (this.spans[this.active] = { ...this.spans[this.active], label, issues: undefined }));
    else this.herald.tell(this.words.span_first);
  }

  add(span) {
    this.change(() => {
      this.spans = [...this.spans.filter((each) => !this.excludes(span, each)), span];
      this.spans.sort((a, b) => a.start - b.start || b.end - a.end);
      this.active = this.spans.indexOf(span);
    });
    this.put(span.end, span.end);
    this.herald.tell(`${span.label}: ${this.text.slice(span.start, span.end)}`);
  }

  /** Whether a new span takes the place of another, by the task's rule of overlap. */
  excludes(span, { start, end, label }) {
    if (span.start === start && span.end === end) return this.overlap === "none" || span.label === label;
    if (this.overlap === "any" || span.end <= start || end <= span.start) return false;
    const nested = (span.start <= start && end <= span.end) || (start <= span.start && span.end <= end);
    return this.overlap === "none" || !nested;
  }

  remove(n) {
    const { label, start, end } = this.spans[n];
    this.change(() => {
      this.spans.splice(n, 1);
      this.active = -1;
    });
    this.herald.tell(say(this.words.removed, { text: `${label}: ${this.text.slice(start, end)}` }));
    this.shown.focus({ preventScroll: true });
  }

  change(act) {
    act();
    this.control.write(this.answer());
    this.show();
  }

  undo() {
    const before = this.control.undo();
    if (!before) return;
    this.control.issues.clear();
    this.read(before);
    this.active = -1;
    this.show();
  }

  // --- the selection -------------------------------------------------------------------------------

  /** What is selected, without white space around it; null when that is nothing. */
  selection() {
    const range = selected(this.shown);
    if (!range) return null;
    const text = this.text.slice(range.start, range.end);
    const start = range.start + (text.length - text.trimStart().length);
    const end = range.end - (text.length - text.trimEnd().length);
    return start < end ? { start, end } : null;
  }

  put(start, end) {
    document.getSelection().setBaseAndExtent(...place(this.shown, start), ...place(this.shown, end));
  }

  /** Move the selection with the keys of a text field. */
  steer(event) {
    const step = STEPS[event.key];
    if (!step || event.altKey || writes(event)) return;
    event.preventDefault();
    const selection = document.getSelection();
    if (!selected(this.shown)) this.put(0, 0);
    selection.modify(event.shiftKey ? "extend" : "move", step[0], event.ctrlKey || event.metaKey ? step[2] : step[1]);
    if (!selected(this.shown)) this.put(0, 0);
    this.point();
  }

  /** Show where the keys are in the text: only text fields have a caret of their own. */
  point() {
    const selection = document.getSelection();
    const range = document.createRange();
    range.setStart(selection.focusNode, selection.focusOffset);
    const box = range.getClientRects()[0] ?? this.shown.getBoundingClientRect();
    const around = this.caret.parentElement.getBoundingClientRect();
    Object.assign(this.caret.style, { left: `${box.left - around.left}px`, top: `${box.top - around.top}px`, height: `${Math.min(box.height, 40)}px` });
    this.caret.hidden = false;
    this.activate(selection.isCollapsed ? this.at(selected(this.shown).start) : -1);
  }

  touch() {
    this.caret.hidden = true;
    const range = selected(this.shown);
    this.activate(range && range.start === range.end ? this.at(range.start) : -1);
  }

  /** The innermost span at an offset; -1 when there is none. */
  at(offset) {
    const found = this.spans.filter(({ start, end }) => start <= offset && offset < end);
    found.sort((a, b) => a.end - a.start - (b.end - b.start));
    return found.length ? this.spans.indexOf(found[0]) : -1;
  }

  press(event) {
    if (writes(event)) return;
    if ((event.ctrlKey || event.metaKey) && event.code === "KeyZ" && !event.shiftKey) this.undo();
    else if ((event.key === "Delete" || event.key === "Backspace") && this.active >= 0) this.remove(this.active);
    else return;
    event.preventDefault();
  }

  // --- the screen -----------------------------------------------------------------------------------

  activate(n) {
    if (n === this.active) return;
    this.active = n;
    this.emphasize();
  }

  show() {
    const range = selected(this.shown);
    this.shown.replaceChildren(...this.pieces());
    this.list.replaceChildren(...this.spans.map((span, n) => this.row(span, n)));
    if (range) this.put(range.start, range.end);
    this.emphasize();
  }

  emphasize() {
    for (const mark of this.shown.querySelectorAll("mark")) mark.classList.toggle("active", mark.spans.includes(this.active));
    [...this.list.children].forEach((row, n) => row.firstElementChild.setAttribute("aria-pressed", String(n === this.active)));
    this.labels.press(this.spans[this.active]?.label ?? null);
  }

  /** The text, cut wherever a span begins or ends. */
  pieces() {
    const cuts = new Set([0, this.text.length, ...this.spans.flatMap(({ start, end }) => [start, end])]);
    const ordered = [...cuts].sort((a, b) => a - b);
    return ordered.slice(0, -1).map((start, n) => this.piece(start, ordered[n + 1]));
  }

  piece(start, end) {
    const around = this.spans.map((span, n) => n).filter((n) => this.spans[n].start <= start && end <= this.spans[n].end);
    const text = this.text.slice(start, end);
    if (!around.length) return text;
    const inner = this.at(start);
    const ending = around.filter((n) => this.spans[n].end === end).map((n) => this.spans[n].label);
    const mark = make("mark", { class: colour(this.labels.find(this.spans[inner].label).n) }, text);
    if (ending.length) mark.dataset.label = ending.join(", ");
    mark.classList.toggle("nested", around.length > 1);
    mark.spans = around;
    return mark;
  }

  row({ start, end, label, issues }, n) {
    const text = this.text.slice(start, end);
    const select = () => {
      this.active = n;
      this.put(start, start);
      this.emphasize();
      this.shown.querySelector("mark.active")?.scrollIntoView({ block: "nearest" });
    };
    const name = make("span", { class: `wai-chip ${colour(this.labels.find(label).n)}`, dir: "auto" }, label);
    const chosen = button(name, select, { class: "wai-quiet wai-row" });
    chosen.append(make("span", { dir: "auto" }, text));
    const gone = button("×", () => this.remove(n), { class: "wai-quiet", "aria-label": say(this.words.remove_one, { text: `${label}: ${text}` }) });
    return make("li", {}, chosen, gone, ...(issues ?? []));
  }
}
