// Named points of objects, placed one after the other.

import { button, draw, key, make, say } from "./control.js";
import { edit } from "./shapes.js";

const [ABSENT, HIDDEN, VISIBLE] = [0, 1, 2];

/** Show a field whose value is sets of named points. */
export async function mount(context) {
  await edit(context, (editor) => new Keypoints(editor, context.words, context.params));
  const shown = context.item.querySelector(".wai-exhibit[data-pointer='/keypoints']");
  if (shown) shown.hidden = true;
}

class Keypoints {
  constructor(editor, words, { keypoints, skeleton = [] }) {
    Object.assign(this, { editor, words, names: keypoints, skeleton });
    this.title = words.object_n;
    this.hint = words.keypoint_hint;
    this.keys = ["Enter", "Space", "Del", "Ctrl+Z"];
    this.next = make("strong", { dir: "auto" });
    this.absent = button(words.keypoint_absent, () => this.leaveOut());
    this.absent.append(" ", key("Alt+X"));
    const another = button(words.object_add, () => editor.leave(), { class: "wai-quiet" });
    this.controls = [make("div", { class: "wai-drawing" }, make("span", {}, words.keypoint_next, " ", this.next), this.absent, another)];
  }

  // --- how an object comes about ------------------------------------------------------------------------

  /** The first point that the active object lacks; that of a new object when there is none. */
  due() {
    const shape = this.editor.shapes[this.editor.active];
    const name = shape && this.lacking(shape);
    return name === undefined ? { n: -1, name: this.names[0] } : { n: this.editor.active, name };
  }

  lacking({ keypoints }) {
    return this.names.find((name) => !Object.hasOwn(keypoints, name));
  }

  /** The object that lacks points still, after a reload. */
  unfinished() {
    return this.editor.shapes.findIndex((shape) => this.lacking(shape) !== undefined);
  }

  start() {
    return { move: () => {}, end: (to) => this.tap(to) };
  }

  tap(point) {
    this.put({ ...this.place(point), visibility: VISIBLE });
  }

  leaveOut() {
    this.put({ visibility: ABSENT });
    this.editor.stage.view.focus({ preventScroll: true });
  }

  put(mark) {
    const { editor } = this;
    const { n, name } = this.due();
    if (n < 0) editor.add({ keypoints: { [name]: mark }, ...editor.label() });
    else editor.replace(n, this.marked(editor.shapes[n], name, mark));
    editor.herald.tell(say(this.words.keypoint_now, { name: this.due().name }));
  }

  place({ x, y }) {
    return { x: this.editor.number(x), y: this.editor.number(y) };
  }

  /** The shape with a point; the points stand in the order of the task. */
  marked(shape, name, mark) {
    const all = new Map([...Object.entries(shape.keypoints), [name, mark]]);
    return { ...shape, keypoints: Object.fromEntries(this.names.filter((each) => all.has(each)).map((each) => [each, all.get(each)])) };
  }

  press(event) {
    const handle = event.target.closest("[data-handle]")?.dataset.handle;
    if (event.altKey && event.code === "KeyX" && !event.ctrlKey && !event.metaKey) this.leaveOut();
    else if (event.key === " " && handle !== undefined) this.turn(this.names[handle]);
    else return false;
    return true;
  }

  /** Say of a point that it is hidden, or visible again. */
  turn(name) {
    const { editor } = this;
    const shape = editor.shapes[editor.active];
    const mark = shape.keypoints[name];
    editor.replace(editor.active, this.marked(shape, name, { ...mark, visibility: mark.visibility === VISIBLE ? HIDDEN : VISIBLE }));
  }

  // --- what is done to it ---------------------------------------------------------------------------------

  moved(shape, dx, dy) {
    const { x, y } = this.editor.inside(this.seen(shape), dx, dy);
    const shifted = ([name, mark]) => [name, mark.x === undefined ? mark : { ...mark, ...this.place({ x: mark.x + x, y: mark.y + y }) }];
    return { ...shape, keypoints: Object.fromEntries(Object.entries(shape.keypoints).map(shifted)) };
  }

