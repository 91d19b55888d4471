// What the worker has chosen. The server keeps it, so that it is there in every browser; what the server does not
// have yet is kept in this one.

const AGAIN_MS = 5000;
// A page that was asked for just before a choice reached the server does not know it yet.
const RECENT_MS = 10000;

const page = document.getElementById("console");
const key = `wai-preferences-${page.dataset.worker}`;
const { unsent, sent, at } = kept();
const recent = Date.now() - at < RECENT_MS ? sent : {};
const chosen = { ...JSON.parse(page.dataset.preferences), ...recent, ...unsent };
let sending = false;

/** What was chosen. */
export function preference(name) {
  return chosen[name];
}

/** Choose something; it is sent in the background, until the server has it. */
export function prefer(name, value) {
  chosen[name] = unsent[name] = value;
  keep();
  send();
}

function kept() {
  const nothing = { unsent: {}, sent: {}, at: 0 };
  try {
    return { ...nothing, ...JSON.parse(localStorage.getItem(key)) };
  } catch {
    return nothing;
  }
}

function keep(taken = {}) {
  try {
    localStorage.setItem(key, JSON.stringify({ unsent, sent: taken, at: Date.now() }));
  } catch {
    // A full or forbidden storage costs only what was chosen just before the page is left.
  }
}

async function send() {
  if (sending || !Object.keys(unsent).length) return;
  sending = true;
  const changes = { ...unsent };
  const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRF-Token": page.dataset.csrf };
  const body = JSON.stringify(changes);
  const answer = await fetch(page.dataset.prefer, { method: "POST", credentials: "same-origin", headers, body }).catch(() => null);
  sending = false;
  // A choice that is refused would be refused again.
  const settled = answer?.ok || answer?.status === 422;
  if (!settled) {
    setTimeout(send, AGAIN_MS);
    return;
  }
  for (const [name, value] of Object.entries(changes)) if (unsent[name] === value) delete unsent[name];
  keep(changes);
  send();
}

send();
