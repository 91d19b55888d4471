// What the richer fields share: the JSON control that takes the place of a field's own controls,
// what is wrong with its value, and small helpers for elements.
//
// The form stays the truth. A field's own controls are switched off, not taken away, and the value
// stands in a control named `POINTER=`, which the server reads instead of them.

/** Make an element. `false` and `null` leave an attribute out; a function is a listener. */
export function make(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** Make an element of SVG. */
export function draw(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Make a button that sends nothing. */
export function button(text, click, attributes = {}) {
  return make("button", { type: "button", click, ...attributes }, text);
}

/** Make the sign of a key. */
export function key(text) {
  return make("kbd", { "aria-hidden": "true" }, text);
}

/** Fill in a text with places such as {n}. */
export function say(text, places) {
  return text.replace(/\{(\w+)\}/g, (place, name) => places[name] ?? place);
}

/** Return whether a key event belongs to an input method or to a field that one writes in. */
export function writes(event) {
  if (event.isComposing || event.keyCode === 229) return true;
  return event.target.matches("textarea, select, input");
}

/** A number with at most so many digits behind the point. */
export function rounded(number, digits = 2) {
  const factor = 10 ** digits;
  return Math.round(number * factor) / factor;
}

let sheet;

/** Load the style sheet of the widgets, once. */
export function styles() {
  sheet ??= new Promise((resolve, reject) => {
    const href = new URL("../../css/widgets.css", import.meta.url);
    document.head.append(make("link", { rel: "stylesheet", href, load: resolve, error: () => reject(new Error("no style sheet")) }));
  });
  return sheet;
}

/** A place that reads out what happened. */
export function herald() {
  const element = make("p", { class: "wai-unseen", role: "status" });
  return { element, tell: (text) => (element.textContent = text) };
}

/** What was answered for a field so far; undefined when nothing was. */
export function valueOf(field) {
  return field.dataset.value ? JSON.parse(field.dataset.value) : undefined;
}

/** The control that holds the value of a field as JSON while a widget shows it. */
export class Control {
  /**
   * @param field The field, as the server rendered it; its label and notes stay.
   * @param name The name of its control.
   * @param required Whether an empty list is an answer; else it stands for none.
   */
  constructor(field, name, required) {
    if (isTouched(field)) throw new Error("somebody has begun to fill in the form");
    this.field = field;
    this.required = required;
    this.moved = [];
    this.issues = this.issuesBelow();
    this.plain = make("fieldset", { class: "wai-plain", hidden: true, disabled: true });
    this.plain.append(...[...field.children].filter((child) => !child.matches("legend, label[for], .wai-hint, .wai-error")));
    this.box = make("textarea", { name: `${name}=`, hidden: true });
    this.place = make("div", { class: "wai-widget" });
    this.past = [];
    this.had = this.plain.contains(document.activeElement);
    field.append(this.plain, this.box, this.place);
    field.giveBack = () => this.giveBack();
  }

  /** The control of a field with a widget. */
  static of(field) {
    return new Control(field, `response${field.dataset.pointer}`, field.dataset.required !== undefined);
  }

  /** Show the field's own controls again. */
  giveBack() {
    this.field.append(...this.plain.children);
    this.plain.remove();
    this.box.remove();
    this.place.remove();
    for (const [target, id] of this.moved) target.id = id;
  }

  /** Set what the field starts with: neither a change nor to be undone. */
  begin(value) {
    this.box.value = this.text(value);
  }

  /** Set the value; the draft is saved by what listens to the form. */
  write(value) {
    const text = this.text(value);
    if (text === this.box.value) return;
    this.past.push(this.box.value);
    this.put(text);
  }

  /** Take the last change back; returns the value before it, undefined when there is none. */
  undo() {
    if (!this.past.length) return undefined;
    this.put(this.past.pop());
    return this.box.value ? JSON.parse(this.box.value) : [];
  }

  put(text) {
    this.box.value = text;
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
    this.box.dispatchEvent(new Event("change", { bubbles: true }));
  }

  text(value) {
    if (value === undefined || (value?.length === 0 && !this.required)) return "";
    return JSON.stringify(value);
  }

  /** What is wrong with the items of the field, by position; links from the summary lead to these texts now. */
  issuesBelow() {
    const found = new Map();
    const { pointer } = this.field.dataset;
    for (const error of this.field.querySelectorAll(".wai-error")) {
      const place = error.closest("[data-pointer]");
      if (place === this.field) continue;
      const target = place.matches("fieldset") ? place : place.querySelector("input, textarea, select");
      const { id } = target;
      const shown = make("p", { class: "wai-error", id, tabindex: "-1" }, error.textContent);
      const position = Number(place.dataset.pointer.slice(pointer.length + 1).split("/")[0]);
      target.removeAttribute("id");
      this.moved.push([target, id]);
      found.set(position, [...(found.get(position) ?? []), shown]);
    }
    return found;
  }
}

function isTouched(field) {
  return [...field.querySelectorAll("input, textarea")].some(
    (control) => control.value !== control.defaultValue || control.checked !== control.defaultChecked,
  );
}
