// Answers on their way: kept in the browser until the server has them, sent one after the other, again after a failure.
// The server takes the same answer twice as one, so sending again is always safe.

const PAUSES_MS = [300, 1000, 3000, 8000];

export class Outbox {
  constructor({ key, csrf, onTrouble, onRecovered, onSignedOut }) {
    this.key = key;
    this.csrf = csrf;
    this.onTrouble = onTrouble;
    this.onRecovered = onRecovered;
    this.onSignedOut = onSignedOut;
    this.handlers = new Map();
    this.sending = false;
    this.failures = 0;
    this.letters = this.load();
    window.addEventListener("online", () => this.retry());
  }

  load() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? [];
    } catch {
      return [];
    }
  }

  store() {
    try {
      localStorage.setItem(this.key, JSON.stringify(this.letters));
    } catch {
      // A full or forbidden storage costs only the protection against a closed tab.
    }
  }

  /** The assignments whose answers the server does not have yet. */
  pending() {
    return this.letters.map((letter) => letter.id);
  }

  /** Send an answer in the background. */
  send(id, url, fields, handlers) {
    fields.delete("csrf");
    this.letters = this.letters.filter((letter) => letter.id !== id);
    this.letters.push({ id, url, body: fields.toString() });
    this.handlers.set(id, handlers);
    this.store();
    this.run();
  }

  /** Try again now what could not be sent. */
  retry() {
    this.failures = 0;
    this.run();
  }

  async run() {
    if (this.sending) return;
    this.sending = true;
    try {
      while (this.letters.length) await this.deliver(this.letters[0]);
    } catch {
      this.onTrouble();
      const pause = PAUSES_MS[Math.min(this.failures++, PAUSES_MS.length - 1)];
      setTimeout(() => this.run(), pause);
    } finally {
      this.sending = false;
    }
  }

  async deliver(letter) {
    const answer = await this.post(letter.url, new URLSearchParams(letter.body));
    if (answer.status === 401 || answer.status >= 500 || answer.status === 429) throw new Error(String(answer.status));
    if (this.failures) this.onRecovered();
    this.failures = 0;
    this.letters = this.letters.filter((each) => each !== letter);
    this.store();
    const { accepted, refused, ended } = this.handlers.get(letter.id) ?? {};
    this.handlers.delete(letter.id);
    if (answer.ok) accepted?.(await answer.json());
    else if (answer.status === 422) refused?.(await answer.json());
    else ended?.();
  }

  /** Send a form and return the answer, whatever it is. */
  async post(url, fields) {
    fields.set("csrf", this.csrf());
    return this.fetch(url, { body: fields, headers: { Accept: "application/json" } });
  }

  /** Send JSON and return the JSON answered; null for an empty answer. */
  async ask(url, value) {
    const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": this.csrf() };
    const answer = await this.fetch(url, { body: JSON.stringify(value), headers });
    if (answer.status === 204) return null;
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  async fetch(url, options) {
    const answer = await fetch(url, { method: "POST", credentials: "same-origin", ...options });
    if (answer.status === 401) this.onSignedOut();
    return answer;
  }

  /** Sign in without leaving the page, and take over the new session's form token. */
  async signIn(url, token) {
    const page = document.getElementById("console");
    const door = await (await fetch(url, { headers: { Accept: "text/html" } })).text();
    const csrf = new DOMParser().parseFromString(door, "text/html").querySelector("form.wai-card [name=csrf]").value;
    const fields = new URLSearchParams({ token, csrf, next: new URL(page.dataset.work, location.href).pathname });
    const answer = await fetch(url, { method: "POST", body: fields, headers: { Accept: "text/html" } });
    const home = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("console");
    if (!home) return false;
    page.dataset.csrf = home.dataset.csrf;
    return true;
  }
}
