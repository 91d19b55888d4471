// Search on the page, and one choice of language for all samples.

const field = document.getElementById("search-field");
const input = document.getElementById("search");
const count = document.getElementById("search-count");
const places = [...document.querySelectorAll(".wai-place")].map((place) => ({ place, text: place.textContent.toLowerCase() }));
const headings = [...document.querySelectorAll(".wai-doc > h2")];
field.hidden = false;

input.addEventListener("input", () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const { place, text } of places) {
    place.hidden = !words.every((word) => text.includes(word));
    if (!place.hidden) found += 1;
  }
  for (const heading of headings) heading.hidden = words.length > 0;
  for (const link of document.querySelectorAll(".wai-contents a[href^='#']")) {
    const place = document.getElementById(link.hash.slice(1));
    link.parentElement.hidden = Boolean(place?.matches(".wai-place[hidden]"));
  }
  count.textContent = words.length ? count.dataset.words.replace("{n}", found) : "";
});

const KEY = "wai-docs-language";
let choosing = false;

function choose(language) {
  choosing = true;
  for (const details of document.querySelectorAll("[data-language]")) details.open = details.dataset.language === language;
  setTimeout(() => (choosing = false));
}

for (const details of document.querySelectorAll("[data-language]")) {
  details.querySelector("summary").addEventListener("click", (event) => {
    event.preventDefault();
    if (choosing) return;
    const top = details.getBoundingClientRect().top;
    localStorage.setItem(KEY, details.dataset.language);
    choose(details.dataset.language);
    window.scrollBy(0, details.getBoundingClientRect().top - top);
  });
}
const kept = localStorage.getItem(KEY);
if (kept) choose(kept);
