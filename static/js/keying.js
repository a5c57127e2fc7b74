// Keying by keyboard alone: the next field is fetched while this one is keyed, and takes its place at once.
// Without this file the page still works, with its buttons.
import { followSuggestions } from "./suggestions.js";

const ZOOMS = [1, 1.5, 2, 3];
const STEP = 80; // pixels that the picture moves at each arrow

let section, entry, input, refer, page, choices, started, ahead, suggestions;
let busy = false;
let coming = false; // whether the next field is still on its way

/** Take the section of a field in hand: it is in the page, its input has the focus, the next one is on its way. */
function mount(node) {
  section = node;
  entry = document.getElementById("entry");
  input = document.getElementById("text");
  refer = document.getElementById("refer");
  page = document.getElementById("page");
  choices = [...entry.querySelectorAll("[data-key]")];
  started = performance.now();
  suggestions = followSuggestions(input, document.getElementById("suggestions"));
  entry.addEventListener("submit", send);
  input.addEventListener("input", showChoice);
  for (const form of section.querySelectorAll("form:not(#entry)")) form.addEventListener("submit", leave);
  section.querySelector("[data-act=readings]")?.addEventListener("click", leave);
  section.querySelector("[data-act=zoom]")?.addEventListener("click", zoom);
  showChoice();
  input.focus();
  input.select();
}

/** The next field with its picture, once the one on the screen has its own; null when there is none. */
async function fetchAhead(url) {
  if (!url) return null;
  coming = true;
  try {
    await pictured(section);
    const answer = await fetch(url);
    return answer.status === 200 ? await pictured(parsed(await answer.text())) : null;
  } catch {
    return null;
  } finally {
    coming = false;
  }
}

/** Leave the page once the next field has come: it would be claimed behind one's back. */
function leave(event) {
  if (!coming) return;
  event.preventDefault();
  const wanted = event.currentTarget;
  ahead.then(() => (wanted.requestSubmit ? wanted.requestSubmit() : wanted.click()));
}

/** The section once its picture has come, or has failed to. */
async function pictured(node) {
  await node.querySelector(".keying__crop").decode().catch(() => {});
  return node;
}

function parsed(html) {
  return document.createRange().createContextualFragment(html).querySelector(".keying");
}

function swap(node) {
  for (const notice of document.querySelectorAll(".notice")) notice.remove();
  section.replaceWith(node);
  document.title = node.dataset.title;
  mount(node);
}

async function send(event) {
  entry.elements.milliseconds.value = Math.round(performance.now() - started);
  if (!section.dataset.following || refer?.open) return;
  event.preventDefault();
  if (busy) return;
  busy = true;
  try {
    const next = await ahead; // long there, as a rule: it came while this field was being keyed
    const answer = await fetch(entry.action, {
      method: "POST",
      headers: { "X-Swap": "1" },
      body: new FormData(entry, event.submitter),
    });
    if (answer.status === 200) return swap(parsed(await answer.text()));
    if (answer.status !== 204 || !next) return location.assign(section.dataset.work);
    swap(next);
    ahead = fetchAhead(next.dataset.following);
  } catch {
    location.assign(section.dataset.work);
  } finally {
    busy = false;
  }
}

const submit = (act) => entry.requestSubmit(entry.querySelector(`button[value="${act}"]`));

/** Show which answer the digits typed stand for. */
function showChoice() {
  for (const choice of choices) choice.classList.toggle("keying__chosen", choice.dataset.key === input.value.trim());
}

/** Escape steps back one thing at a time, so that nothing typed becomes a blank by accident. */
function escape() {
  if (refer?.open) toggleRefer();
  else if (input.value) {
    input.value = "";
    input.dispatchEvent(new Event("input"));
  } else submit("blank");
}

function togglePage() {
  if (!page) return;
  page.open = !page.open;
  page.scrollIntoView({ block: page.open ? "start" : "nearest" });
  input.focus({ preventScroll: true });
}

function toggleRefer() {
  if (!refer) return;
  refer.open = !refer.open;
  (refer.open ? document.getElementById("note") : input).focus();
}

function zoom() {
  const frame = section.querySelector(".keying__frame");
  if (!frame) return;
  const now = ZOOMS.indexOf(Number(frame.dataset.zoom));
  frame.dataset.zoom = ZOOMS[(now + 1) % ZOOMS.length];
  input.focus({ preventScroll: true });
}

function pan(x, y) {
  section.querySelector(".keying__frame")?.scrollBy(x * STEP, y * STEP);
}

const keys = {
  Escape: escape,
  F2: togglePage,
  F3: zoom,
  F4: () => submit("illegible"),
  F6: toggleRefer,
  F8: () => section.querySelector("[data-act=readings]")?.click(),
};
const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key in keys)) return event.preventDefault();
  if (event.altKey && event.key in arrows) {
    event.preventDefault();
    pan(...arrows[event.key]);
  } else if (event.ctrlKey || event.metaKey) {
    const typing = document.activeElement?.value;
    const undo = document.getElementById("undo");
    if (event.key.toLowerCase() !== "z" || typing || !undo) return;
    event.preventDefault();
    undo.requestSubmit();
  } else if (event.key in keys && !event.altKey) {
    event.preventDefault();
    keys[event.key]();
  } else if (document.activeElement === input) suggestions(event);
});

mount(document.querySelector(".keying"));
ahead = fetchAhead(section.dataset.following);
