// A picture to draw on: zoom, and points in pixels of the picture, from the mouse, a finger or the keys.

import { button, draw, key, make } from "./control.js";

const MOST = 16;
const LEAST = 0.02;
const ZOOM = 1.4;
const SHARE_OF_WINDOW = 0.7;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Wait until a picture is there. */
export async function loaded(image) {
  if (!image.complete || !image.naturalWidth) await image.decode();
  if (!image.naturalWidth) throw new Error("the picture has no size");
}

/** How far an arrow key goes, in pixels of the picture; null for other keys. */
export function arrow(event, { width, height }) {
  const direction = ARROWS[event.key];
  if (!direction || event.altKey || event.metaKey) return null;
  const far = event.shiftKey ? Math.max(10, Math.round(Math.max(width, height) / 50)) : 1;
  return { x: direction[0] * far, y: direction[1] * far };
}

function isPlain(event) {
  return !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && !event.repeat;
}

export class Stage {
  /**
   * @param image The loaded picture; it is taken over.
   * @param size Its size in the pixels that answers count in.
   * @param handler What is told: begin(point, target) for a press of the pointer, which returns a drag with
   *   move(point) and end(point), or nothing; tap(point) for Enter; hover(point); zoomed().
   */
  constructor(image, size, words, handler) {
    Object.assign(this, { image, size, handler, scale: 1, fitted: true, cursor: null, drag: null });
    this.svg = draw("svg", { viewBox: `0 0 ${size.width} ${size.height}`, preserveAspectRatio: "none" });
    this.shapes = draw("g");
    this.cross = draw("path", { class: "wai-cross" });
    this.svg.append(this.shapes, this.cross);
    image.draggable = false;
    this.sheet = make("div", { class: "wai-sheet" }, image, this.svg);
    this.view = make("div", { class: "wai-view", tabindex: "0", role: "application", "aria-label": words.canvas }, this.sheet);
    this.level = make("span", { class: "wai-hint" });
    this.element = make("div", { class: "wai-stage" }, this.bar(words), this.view);
    this.listen();
  }

  bar(words) {
    const zoom = (text, title, act, shortcut) => {
      const made = button(text, act, { class: "wai-quiet", "aria-label": title, title });
      made.append(" ", key(shortcut));
      return made;
    };
    return make("div", { class: "wai-zoom", role: "group", "aria-label": words.zoom },
      zoom("−", words.zoom_out, () => this.zoom(1 / ZOOM), "Alt+-"),
      zoom(words.zoom_fit, words.zoom_fit, () => this.fit(), "Alt+0"),
      zoom("+", words.zoom_in, () => this.zoom(ZOOM), "Alt+="), this.level);
  }

  listen() {
    const { svg, view } = this;
    svg.addEventListener("pointerdown", (event) => this.press(event));
    svg.addEventListener("pointermove", (event) => this.move(event));
    svg.addEventListener("pointerup", (event) => this.release(event));
    svg.addEventListener("pointercancel", () => this.stop());
    view.addEventListener("keydown", (event) => this.steer(event));
    view.addEventListener("blur", () => this.cross.removeAttribute("d"));
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    new ResizeObserver(() => this.fitted && this.fit()).observe(view);
  }

  // --- zoom -----------------------------------------------------------------------------------------

  /** Show the whole picture. */
  fit() {
    const { width, height } = this.size;
    this.fitted = true;
    this.put(Math.min(this.view.clientWidth / width, (innerHeight * SHARE_OF_WINDOW) / height));
  }

  /** Come nearer or go away; what is in the middle, or under the pointer, stays there. */
  zoom(factor, at) {
    const view = this.view.getBoundingClientRect();
    const middle = at ?? { x: view.left + view.width / 2, y: view.top + view.height / 2 };
    const before = this.pixel(middle.x, middle.y);
    this.fitted = false;
    this.put(Math.min(MOST, Math.max(LEAST, this.scale * factor)));
    const sheet = this.svg.getBoundingClientRect();
    this.view.scrollLeft += sheet.left + before.x * this.scale - middle.x;
    this.view.scrollTop += sheet.top + before.y * this.scale - middle.y;
  }

