// Outlines of objects.

import { button, draw, key, make, say } from "./control.js";
import { edit } from "./shapes.js";

const NEAR = 10;

/** Show a field whose value is polygons. */
export function mount(context) {
  return edit(context, (editor) => new Polygons(editor, context.words, context.params));
}

class Polygons {
  constructor(editor, words, { min_vertices: least = 3, max_vertices: most = 200 }) {
    // The outline that is being drawn is a shape like all others, so that a draft has it too.
    Object.assign(this, { editor, words, least, most, open: -1, ahead: null });
    this.title = words.polygon_n;
    this.hint = words.polygon_hint;
    this.keys = ["Enter", "Shift+Enter", "Del", "Esc", "Ctrl+Z"];
    this.closer = button(words.polygon_close, () => this.close(), { disabled: true });
    this.closer.append(" ", key("Shift+Enter"));
    this.controls = [make("div", { class: "wai-drawing" }, this.closer)];
  }

  // --- how an outline comes about ---------------------------------------------------------------------

  isDrawing() {
    return this.open >= 0;
  }

  start() {
    // The corner is where the pointer is let go, so that it can be put exactly.
    return { move: (to) => this.hover(to), end: (to) => this.tap(to) };
  }

  /** Add a corner; one on the first corner closes the outline. */
  tap(point) {
    if (this.open < 0) {
      this.open = this.editor.shapes.length;
      this.editor.add({ vertices: [this.vertex(point)], ...this.editor.label() });
    } else if (this.corners.length >= this.least && this.near(point, this.corners[0])) {
      this.close();
    } else if (!this.near(point, this.corners.at(-1))) {
      this.editor.replace(this.open, this.with([...this.corners, this.vertex(point)]));
      if (this.corners.length >= this.most) this.close();
    }
  }

  close() {
    this.open = -1;
    this.ahead = null;
    this.editor.show();
    this.editor.focus();
  }

  settle() {
    this.closer.disabled = this.open < 0 || this.corners.length < this.least;
  }

  hover(point) {
    if (this.open < 0) return;
    this.ahead = point;
    this.editor.paint();
  }

  press(event) {
    if (this.open < 0 || !this.editor.stage.element.contains(event.target)) return false;
    const back = event.key === "Backspace" || event.key === "Delete";
    if (event.key === "Enter" && event.shiftKey && !event.ctrlKey && !event.metaKey) {
      if (this.corners.length >= this.least) this.close();
    } else if (event.key === "Escape" || (back && this.corners.length === 1)) {
      this.editor.remove(this.open);
    } else if (back) {
      this.editor.replace(this.open, this.with(this.corners.slice(0, -1)));
    } else {
      return false;
    }
    return true;
  }

  removed(n) {
    if (n === this.open) this.open = -1;
    else if (n < this.open) this.open -= 1;
    this.ahead = null;
  }

  undone() {
    if (this.open >= this.editor.shapes.length) this.open = -1;
    this.ahead = null;
  }

  get corners() {
    return this.editor.shapes[this.open].vertices;
  }

  with(vertices) {
    return { ...this.editor.shapes[this.open], vertices };
  }

  vertex({ x, y }) {
    return { x: this.editor.number(x), y: this.editor.number(y) };
  }

  near(a, b) {
    return Math.hypot(a.x - b.x, a.y - b.y) * this.editor.stage.scale < NEAR;
  }

  // --- what is done to it --------------------------------------------------------------------------------

  moved(shape, dx, dy) {
    const { x, y } = this.editor.inside(shape.vertices, dx, dy);
    return { ...shape, vertices: shape.vertices.map((each) => this.vertex({ x: each.x + x, y: each.y + y })) };
  }

  /** A handle for each corner and, between two, one that makes a new corner. */
  handles(shape) {
    const corners = shape.vertices.map((corner, n) => this.cornerHandle(shape, corner, n));
    if (this.open >= 0 || shape.vertices.length >= this.most) return corners;
    return [...shape.vertices.map((corner, n) => this.edgeHandle(shape, corner, n)), ...corners];
  }

  cornerHandle(shape, { x, y }, n) {
    const { vertices } = shape;
    const drag = (to) => ({ ...shape, vertices: vertices.with(n, this.vertex(to)) });
    const without = () => (vertices.length > Math.max(3, this.least) ? { ...shape, vertices: vertices.toSpliced(n, 1) } : null);
    return { id: String(n), x, y, title: say(this.words.corner_n, { n: n + 1, x, y }), drag, without };
  }

  edgeHandle(shape, a, n) {
    const { vertices } = shape;
    const b = vertices[(n + 1) % vertices.length];
    const drag = (to) => ({ ...shape, vertices: vertices.toSpliced(n + 1, 0, this.vertex(to)) });
    return { id: `between ${n}`, x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, small: true, drag };
  }

  // --- the screen ------------------------------------------------------------------------------------------

  paint(shape) {
    const isOpen = this.open >= 0 && this.editor.shapes[this.open] === shape;
    const vertices = isOpen && this.ahead ? [...shape.vertices, this.ahead] : shape.vertices;
    const points = vertices.map(({ x, y }) => `${x},${y}`).join(" ");
    const tag = isOpen ? "polyline" : "polygon";
    return [draw(tag, { class: "wai-casing", points }), draw(tag, { class: "wai-line", points })];
  }

  corner({ vertices }) {
    return vertices.length ? vertices.reduce((top, each) => (each.y < top.y ? each : top)) : null;
  }

  describe({ vertices }) {
    return say(this.words.corners, { n: vertices.length });
  }
}
