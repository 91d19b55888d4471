// Writing down a recording: the player works while the cursor is in the text.

import { Control, button, key, make, rounded, styles, valueOf } from "./control.js";
import { prefer } from "../preferences.js";
import { Segments } from "./segments.js";
import { snippets } from "./snippets.js";
import { Waveform, clock } from "./waveform.js";

const SPEEDS = [0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3];

/** Show the whole form of an audio transcription. */
export async function mount({ item, field, words }) {
  const media = item.querySelector("audio, video");
  const transcript = field.querySelector("[name='response/transcript']");
  const duration = field.querySelector("[name='response/duration']");
  const parts = field.querySelector("[data-pointer='/segments']");
  if (!media || !transcript || !duration || !parts) throw new Error("this is no form of a transcription");
  await styles();
  const control = new Control(parts, "response/segments", false);
  field.giveBack = () => control.giveBack();
  const wave = new Waveform(media, words.position);
  const segments = new Segments(control, media, words, (spans) => wave.mark(spans));
  segments.begin(valueOf(field)?.segments ?? []);
  transcript.classList.add("wai-transcript");
  transcript.closest(".wai-field").before(player(media, words), wave.element);
  transcript.after(copier(transcript, segments, words));
  field.append(snippets(field, words));
  measure(media, duration);
  field.addEventListener("keydown", (event) => press(event, segments));
  whenKnown(media, () => wave.load().catch((error) => console.info(`No waveform: ${error}`)));
}

function press(event, segments) {
  if (event.isComposing || event.keyCode === 229 || event.repeat) return;
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.code === "KeyN") segments.add();
  else if (event.code === "BracketLeft") segments.stamp("start");
  else if (event.code === "BracketRight") segments.stamp("end");
  else return;
  event.preventDefault();
}

/** Do something as soon as the length of a recording is known. */
function whenKnown(media, act) {
  if (media.readyState >= HTMLMediaElement.HAVE_METADATA) act();
  else media.addEventListener("loadedmetadata", act, { once: true });
}

/** Fill in how long the recording is, unless somebody has. */
function measure(media, control) {
  const fill = () => {
    if (control.value || !Number.isFinite(media.duration)) return;
    control.value = String(rounded(media.duration, 3));
    control.dispatchEvent(new Event("input", { bubbles: true }));
  };
  whenKnown(media, fill);
  media.addEventListener("durationchange", fill);
}

/** The buttons of the player, with their keys; the console listens to these itself. */
function player(media, words) {
  const play = button("", () => (media.paused ? media.play().catch(() => {}) : media.pause()), { class: "wai-play" });
  const back = button(words.back, () => (media.currentTime = Math.max(0, media.currentTime - 2)));
  back.append(" ", key("Alt+J"));
  const time = make("span", { class: "wai-time" });
  const show = () => {
    play.replaceChildren(media.paused ? `▶ ${words.play} ` : `⏸ ${words.pause} `, key("Alt+P"));
    time.textContent = `${clock(media.currentTime)} / ${Number.isFinite(media.duration) ? clock(media.duration) : "–"}`;
  };
  for (const name of ["play", "pause", "timeupdate", "durationchange", "seeked"]) media.addEventListener(name, show);
  show();
  return make("div", { class: "wai-player", role: "group", "aria-label": words.player }, play, back, speed(media, words), time);
}

function speed(media, words) {
  const choice = make("select", { "aria-label": words.speed }, ...SPEEDS.map((rate) => make("option", { value: rate }, `${rate}×`)));
  const show = () => (choice.value = String(SPEEDS.find((rate) => Math.abs(rate - media.playbackRate) < 0.13) ?? 1));
  choice.addEventListener("change", () => {
    media.playbackRate = Number(choice.value);
    prefer("speed", media.playbackRate);
  });
  media.addEventListener("ratechange", show);
  show();
  return make("span", { class: "wai-speed" }, choice, " ", key("Alt+,"), " ", key("Alt+."));
}

/** The button that makes the transcript of what the segments say; it is there while the transcript is empty. */
function copier(transcript, segments, words) {
  const copy = () => {
    transcript.value = segments.said();
    transcript.dispatchEvent(new Event("input", { bubbles: true }));
    transcript.focus();
  };
  const made = button(words.copy_segments, copy, { class: "wai-quiet" });
  const show = () => (made.hidden = transcript.value.trim() !== "" || segments.said() === "");
  transcript.closest(".wai-group").addEventListener("input", show);
  show();
  return made;
}
