"""The worker console in a real browser, by the browser's own clock: key to the next item, and the page itself."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import servers
from benchmarks.bench import Bench

__all__ = ["GOALS", "measure"]

GOALS = ("P26 key", "P26 ready", "P26 size", "P26 requests")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
_ITEMS = 100
_PAUSE_MS = 150
_PATIENCE_MS = 20_000
# A task that is posted from a frame's callback runs when the frame has been painted.
_WATCH = """
(() => {
  const paints = (window.paints = []);
  let pressed = 0, before = null;
  const painted = (then) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = then;
    port2.postMessage(0);
  });
  addEventListener("keydown", (event) => (pressed = event.timeStamp), true);
  addEventListener("DOMContentLoaded", () => {
    const place = document.getElementById("item");
    if (!place) return;
    const id = () => place.querySelector(".wai-item")?.dataset.assignment ?? null;
    before = id();
    new MutationObserver(() => {
      const now = id();
      if (!pressed || now === null || now === before) return;
      before = now;
      painted(() => paints.push(performance.now() - pressed));
    }).observe(place, { childList: true });
  });
})();
"""
_PAINTED = """
([count, patience]) => new Promise((resolve, reject) => {
  const late = setTimeout(() => reject(new Error("no further item was shown")), patience);
  const look = () => (paints.length > count ? (clearTimeout(late), resolve()) : setTimeout(look, 5));
  look();
})
"""
# The script asks for the item behind the first as soon as it listens to keys.
_WEIGHT = """
() => {
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const ahead = all.filter((each) => each.name.endsWith("/work/next"));
  const own = all.filter((each) => !ahead.includes(each));
  return [own.reduce((sum, each) => sum + each.encodedBodySize, 0), own.length, ahead[0].startTime];
}
"""


def measure(bench: Bench) -> None:
    """Measure the console on SQLite, with a person who is faster than any."""
    executable = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        for goal in GOALS:
            bench.report.skip(goal, "there is no Chromium here")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_OPTIONS))
        try:
            _measure_console(bench, browser)
        finally:
            browser.close()


def _measure_console(bench: Bench, browser: Browser) -> None:
    slowest, middles, ready, sizes, counts = [], [], [], [], []
    for n in range(bench.repeats):
        data = bench.database(f"console-{n}", tasks=_ITEMS + 10, workers=1)
        with servers.serving(data.database) as service:
            page = browser.new_page(locale="en-US")
            page.set_default_timeout(_PATIENCE_MS)
            page.add_init_script(_WATCH)
            _sign_in(page, service.url, data.tokens[0])
            size, count, ready_ms = _weigh(page)
            paints = _work(page)
            page.context.close()
        middles.append(statistics.median(paints))
        slowest.append(statistics.quantiles(paints, n=20)[-1])
        ready.append(ready_ms)
        sizes.append(size / 1024)
        counts.append(float(count))
    bench.report.add("P26 key", slowest, note=f"p50 {statistics.median(middles):.0f} ms, {_ITEMS} items on SQLite")
    bench.report.add("P26 ready", ready, note="of a page whose scripts and styles the browser has")
    bench.report.add("P26 size", sizes, note="without media; nothing compressed")
    bench.report.add("P26 requests", counts)


def _sign_in(page: Page, url: str, token: str) -> None:
    page.goto(f"{url}/work/sign-in")
    page.fill("#token", token)
    page.click("main button")
    page.wait_for_url("**/work")


def _weigh(page: Page) -> tuple[int, int, float]:
    """Open the console anew; return its bytes, its requests, and when it took the first key, in ms."""
    with page.expect_response("**/work/next"):
        page.reload()
    page.wait_for_load_state("networkidle")
    size, count, ready = page.evaluate(_WEIGHT)
    return size, count, ready


def _work(page: Page) -> Sequence[float]:
    """Answer item after item with one key; return how long each key took to the next item, in ms."""
    page.evaluate("paints.length = 0")
    for n in range(_ITEMS):
        page.keyboard.press("1")
        page.evaluate(_PAINTED, [n, _PATIENCE_MS])
        page.wait_for_timeout(_PAUSE_MS)
    paints: list[float] = page.evaluate("paints")
    return paints
