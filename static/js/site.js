/** What every page gains when scripts run; each page works without. */
import { followProgress } from "./progress.js";

/** Send a form once: the second press is ignored, and the button says what is happening. */
function sendOnce(event) {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  const button = event.submitter;
  if (!button) return;
  button.setAttribute("aria-disabled", "true");
  if (button.dataset.busy) {
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
  }
}

/** Coming back with the browser's arrow finds forms that can be sent again. */
function openAgain(event) {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("button[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    if (button.dataset.idle) button.textContent = button.dataset.idle;
  }
}

document.addEventListener("submit", sendOnce);
window.addEventListener("pageshow", openAgain);
document.querySelector("[data-focus]")?.focus();
document.querySelectorAll("[data-progress]").forEach(followProgress);
