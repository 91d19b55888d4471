// The answer to a task in the element of the plugin that its type comes from.

import { showResult } from "./element.js";

const place = document.querySelector(".wai-readonly[data-module]");
if (place) showResult(place).catch((error) => console.warn(`The element ${place.dataset.element} is not shown: ${error}`));
