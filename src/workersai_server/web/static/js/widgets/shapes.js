// Marking objects in a picture: what boxes, outlines and points have in common.
//
// A kind says what is its own: paint(shape, scale, active) and handles(shape) what is on the screen,
// moved(shape, dx, dy) and perhaps resized(shape, dx, dy) what the arrows do, start(point) and tap(point)
// how a shape comes about, numbers(shape, n) what may be typed, describe(shape) what is read.

import { Control, button, draw, herald, key, make, rounded, say, styles, valueOf, writes } from "./control.js";
import { Stage, arrow, loaded } from "./canvas.js";
import { Labels, colour } from "./labels.js";

/** Show a field whose value is the marked objects of the task's picture. */
export async function edit({ item, field, params, words }, makeKind) {
  const value = valueOf(field) ?? [];
  const figure = item.querySelector(".wai-exhibit[data-pointer='/attachment']");
  const image = figure?.querySelector("img");
  if (!image || !Array.isArray(value) || !value.every((shape) => shape && typeof shape === "object")) {
    throw new Error("there is no picture, or no list of shapes");
  }
  await Promise.all([styles(), loaded(image)]);
  const editor = new Editor(Control.of(field), image, params, words, makeKind);
  editor.begin(value);
  figure.hidden = true;
  const objects = item.querySelector(".wai-exhibit[data-pointer='/objects_to_annotate']");
  if (objects && params.with_labels) objects.hidden = true;
}

class Editor {
  constructor(control, image, params, words, makeKind) {
    const size = { width: params.image_width ?? image.naturalWidth, height: params.image_height ?? image.naturalHeight };
    Object.assign(this, { control, params, words, size, shapes: [], active: -1, sketch: null });
    this.kind = makeKind(this);
    this.labels = params.with_labels ? new Labels(params.objects_to_annotate, words.labels, (name) => this.choose(name)) : null;
    this.herald = herald();
    this.list = make("ol", { class: "wai-found" });
    this.stage = new Stage(image, size, words, {
      begin: (point, target) => this.press(point, target),
      tap: (point) => this.kind.tap(point),
      hover: (point) => this.kind.hover?.(point),
      zoomed: () => this.paint(),
    });
    const keys = this.kind.keys.flatMap((name) => [key(name), " "]);
    const hint = make("p", { class: "wai-hint" }, this.kind.hint, " ", ...keys);
    const labels = this.labels ? [this.labels.element] : [];
    control.place.append(hint, ...labels, ...(this.kind.controls ?? []), this.stage.element, this.list, this.herald.element);
    control.place.addEventListener("keydown", (event) => this.keydown(event));
    // Not at the SVG: Chromium takes one that listens to the focus for something to be focused.
    this.stage.sheet.addEventListener("focusin", (event) => this.focused(event.target));
  }

  begin(value) {
    this.shapes = value;
    this.active = this.kind.unfinished?.() ?? -1;
    this.labels?.press(this.params.objects_to_annotate[0]);
    this.control.begin(value);
    this.stage.fit();
    this.show();
    if (this.control.had || document.activeElement === document.body) this.stage.view.focus({ preventScroll: true });
  }

  /** A coordinate as it is answered. */
  number(value) {
    return rounded(value);
  }

  /** How far points may go together, of a way that is wanted, without leaving the picture. */
  inside(points, dx, dy) {
    const part = (values, length, way) => Math.max(-Math.min(...values), Math.min(length - Math.max(...values), way));
    const { width, height } = this.size;
    return { x: part(points.map((each) => each.x), width, dx), y: part(points.map((each) => each.y), height, dy) };
  }

  /** What a new shape has besides its place. */
  label() {
    return this.labels ? { label: this.labels.current } : {};
  }

  /** The class that gives a shape, or one that is being drawn, its colour. */
  look(label) {
    return colour(this.labels ? this.labels.find(label ?? this.labels.current).n : 0);
  }

  // --- what is done to shapes ---------------------------------------------------------------------------

  add(shape) {
    this.shapes = [...this.shapes, shape];
    this.active = this.shapes.length - 1;
    this.changed();
    this.herald.tell(say(this.words.added, { text: this.name(this.active) }));
  }

  replace(n, shape, typing = false) {
    this.shapes = this.shapes.map((each, m) => (m === n ? shape : each));
    this.changed(typing);
  }

