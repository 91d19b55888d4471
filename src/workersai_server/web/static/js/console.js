// The worker console. Every step also works as a plain form; this script makes it fast:
// the next item is fetched ahead, answers are sent in the background, one key may be enough.

import { Outbox } from "./outbox.js";
import { watchKeys } from "./keys.js";
import { dress } from "./item.js";

const page = document.getElementById("console");
const place = document.getElementById("item");
const message = document.getElementById("message");
const words = JSON.parse(page.dataset.words);
const LOOK_AGAIN_MS = 4000;
const LOOK_SOON_MS = 100;
const PREFETCH = 2;

/** What the console knows: the item on the screen, those behind it, and the one that can be taken back. */
const state = { waiting: [], undo: null, undoTimer: 0, looking: false, lookTimer: 0 };

const outbox = new Outbox({
  key: `wai-outbox-${page.dataset.worker}`,
  csrf: () => page.dataset.csrf,
  onTrouble: () => say(words.failed),
  onRecovered: () => say(""),
  onSignedOut: () => document.getElementById("sign-in").showModal(),
});

function say(text) {
  message.textContent = text;
}

function current() {
  return place.querySelector(".wai-item");
}

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  // What stays a template's own loads no media, not even later; an imported copy begins to load at once.
  return document.importNode(template.content.firstElementChild, true);
}

/** Put an item on the screen and the cursor where the work begins. */
function show(item) {
  place.replaceChildren(item);
  dress(item, { words, save: saveDraft, outbox });
  const wrong = item.querySelector(".wai-summary");
  const first = item.querySelector("textarea:not([hidden]), input[type=text]:not([hidden])");
  if (wrong) wrong.focus();
  else if (item.dataset.oneKey === undefined && first) first.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  look();
}

function showNothing() {
  const card = document.createElement("section");
  card.className = "wai-card wai-narrow wai-nothing";
  card.append(Object.assign(document.createElement("p"), { textContent: words.waiting }));
  place.replaceChildren(card);
}

/** Go on to the next item. */
function advance() {
  const next = state.waiting.shift();
  if (next) show(next);
  else {
    place.replaceChildren();
    look();
  }
}

/** Fetch what comes after this, and while there is nothing, ask again now and then. */
async function look() {
  clearTimeout(state.lookTimer);
  if (state.looking || state.waiting.length >= PREFETCH) return;
  state.looking = true;
  let more = false;
  try {
    const shown = [current(), ...state.waiting].filter(Boolean).map((item) => item.dataset.assignment);
    const answer = await outbox.ask(page.dataset.next, { shown: [...shown, ...outbox.pending()] });
    if (answer) accept(answer);
    else if (!current() && !state.waiting.length) {
      // While answers are on their way the server gives no more: that says nothing about what there is.
      const sending = outbox.pending().length > 0;
      if (!sending && !place.firstElementChild) showNothing();
      state.lookTimer = setTimeout(look, sending ? LOOK_SOON_MS : LOOK_AGAIN_MS);
    }
    more = Boolean(answer);
  } catch {
    state.lookTimer = setTimeout(look, LOOK_AGAIN_MS);
  } finally {
    state.looking = false;
  }
  if (!current() && state.waiting.length) advance();
  else if (more) look();
}

function accept({ assignment_id: id, html }) {
  const known = [current(), ...state.waiting].some((item) => item?.dataset.assignment === id);
  if (!known) state.waiting.push(fragment(html));
}

/** Send the answer of the item on the screen and go on at once. */
function submit(item) {
  const form = item.querySelector(".wai-answer");
  item.stopDressing?.();
  outbox.send(item.dataset.assignment, form.action, new URLSearchParams(new FormData(form)), {
    accepted: ({ assignment_id: id, undo_s: seconds }) => offerUndo(id, seconds),
    refused: ({ html }) => bringBack(html),
    ended: () => say(words.ended),
  });
  advance();
}

/** Show a refused or undone item again; what was on the screen waits behind it. */
function bringBack(html) {
  const interrupted = current();
  if (interrupted) {
    saveDraft(interrupted);
    state.waiting.unshift(interrupted);
  }
  show(fragment(html));
}

function offerUndo(id, seconds) {
  clearTimeout(state.undoTimer);
  document.getElementById("undo")?.remove();
  state.undo = null;
  if (!seconds) return;
  state.undo = id;
  const button = document.createElement("button");
  button.type = "button";
  button.id = "undo";
  button.append(words.undo, " ", Object.assign(document.createElement("kbd"), { textContent: "Alt+Z" }));
  button.addEventListener("click", undo);
  page.querySelector(".wai-bar").append(button);
  say(words.sent);
  state.undoTimer = setTimeout(() => offerUndo(null, 0), seconds * 1000);
}

async function undo() {
  const id = state.undo;
  if (!id) return;
  offerUndo(null, 0);
  say("");
  const answer = await outbox.post(`${page.dataset.work}/${id}/undo`, new URLSearchParams());
  if (answer.ok) bringBack((await answer.json()).html);
  else say(words.ended);
}

function saveDraft(item) {
  const form = item.querySelector(".wai-answer");
  const url = form.action.replace(/\/answer$/, "/draft");
  outbox.post(url, new URLSearchParams(new FormData(form))).catch(() => {});
}

async function skip(form, action) {
  const item = form.closest(".wai-item");
  item.stopDressing?.();
  await outbox.post(action, new URLSearchParams(new FormData(form)));
  advance();
}

/** Send a change of the form's own structure (add, remove) and show what comes back. */
async function restructure(item, form, button) {
  const fields = new URLSearchParams(new FormData(form));
  fields.set(button.name, button.value);
  const answer = await outbox.post(form.action, fields);
  if (answer.ok) show(fragment((await answer.json()).html));
}

async function extend(item, button) {
  const answer = await outbox.post(button.formAction, new URLSearchParams());
  if (answer.ok) item.dataset.lease = (await answer.json()).lease_expires_at;
}

place.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const item = form.closest(".wai-item");
  const button = event.submitter;
  if (!form.matches(".wai-answer")) skip(form, button?.getAttribute("formaction") || form.action);
  else if (button?.matches(".wai-extend")) extend(item, button);
  else if (button?.name) restructure(item, form, button);
  else submit(item);
});

document.getElementById("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  const error = document.getElementById("sign-in-error");
  const again = await outbox.signIn(form.action, form.token.value);
  form.token.value = "";
  error.hidden = again;
  error.textContent = again ? "" : words.signed_out;
  if (again) {
    document.getElementById("sign-in").close();
    outbox.retry();
    look();
  }
});

watchKeys({
  item: current,
  submit: () => current() && submit(current()),
  undo,
  skip: () => {
    const details = current()?.querySelector(".wai-skipping");
    if (!details) return;
    details.open = true;
    details.querySelector("input:checked").focus();
  },
  help: () => document.getElementById("help").showModal(),
  say: (on) => say(on ? words.keys_on : words.keys_off),
});

const undoForm = document.getElementById("undo");
if (undoForm) {
  const id = undoForm.getAttribute("action").split("/").at(-2);
  undoForm.remove();
  offerUndo(id, Number(page.dataset.undoS));
}
outbox.retry();
if (current()) show(current());
else look();
