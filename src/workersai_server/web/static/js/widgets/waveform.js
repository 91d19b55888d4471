// The shape of a recording on a canvas, to see where somebody speaks and to go there.

import { make, rounded } from "./control.js";

const BUCKETS = 2400;
const RATE = 8000;
const MOST_BYTES = 100_000_000;
const MOST_S = 3600;
const STEP_S = 1;

/** A time as people read it. */
export function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(((tenths % 600) / 10).toFixed(1)).padStart(4, "0")}`;
}

export class Waveform {
  constructor(media, title) {
    this.media = media;
    this.spans = [];
    this.canvas = make("canvas", {
      class: "wai-wave", hidden: true, tabindex: "0", role: "slider", "aria-label": title, "aria-valuemin": "0",
      pointerdown: (event) => this.grab(event), keydown: (event) => this.press(event),
    });
    this.element = this.canvas;
    for (const name of ["timeupdate", "seeked", "durationchange"]) media.addEventListener(name, () => this.paint());
    media.addEventListener("play", () => this.follow());
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  /** Fetch the recording and show it; what may not be fetched or is too long is only played. */
  async load() {
    const { media } = this;
    if (!media.currentSrc || !(media.duration <= MOST_S)) return;
    const answer = await fetch(media.currentSrc, { referrerPolicy: "no-referrer" });
    if (!answer.ok || Number(answer.headers.get("Content-Length")) > MOST_BYTES) return;
    const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await answer.arrayBuffer());
    this.peaks = peaksOf(sound);
    this.canvas.hidden = false;
    this.paint();
  }

  /** Show which parts are written down. */
  mark(spans) {
    this.spans = spans;
    this.paint();
  }

  follow() {
    if (this.media.paused || !this.canvas.isConnected) return;
    this.paint();
    requestAnimationFrame(() => this.follow());
  }

  paint() {
    const { canvas, media, peaks } = this;
    if (!peaks || !canvas.clientWidth) return;
    canvas.width = canvas.clientWidth * devicePixelRatio;
    canvas.height = canvas.clientHeight * devicePixelRatio;
    const { width, height } = canvas;
    const style = getComputedStyle(canvas);
    const [played, rest, soft] = ["--accent", "--muted", "--accent-soft"].map((name) => style.getPropertyValue(name));
    const pen = canvas.getContext("2d");
    const at = (seconds) => (seconds / media.duration) * width;
    pen.fillStyle = soft;
    for (const { start, end } of this.spans) pen.fillRect(at(start), 0, Math.max(1, at(end) - at(start)), height);
    const now = at(media.currentTime);
    for (let x = 0; x < width; x += 2) {
      const peak = peaks[Math.floor((x / width) * peaks.length)];
      const tall = Math.max(2, peak * height * 0.95);
      pen.fillStyle = x < now ? played : rest;
      pen.fillRect(x, (height - tall) / 2, 1.4, tall);
    }
    pen.fillStyle = played;
    pen.fillRect(now - 1, 0, 2, height);
    canvas.setAttribute("aria-valuemax", rounded(media.duration, 1));
    canvas.setAttribute("aria-valuenow", rounded(media.currentTime, 1));
    canvas.setAttribute("aria-valuetext", clock(media.currentTime));
  }

  grab(event) {
    if (event.button !== 0) return;
    const go = ({ clientX: x }) => {
      const { left, width } = this.canvas.getBoundingClientRect();
      this.seek(((x - left) / width) * this.media.duration);
    };
    go(event);
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.addEventListener("pointermove", go);
    this.canvas.addEventListener("lostpointercapture", () => this.canvas.removeEventListener("pointermove", go), { once: true });
  }

  press(event) {
    const { currentTime, duration } = this.media;
    const place = {
      ArrowLeft: currentTime - STEP_S, ArrowDown: currentTime - STEP_S, ArrowRight: currentTime + STEP_S,
      ArrowUp: currentTime + STEP_S, PageDown: currentTime - 10, PageUp: currentTime + 10, Home: 0, End: duration,
    }[event.key];
    if (place === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.seek(place);
  }

  seek(seconds) {
    this.media.currentTime = Math.min(this.media.duration, Math.max(0, seconds));
  }
}

/** The loudest of each part of a recording, the loudest of all being 1. */
function peaksOf(sound) {
  const samples = sound.getChannelData(0);
  const peaks = new Float32Array(Math.min(BUCKETS, samples.length));
  const each = samples.length / peaks.length;
  let most = 0.01;
  for (let n = 0; n < peaks.length; n++) {
    for (let place = Math.floor(n * each); place < (n + 1) * each; place++) peaks[n] = Math.max(peaks[n], Math.abs(samples[place] ?? 0));
    most = Math.max(most, peaks[n]);
  }
  return peaks.map((peak) => peak / most);
}
