// The custom element that a plugin brings for its answers. It gets `task`, `value` and `readonly`, and says
// `wai-change` with the new value, and `wai-submit`. The form behind it stays the truth: it holds the value.

import { Control } from "./widgets/control.js";

const PATIENCE_MS = 5000;

/** Load a module and return the class of the element that it defines. */
async function defined(name, module) {
  let timer = 0;
  const late = new Promise((resolve, reject) => {
    const error = new Error(`<${name}> is not defined after ${PATIENCE_MS / 1000} s`);
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  const loading = import(module).then(() => customElements.whenDefined(name));
  try {
    return await Promise.race([loading, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Show an element in a place; throws what it throws until it is on the screen. */
function show(place, Element, { task, value, readonly }) {
  const element = new Element();
  Object.assign(element, { task, value, readonly });
  let failure = null;
  // An error in connectedCallback is reported to the window, not to the caller.
  const listen = (event) => {
    failure ??= event.error ?? new Error(event.message);
    event.preventDefault();
  };
  window.addEventListener("error", listen);
  place.append(element);
  window.removeEventListener("error", listen);
  if (failure) throw failure;
  return element;
}

/** Show an answer in the plugin's element, in the place of the form that shows it. */
export async function showResult(place) {
  const { element: name, module, task, value } = place.dataset;
  const plain = [...place.children];
  const Element = await defined(name, module);
  try {
    show(place, Element, { task: JSON.parse(task), value: JSON.parse(value), readonly: true });
  } catch (error) {
    place.replaceChildren(...plain);
    throw error;
  }
  plain.forEach((each) => each.remove());
  // One may look around in it.
  place.inert = false;
}

/** Show the element of an item in the place of its form's fields. */
export async function mountElement(item, form) {
  const { element: name, module, task, value } = item.dataset;
  const Element = await defined(name, module);
  const field = form.querySelector("[data-pointer='']");
  const control = new Control(field, "response", true);
  const start = value ? JSON.parse(value) : undefined;
  try {
    control.begin(start);
    const element = show(control.place, Element, { task: JSON.parse(task), value: start, readonly: false });
    listen(element, control, form);
  } catch (error) {
    control.giveBack();
    throw error;
  }
  // A key that chooses in the form must not submit it from behind the element.
  delete item.dataset.oneKey;
  for (const link of form.querySelectorAll(".wai-summary a")) link.replaceWith(link.textContent);
}

function listen(element, control, form) {
  element.addEventListener("wai-change", (event) => control.write(event.detail));
  element.addEventListener("wai-submit", () => form.requestSubmit(form.querySelector(".wai-primary")));
}
