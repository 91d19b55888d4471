// Boxes around objects.

import { draw, make } from "./control.js";
import { edit } from "./shapes.js";

const LEAST = 3;

/** Show a field whose value is boxes. */
export function mount(context) {
  return edit(context, (editor) => new Boxes(editor, context.words, context.params));
}

class Boxes {
  constructor(editor, words, { min_width: width = 0, min_height: height = 0 }) {
    Object.assign(this, { editor, words, least: { width, height }, drawing: null });
    this.title = words.box_n;
    this.hint = words.box_hint;
    this.keys = ["Enter", "← ↑ ↓ →", "Shift+→", "Ctrl+→", "Del", "Ctrl+Z"];
  }

  // --- how a box comes about ------------------------------------------------------------------------

  start(point) {
    this.drawing = null;
    this.editor.activate(-1);
    const end = (to) => {
      this.finish(point, to);
      // The arrows move what was just drawn.
      this.editor.focus();
    };
    return { move: (to) => this.stretch(point, to), end, cancel: () => this.stretch(null) };
  }

  /** The keys set one corner, then the other. */
  tap(point) {
    const { drawing } = this;
    this.drawing = drawing ? null : point;
    if (drawing) this.finish(drawing, point);
    else this.stretch(point, point);
  }

  hover(point) {
    if (this.drawing) this.stretch(this.drawing, point);
  }

  isDrawing() {
    return this.drawing !== null;
  }

  press(event) {
    if (event.key !== "Escape" || !this.drawing) return false;
    this.drawing = null;
    this.stretch(null);
    return true;
  }

  stretch(from, to) {
    const { editor } = this;
    editor.sketch = from && draw("g", { class: `wai-shape wai-sketch ${editor.look()}` }, ...this.paint(this.between(from, to)));
    editor.paint();
  }

  finish(from, to) {
    const { editor } = this;
    this.drawing = null;
    editor.sketch = null;
    const box = this.between(from, to);
    // A press without a drag is no box.
    const { scale } = editor.stage;
    if (box.width * scale < LEAST || box.height * scale < LEAST) editor.paint();
    else editor.add({ ...box, ...editor.label() });
  }

  between(a, b) {
    return this.box(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.max(a.x, b.x), Math.max(a.y, b.y));
  }

  box(left, top, right, bottom) {
    const { editor } = this;
    const [x, y] = [editor.number(left), editor.number(top)];
    return { left: x, top: y, width: editor.number(right - x), height: editor.number(bottom - y) };
  }

  // --- what is done to it -----------------------------------------------------------------------------

  moved(box, dx, dy) {
    const { width, height } = this.editor.size;
    const left = Math.max(0, Math.min(width - box.width, box.left + dx));
    const top = Math.max(0, Math.min(height - box.height, box.top + dy));
    return { ...box, left: this.editor.number(left), top: this.editor.number(top) };
  }

  resized(box, dx, dy) {
    const { width, height } = this.editor.size;
    const wide = Math.max(1, Math.min(width - box.left, box.width + dx));
    const tall = Math.max(1, Math.min(height - box.top, box.height + dy));
    return { ...box, width: this.editor.number(wide), height: this.editor.number(tall) };
  }

  handles(box) {
    const [left, top] = [box.left, box.top];
    const [right, bottom] = [left + box.width, top + box.height];
    const edges = { left, top, right, bottom };
    const places = [
      ["nw", left, top], ["n", (left + right) / 2, top], ["ne", right, top], ["e", right, (top + bottom) / 2],
      ["se", right, bottom], ["s", (left + right) / 2, bottom], ["sw", left, bottom], ["w", left, (top + bottom) / 2],
    ];
    return places.map(([id, x, y]) => ({ id, x, y, drag: (to) => this.pulled(box, edges, id, to) }));
  }

  /** The box with an edge or a corner elsewhere; beyond the other side it turns over. */
  pulled(box, { left, top, right, bottom }, id, { x, y }) {
    const across = id.includes("w") ? [x, right] : id.includes("e") ? [left, x] : [left, right];
    const down = id.includes("n") ? [y, bottom] : id.includes("s") ? [top, y] : [top, bottom];
    const pulled = this.box(Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down));
    return { ...box, ...pulled, width: Math.max(0.01, pulled.width), height: Math.max(0.01, pulled.height) };
  }

  // --- the screen ---------------------------------------------------------------------------------------

  paint({ left: x, top: y, width, height }) {
    const small = width < this.least.width || height < this.least.height;
    return [
      draw("rect", { class: "wai-casing", x, y, width, height }),
      draw("rect", { class: `wai-line${small ? " wai-small" : ""}`, x, y, width, height }),
    ];
  }

  corner({ left: x, top: y }) {
    return { x, y };
  }

  describe({ left, top, width, height }) {
    return `${left}, ${top} · ${width} × ${height}`;
  }

  numbers(box) {
    const { editor, words } = this;
    const fields = [["left", words.left], ["top", words.top], ["width", words.width], ["height", words.height]];
    const change = (name) => (value) => ({ ...editor.shapes[editor.active], [name]: value });
    return make("div", { class: "wai-numbers" }, ...fields.map(([name, title]) => editor.field(title, box[name], change(name))));
  }
}