  remove(n) {
    const text = this.name(n);
    this.shapes = this.shapes.filter((each, m) => m !== n);
    this.control.issues.clear();
    this.active = -1;
    this.kind.removed?.(n);
    this.changed();
    this.herald.tell(say(this.words.removed, { text }));
    this.stage.view.focus({ preventScroll: true });
  }

  choose(name) {
    if (this.active >= 0) this.replace(this.active, { ...this.shapes[this.active], label: name });
    this.labels.press(name);
  }

  undo() {
    const before = this.control.undo();
    if (!before) return;
    this.shapes = before;
    this.active = Math.min(this.active, before.length - 1);
    this.kind.undone?.();
    this.show();
  }

  /** @param typing Whether somebody types into the list, which must stay as it is then. */
  changed(typing = false) {
    this.control.write(this.shapes);
    if (typing) {
      this.paint();
      this.list.children[this.active].querySelector(".wai-said").textContent = this.kind.describe(this.shapes[this.active]);
    } else {
      this.show();
    }
  }

  activate(n) {
    if (n === this.active) return;
    this.active = n;
    if (n >= 0) this.labels?.press(this.labels.find(this.shapes[n].label).name);
    this.show();
  }

  /** Let go of the active shape. */
  leave() {
    this.stage.view.focus({ preventScroll: true });
    this.activate(-1);
  }

  // --- the pointer and the keys ---------------------------------------------------------------------------

  press(point, target) {
    const shape = target.closest("[data-shape]");
    const handle = target.closest("[data-handle]");
    if (this.kind.isDrawing?.()) return this.kind.start(point, handle);
    if (handle) {
      const found = this.handle(handle.dataset.handle);
      return this.dragging((to) => found.drag(to));
    }
    if (!shape) return this.kind.start(point);
    const n = Number(shape.dataset.shape);
    this.activate(n);
    this.focus();
    const before = this.shapes[n];
    return this.dragging((to) => this.kind.moved(before, to.x - point.x, to.y - point.y));
  }

  /** Give the keys to the active shape. */
  focus() {
    this.stage.shapes.querySelector(`[data-shape="${this.active}"]`)?.focus({ preventScroll: true });
  }

  handle(id) {
    return this.kind.handles(this.shapes[this.active]).find((each) => each.id === id);
  }

  /** A drag that changes the active shape; it is one change in the end. */
  dragging(change) {
    const n = this.active;
    const before = this.shapes;
    let moved = false;
    const move = (to) => {
      moved = true;
      this.shapes = before.map((each, m) => (m === n ? change(to) : each));
      this.paint();
    };
    const cancel = () => {
      this.shapes = before;
      this.paint();
    };
    return { move, end: () => moved && this.changed(), cancel };
  }

  keydown(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const isUndo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.code === "KeyZ" && !writes(event);
    if (isUndo) this.undo();
    else if (!this.stage.keys(event) && !this.kind.press?.(event) && !this.nudge(event)) return;
    event.preventDefault();
  }

  /** Take a key that is for the shape, or the handle, that has the focus. */
  nudge(event) {
    const { target } = event;
    if (!target.closest("[data-shape]") || this.active < 0) return false;
    const at = this.shapes[this.active];
    const handle = target.dataset.handle === undefined ? null : this.handle(target.dataset.handle);
    const step = arrow(event, this.size);
    if (step && handle) this.replace(this.active, handle.drag(this.stage.within({ x: handle.x + step.x, y: handle.y + step.y })));
    else if (step && event.ctrlKey && this.kind.resized) this.replace(this.active, this.kind.resized(at, step.x, step.y));
    else if (step && !event.ctrlKey) this.replace(this.active, this.kind.moved(at, step.x, step.y));
    else if (event.key === "Delete" || event.key === "Backspace") this.delete(handle);
    else if (event.key === "Escape") this.leave();
    else return false;
    return true;
  }

  /** Take away the handle that has the focus, or the whole shape. */
  delete(handle) {
    const without = handle?.without?.();
    if (!without) {
      this.remove(this.active);
      return;
    }
    this.replace(this.active, without);
    this.focus();
  }

  focused(target) {
    const shape = target.closest("[data-shape]");
    if (shape) this.activate(Number(shape.dataset.shape));
  }

