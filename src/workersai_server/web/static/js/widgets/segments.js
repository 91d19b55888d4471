// Who says what and when: the segments of a recording, with times taken from the player.

import { button, key, make, rounded, say } from "./control.js";

/** Seconds from what somebody wrote, such as 62.5 or 1:02.5; what is no time stays a text, for the server to refuse. */
function seconds(text) {
  const found = /^(?:(\d+):)?(?:(\d+):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (!found) return text.trim();
  const [first, second, last] = found.slice(1).map((part) => Number(part ?? 0));
  return found[2] === undefined ? first * 60 + last : first * 3600 + second * 60 + last;
}

export class Segments {
  /**
   * @param control The control of the field.
   * @param media The player.
   * @param changed Called with the segments that have times, when they change.
   */
  constructor(control, media, words, changed) {
    Object.assign(this, { control, media, words, changed });
    this.list = make("ol", { class: "wai-segments", input: () => this.write() });
    this.speakers = make("datalist", { id: "wai-speakers" });
    const add = button(words.segment_add, () => this.add(), {});
    add.append(" ", key("Alt+N"));
    this.keys = make("span", { hidden: true }, this.stamper("start", "Alt+["), this.stamper("end", "Alt+]"));
    control.place.append(this.list, this.speakers, make("div", { class: "wai-actions" }, add, this.keys));
    this.adding = add;
  }

  stamper(name, shortcut) {
    const made = button(this.words[`segment_${name}`], () => this.stamp(name), { class: "wai-quiet" });
    made.append(" ", key(shortcut));
    // The cursor stays in the segment that the time is for.
    made.addEventListener("pointerdown", (event) => event.preventDefault());
    return made;
  }

  begin(value) {
    this.control.begin(value);
    this.list.append(...value.map((segment, n) => this.row(segment, this.control.issues.get(n))));
    this.settle();
  }

  /** Add one where the last ends, or where the player is. */
  add() {
    const last = this.values().at(-1);
    const start = typeof last?.end === "number" ? last.end : rounded(this.media.currentTime);
    const row = this.row({ start, speaker: last?.speaker });
    this.list.append(row);
    this.settle();
    row.text.focus();
  }

  /** Set the start or the end of the segment that is worked on to where the player is. */
  stamp(name) {
    const row = document.activeElement?.closest(".wai-segments > li") ?? this.list.lastElementChild;
    if (!row) return;
    row[name].value = String(rounded(this.media.currentTime));
    this.write();
  }

  row({ start = "", end = "", speaker = "", text = "" }, issues = []) {
    const { words } = this;
    const row = make("li", {});
    row.start = input(words.start, start, { inputmode: "decimal" });
    row.end = input(words.end, end, { inputmode: "decimal" });
    row.speaker = input(words.speaker, speaker, { list: "wai-speakers" });
    row.text = make("textarea", { rows: "2", dir: "auto", "aria-label": words.segment_text });
    row.text.value = text;
    row.play = button("▶", () => this.play(row), { class: "wai-quiet" });
    row.gone = button("×", () => this.remove(row), { class: "wai-quiet" });
    row.append(row.start, row.end, row.speaker, row.play, row.gone, row.text, ...issues);
    return row;
  }

  play(row) {
    const { start, end } = valueOfRow(row);
    const { media } = this;
    if (typeof start !== "number") return;
    media.currentTime = start;
    media.play().catch(() => {});
    if (typeof end !== "number") return;
    const stop = () => {
      if (media.currentTime < end && media.currentTime >= start - 1 && row.isConnected) return;
      if (media.currentTime >= end && media.currentTime < end + 1) media.pause();
      media.removeEventListener("timeupdate", stop);
    };
    media.addEventListener("timeupdate", stop);
  }

  remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.write();
    (next?.text ?? this.adding).focus();
  }

  values() {
    return [...this.list.children].map(valueOfRow).filter((segment) => Object.keys(segment).length);
  }

  /** The texts in the order of their times, for the transcript. */
  said() {
    return this.ordered().map((segment) => segment.text).filter(Boolean).join(" ");
  }

  ordered() {
    const start = (segment) => (typeof segment.start === "number" ? segment.start : Infinity);
    return this.values().sort((a, b) => (start(a) < start(b) ? -1 : start(a) > start(b) ? 1 : 0));
  }

  write() {
    this.control.write(this.ordered());
    this.settle();
  }

  settle() {
    const { words } = this;
    [...this.list.children].forEach((row, n) => {
      row.setAttribute("aria-label", say(words.segment_n, { n: n + 1 }));
      row.play.setAttribute("aria-label", say(words.segment_play, { n: n + 1 }));
      row.gone.setAttribute("aria-label", say(words.segment_remove, { n: n + 1 }));
    });
    const values = this.values();
    this.keys.hidden = !this.list.children.length;
    const names = new Set(values.map((segment) => segment.speaker).filter(Boolean));
    this.speakers.replaceChildren(...[...names].map((name) => make("option", { value: name })));
    this.changed(values.filter(({ start, end }) => typeof start === "number" && typeof end === "number"));
  }
}

function input(title, value, attributes) {
  const made = make("input", { type: "text", autocomplete: "off", placeholder: title, "aria-label": title, ...attributes });
  made.value = String(value);
  return made;
}

/** What a row says; what is left empty is not there. */
function valueOfRow({ start, end, speaker, text }) {
  const all = { start: seconds(start.value), end: seconds(end.value), speaker: speaker.value.trim(), text: text.value.trim() };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
}