  /** The points that have a place. */
  seen({ keypoints }) {
    return this.names.map((name, n) => ({ n, name, ...keypoints[name] })).filter(({ x, y }) => x !== undefined && y !== undefined);
  }

  handles(shape) {
    return this.seen(shape).map(({ n, name, x, y, visibility }) => ({
      id: String(n), x, y, solid: visibility === VISIBLE, title: `${name}, ${this.word(visibility)}, ${x}, ${y}`,
      drag: (to) => this.marked(shape, name, { ...shape.keypoints[name], ...this.place(to) }),
      without: () => this.marked(shape, name, { visibility: ABSENT }),
    }));
  }

  word(visibility) {
    return this.words[["keypoint_not_there", "keypoint_hidden", "keypoint_visible"][visibility]];
  }

  // --- the screen -------------------------------------------------------------------------------------------

  paint(shape, scale, active) {
    const seen = new Map(this.seen(shape).map((each) => [each.name.normalize("NFC"), each]));
    const lines = this.skeleton.map((pair) => pair.map((name) => seen.get(name.normalize("NFC")))).filter(([a, b]) => a && b);
    const joined = (look) => lines.map(([a, b]) => draw("line", { class: look, x1: a.x, y1: a.y, x2: b.x, y2: b.y }));
    const dots = [...seen.values()].map(({ x, y, visibility }) => {
      return draw("circle", { class: visibility === HIDDEN ? "wai-dot hollow" : "wai-dot", cx: x, cy: y, r: 5 / scale });
    });
    const name = ({ x, y, name: text }) => draw("text", { x: x + 9 / scale, y: y + 4 / scale, "font-size": 12 / scale }, text);
    return [...joined("wai-casing"), ...joined("wai-line"), ...dots, ...(active ? [...seen.values()].map(name) : [])];
  }

  settle() {
    this.next.textContent = this.due().name;
  }

  corner(shape) {
    const seen = this.seen(shape);
    if (!seen.length) return null;
    const top = Math.min(...seen.map((each) => each.y)) - 8 / this.editor.stage.scale;
    return { x: Math.min(...seen.map((each) => each.x)), y: top };
  }

  describe(shape) {
    const known = this.names.filter((name) => Object.hasOwn(shape.keypoints, name));
    return say(this.words.points, { n: known.length, all: this.names.length });
  }

  /** A row for each point: whether it can be seen, and where it is. */
  numbers(shape, n) {
    const known = this.names.filter((name) => Object.hasOwn(shape.keypoints, name));
    return make("div", { class: "wai-points" }, ...known.map((name) => this.pointRow(shape.keypoints[name], name, n)));
  }

  pointRow(mark, name, n) {
    const { editor } = this;
    const choice = make("select", { "aria-label": name }, ...[VISIBLE, HIDDEN, ABSENT].map((each) => make("option", { value: each }, this.word(each))));
    choice.value = String(mark.visibility);
    choice.addEventListener("input", (event) => {
      event.stopPropagation();
      this.choose(n, name, Number(choice.value));
    });
    const change = (axis) => (value) => this.marked(editor.shapes[n], name, { ...editor.shapes[n].keypoints[name], [axis]: value });
    const places = mark.x === undefined ? [] : ["x", "y"].map((axis) => editor.field(axis, mark[axis], change(axis)));
    return make("div", { class: "wai-numbers" }, make("span", { dir: "auto", "aria-hidden": "true" }, name), choice, ...places);
  }

  /** Set whether a point can be seen; one that gets a place for it is put into the middle. */
  choose(n, name, visibility) {
    const { editor } = this;
    const shape = editor.shapes[n];
    const { x = editor.size.width / 2, y = editor.size.height / 2 } = shape.keypoints[name];
    const mark = visibility === ABSENT ? { visibility } : { ...this.place({ x, y }), visibility };
    editor.replace(n, this.marked(shape, name, mark));
    editor.list.children[n].querySelector(`select[aria-label="${CSS.escape(name)}"]`).focus();
  }
}
