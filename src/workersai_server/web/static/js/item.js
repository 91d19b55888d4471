// What one item does by itself while it is on the screen: drafts, lease, broken media, richer fields.

import { preference } from "./preferences.js";

const DRAFT_MS = 700;
const ACTIVE_MS = 120000;
const TICK_MS = 1000;
const WIDGETS = {
  "audio_transcription": "./widgets/transcription.js",
  "boxes": "./widgets/boxes.js",
  "polygons": "./widgets/polygons.js",
  "keypoints": "./widgets/keypoints.js",
  "spans": "./widgets/spans.js",
  "ranking": "./widgets/ranking.js",
};

/** Bring an item to life. `item.stopDressing()` ends it. */
export function dress(item, { words, save, outbox }) {
  if (item.stopDressing) item.stopDressing();
  const form = item.querySelector(".wai-answer");
  const stops = [watchDraft(item, form, save), watchLease(item, form, words, outbox), watchMedia(item, words)];
  item.stopDressing = () => {
    stops.forEach((stop) => stop());
    item.stopDressing = undefined;
  };
  enrich(item, form);
}

/** Show the plugin's own element, or else the fields that have a widget with it. */
async function enrich(item, form) {
  if (item.dataset.enriched !== undefined) return;
  item.dataset.enriched = "";
  if (item.dataset.module && (await element(item, form))) return;
  for (const field of form.querySelectorAll("[data-widget]")) upgrade(item, form, field);
}

function watchDraft(item, form, save) {
  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => save(item), DRAFT_MS);
  };
  form.addEventListener("input", later);
  return () => {
    clearTimeout(timer);
    form.removeEventListener("input", later);
  };
}

/** Show how long the item is held, and hold it for longer while somebody works on it. */
function watchLease(item, form, words, outbox) {
  const shown = item.querySelector(".wai-lease");
  const renew = item.querySelector(".wai-extend").formAction;
  let active = Date.now();
  let whole = Date.parse(item.dataset.lease) - Date.now();
  let renewing = false;
  const touch = () => (active = Date.now());
  item.addEventListener("pointerdown", touch);
  document.addEventListener("keydown", touch);
  const timer = setInterval(async () => {
    const left = Date.parse(item.dataset.lease) - Date.now();
    const unit = left >= 120000 ? words.minutes.replace("{n}", Math.round(left / 60000)) : words.seconds.replace("{n}", Math.round(left / 1000));
    shown.textContent = left > 0 ? unit : words.ended;
    shown.classList.toggle("soon", left < 60000);
    if (left > 0 && left < whole / 2 && Date.now() - active < ACTIVE_MS && !renewing) {
      renewing = true;
      const answer = await outbox.post(renew, new URLSearchParams()).catch(() => null);
      if (answer?.ok) {
        item.dataset.lease = (await answer.json()).lease_expires_at;
        whole = Date.parse(item.dataset.lease) - Date.now();
      }
      renewing = false;
    }
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    document.removeEventListener("keydown", touch);
  };
}

/** Say so when something cannot be loaded, and offer to skip. */
function watchMedia(item, words) {
  const speed = preference("speed");
  for (const media of item.querySelectorAll("audio, video")) {
    // The default is what the rate becomes when the media is loaded, be that before or after this.
    media.defaultPlaybackRate = media.playbackRate = speed;
  }
  const broken = (event) => {
    const media = event.target;
    if (!media.matches("img, audio, video, source")) return;
    const figure = media.closest("figure");
    if (!figure || figure.querySelector(".wai-broken")) return;
    const notice = document.createElement("div");
    notice.className = "wai-broken";
    notice.setAttribute("role", "alert");
    notice.append(words.broken);
    figure.append(notice);
    const details = item.querySelector(".wai-skipping");
    details.open = true;
    details.querySelector("[value='cannot load']").checked = true;
  };
  item.addEventListener("error", broken, true);
  for (const image of item.querySelectorAll("img")) {
    if (image.complete && image.naturalWidth === 0 && image.currentSrc) broken({ target: image });
  }
  for (const media of item.querySelectorAll("audio, video")) {
    // It may have failed while the item waited behind another.
    if (media.error) broken({ target: media });
  }
  return () => item.removeEventListener("error", broken, true);
}

/** Show a field with its own widget; where that fails, the plain field stays. */
async function upgrade(item, form, field) {
  const path = WIDGETS[field.dataset.widget];
  if (!path) return;
  try {
    const { mount } = await import(path);
    const words = JSON.parse(document.getElementById("widget-words").dataset.words);
    await mount({ item, form, field, words, params: JSON.parse(form.dataset.params) });
  } catch (error) {
    field.giveBack?.();
    console.warn(`The widget ${field.dataset.widget} is not shown: ${error}`);
  }
}

/** Show the element that a plugin brings; returns whether it is there: where it fails, the form stays. */
async function element(item, form) {
  try {
    const { mountElement } = await import("./element.js");
    await mountElement(item, form);
    return true;
  } catch (error) {
    console.warn(`The element ${item.dataset.element} is not shown: ${error}`);
    return false;
  }
}
