// Keys. Labels own bare digits and letters; actions carry a modifier and work while typing.
// A key is known by its place on the keyboard (event.code), so that a Hangul or another layout changes nothing,
// and a key that composes a character is left to the input method.

import { prefer, preference } from "./preferences.js";

const NAMED = { Digit: "", Numpad: "", Key: "" };

function character(event) {
  for (const name of Object.keys(NAMED)) {
    if (event.code.startsWith(name) && event.code.length === name.length + 1) {
      return event.code.slice(name.length).toLowerCase();
    }
  }
  return "";
}

function composes(event) {
  return event.isComposing || event.keyCode === 229;
}

/** Whether a key is written into something; the target of an event is the host of a shadow tree, not what is in it. */
function isTyping(target) {
  if (target.isContentEditable || target.matches?.("textarea, select")) return true;
  return target.matches?.("input:not([type=radio], [type=checkbox], [type=button], [type=submit])") ?? false;
}

/** Watch the keyboard for the console. */
export function watchKeys({ item, submit, undo, skip, help, say }) {
  function toggle() {
    prefer("single_keys", !preference("single_keys"));
    say(preference("single_keys"));
  }

  function player() {
    return item()?.querySelector("audio, video");
  }

  function play() {
    const media = player();
    if (!media) return false;
    if (media.paused) media.play().catch(() => {});
    else media.pause();
    return true;
  }

  function back() {
    const media = player();
    if (media) media.currentTime = Math.max(0, media.currentTime - 2);
    return Boolean(media);
  }

  function speed(step) {
    const media = player();
    if (!media) return false;
    media.playbackRate = Math.min(3, Math.max(0.25, media.playbackRate + step));
    prefer("speed", media.playbackRate);
    return true;
  }

  const withAlt = {
    KeyZ: () => (undo(), true),
    KeyS: () => (skip(), true),
    KeyK: () => (toggle(), true),
    KeyP: play,
    KeyJ: back,
    Comma: () => speed(-0.25),
    Period: () => speed(0.25),
  };

  function choose(event) {
    const key = character(event);
    const input = key && item()?.querySelector(`[data-hotkey="${key}"]:enabled`);
    if (!input) return false;
    if (input.type !== "radio") input.click();
    else {
      input.checked = true;
      input.dispatchEvent(new Event("change", { bubbles: true }));
      if (item().dataset.oneKey !== undefined) submit();
    }
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (composes(event) || document.querySelector("dialog[open]")) return;
    let done = false;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done = !event.repeat && (submit(), true);
    else if (event.altKey && !event.ctrlKey && !event.metaKey) done = !event.repeat && withAlt[event.code]?.();
    else if (!event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(event.composedPath()[0]) && preference("single_keys")) {
      if (event.key === "?") done = (help(), true);
      else if (!event.repeat && !event.shiftKey) done = choose(event);
    }
    if (done) event.preventDefault();
  });
}
