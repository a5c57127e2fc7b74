// Keying by keyboard alone. Without this file the page still works, with its buttons.
const entry = document.getElementById("entry");
const input = document.getElementById("text");
const page = document.getElementById("page");
const refer = document.getElementById("refer");
const choices = [...entry.querySelectorAll("[data-key]")];
const started = performance.now();

const submit = (act) => entry.requestSubmit(entry.querySelector(`button[value="${act}"]`));

entry.addEventListener("submit", () => {
  entry.elements.milliseconds.value = Math.round(performance.now() - started);
});

/** Show which answer the digits typed stand for. */
function showChoice() {
  for (const choice of choices) choice.classList.toggle("keying__chosen", choice.dataset.key === input.value.trim());
}

/** Escape steps back one thing at a time, so that nothing typed becomes a blank by accident. */
function escape() {
  if (refer.open) toggleRefer();
  else if (input.value) {
    input.value = "";
    showChoice();
  } else submit("blank");
}

function togglePage() {
  if (!page) return;
  page.open = !page.open;
  page.scrollIntoView({ block: page.open ? "start" : "nearest" });
  input.focus({ preventScroll: true });
}

function toggleRefer() {
  refer.open = !refer.open;
  (refer.open ? document.getElementById("note") : input).focus();
}

const keys = { Escape: escape, F2: togglePage, F4: () => submit("illegible"), F6: toggleRefer };

document.addEventListener("keydown", (event) => {
  if (event.repeat && (event.key === "Enter" || event.key in keys)) return event.preventDefault();
  if (event.ctrlKey || event.metaKey) {
    const typing = document.activeElement?.value;
    if (event.key.toLowerCase() !== "z" || typing) return;
    event.preventDefault();
    document.getElementById("undo").requestSubmit();
  } else if (event.key in keys && !event.altKey) {
    event.preventDefault();
    keys[event.key]();
  }
});

input.addEventListener("input", showChoice);
showChoice();
input.focus();
input.select();