  // --- the screen --------------------------------------------------------------------------------------------

  show() {
    this.paint();
    this.list.replaceChildren(...this.shapes.map((shape, n) => this.row(shape, n)));
    this.reveal(this.list.children[this.active]);
  }

  /** Scroll the list, not the page: that stays where somebody is drawing. */
  reveal(row) {
    if (!row) return;
    const { list } = this;
    const top = row.offsetTop - list.offsetTop;
    const bottom = top + row.offsetHeight - list.clientHeight;
    list.scrollTop = Math.min(top, Math.max(bottom, list.scrollTop));
  }

  name(n) {
    const { label } = this.shapes[n];
    return [say(this.kind.title, { n: n + 1 }), label, this.kind.describe(this.shapes[n])].filter(Boolean).join(", ");
  }

  paint() {
    const { shapes } = this.stage;
    const focus = shapes.contains(document.activeElement) ? document.activeElement.dataset : null;
    // The active one last: what is painted last is what the pointer meets.
    const order = [...this.shapes.keys()].sort((a, b) => (a === this.active) - (b === this.active));
    shapes.replaceChildren(...order.map((n) => this.painted(this.shapes[n], n)), ...(this.sketch ? [this.sketch] : []));
    this.kind.settle?.();
    if (!focus) return;
    const handle = focus.handle === undefined ? null : shapes.querySelector(`[data-handle="${CSS.escape(focus.handle)}"]`);
    const again = handle ?? shapes.querySelector(`[data-shape="${focus.shape ?? this.active}"]`);
    (again ?? this.stage.view).focus({ preventScroll: true });
  }

  painted(shape, n) {
    const active = n === this.active;
    const { scale } = this.stage;
    const group = draw("g", {
      class: `wai-shape ${this.look(shape.label)}${active ? " active" : ""}`, "data-shape": n, tabindex: "0", role: "button",
      "aria-pressed": String(active), "aria-label": this.name(n),
    }, ...this.kind.paint(shape, scale, active));
    const corner = this.kind.corner(shape);
    if (shape.label && corner) {
      group.append(draw("text", { x: corner.x, y: corner.y - 5 / scale, "font-size": 13 / scale }, shape.label));
    }
    if (active) group.append(...this.kind.handles(shape).map((each) => this.knob(each)));
    return group;
  }

  knob({ id, x, y, title, small, solid }) {
    const { scale } = this.stage;
    const attributes = title ? { tabindex: "0", role: "button", "aria-label": title } : {};
    // A finger needs more room than the eye.
    const felt = draw("circle", { class: "wai-felt", cx: x, cy: y, r: (small ? 8 : 12) / scale });
    const seen = draw("circle", { class: solid ? "wai-knob solid" : "wai-knob", cx: x, cy: y, r: (small ? 4 : 6) / scale });
    return draw("g", { "data-handle": id, class: small ? "small" : "", ...attributes }, felt, seen);
  }

  row(shape, n) {
    const active = n === this.active;
    const chosen = button(`${n + 1}`, () => this.activate(active ? -1 : n), { class: "wai-quiet wai-row", "aria-pressed": String(active) });
    if (shape.label) chosen.append(make("span", { class: `wai-chip ${this.look(shape.label)}`, dir: "auto" }, shape.label));
    chosen.append(make("span", { class: "wai-said" }, this.kind.describe(shape)));
    const gone = button("×", () => this.remove(n), { class: "wai-quiet", "aria-label": say(this.words.remove_one, { text: this.name(n) }) });
    const numbers = active && this.kind.numbers ? [this.kind.numbers(shape, n)] : [];
    return make("li", {}, chosen, gone, ...numbers, ...(this.control.issues.get(n) ?? []));
  }

  /** A field for a coordinate of the active shape. */
  field(title, value, change) {
    const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off" });
    input.value = String(value ?? "");
    input.addEventListener("input", (event) => {
      // The value goes to the control, which says itself that it has changed.
      event.stopPropagation();
      const number = Number(input.value.trim() || NaN);
      input.setAttribute("aria-invalid", String(!Number.isFinite(number)));
      if (Number.isFinite(number)) this.replace(this.active, change(number), true);
    });
    return make("label", {}, make("span", {}, title), input);
  }
}