  put(scale) {
    this.scale = scale > 0 ? scale : 1;
    this.sheet.style.width = `${Math.floor(this.size.width * this.scale)}px`;
    this.sheet.style.height = `${Math.floor(this.size.height * this.scale)}px`;
    this.level.textContent = `${Math.round(this.scale * 100)} %`;
    this.handler.zoomed();
    if (this.cross.hasAttribute("d")) this.point(this.cursor);
  }

  wheel(event) {
    if (!event.ctrlKey) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15, { x: event.clientX, y: event.clientY });
  }

  /** Take the zoom's keys; returns whether it was one. */
  keys(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey) return false;
    if (event.code === "Equal" || event.code === "NumpadAdd") this.zoom(ZOOM);
    else if (event.code === "Minus" || event.code === "NumpadSubtract") this.zoom(1 / ZOOM);
    else if (event.code === "Digit0" || event.code === "Numpad0") this.fit();
    else return false;
    return true;
  }

  // --- the pointer ------------------------------------------------------------------------------------

  /** The pixel of the picture under a place of the window; within the picture. */
  pixel(clientX, clientY) {
    const { left, top, width, height } = this.svg.getBoundingClientRect();
    return this.within({ x: ((clientX - left) / width) * this.size.width, y: ((clientY - top) / height) * this.size.height });
  }

  within({ x, y }) {
    return { x: Math.min(this.size.width, Math.max(0, x)), y: Math.min(this.size.height, Math.max(0, y)) };
  }

  press(event) {
    if (event.button !== 0 || this.drag) return;
    event.preventDefault();
    this.view.focus({ preventScroll: true });
    this.point(null);
    this.svg.setPointerCapture(event.pointerId);
    this.drag = this.handler.begin(this.pixel(event.clientX, event.clientY), event.target) ?? null;
  }

  move(event) {
    const point = this.pixel(event.clientX, event.clientY);
    if (this.drag) this.drag.move(point);
    else this.handler.hover(point);
  }

  release(event) {
    const { drag } = this;
    this.drag = null;
    drag?.end(this.pixel(event.clientX, event.clientY));
  }

  stop() {
    this.drag?.cancel?.();
    this.drag = null;
  }

  // --- the keys -----------------------------------------------------------------------------------------

  steer(event) {
    if (event.target !== this.view) return;
    const step = arrow(event, this.size);
    if (step && !event.ctrlKey) {
      const middle = { x: Math.round(this.size.width / 2), y: Math.round(this.size.height / 2) };
      this.point(this.cursor ? this.within({ x: this.cursor.x + step.x, y: this.cursor.y + step.y }) : middle);
      this.handler.hover(this.cursor);
    } else if (event.key === "Enter" && this.cursor && isPlain(event)) {
      this.point(this.cursor);
      this.handler.tap(this.cursor);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Show where the keys are in the picture; null hides it. */
  point(cursor) {
    this.cursor = cursor;
    if (!cursor) {
      this.cross.removeAttribute("d");
      return;
    }
    const { width, height } = this.size;
    this.cross.setAttribute("d", `M0 ${cursor.y}H${width}M${cursor.x} 0V${height}`);
    this.reveal(cursor);
  }

  /** Scroll to a point that is out of sight. */
  reveal({ x, y }) {
    const { view, scale } = this;
    const margin = 20;
    const seen = (from, at, length) => Math.min(Math.max(from, at - length + margin), Math.max(0, at - margin));
    view.scrollLeft = seen(view.scrollLeft, x * scale, view.clientWidth);
    view.scrollTop = seen(view.scrollTop, y * scale, view.clientHeight);
  }
}
