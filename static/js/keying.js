// Keying by keyboard alone. Without this file the page still works, with its buttons.
const entry = document.getElementById("entry");
const input = document.getElementById("text");
const page = document.getElementById("page");
const refer = document.getElementById("refer");
const started = performance.now();

const submit = (act) => entry.requestSubmit(entry.querySelector(`button[value="${act}"]`));

entry.addEventListener("submit", () => {
  entry.elements.milliseconds.value = Math.round(performance.now() - started);
});

const keys = {
  Escape: () => submit("blank"),
  F2: () => {
    page.open = !page.open;
    if (page.open) page.scrollIntoView({ block: "nearest" });
    input.focus();
  },
  F4: () => submit("illegible"),
  F6: () => {
    refer.open = !refer.open;
    (refer.open ? document.getElementById("note") : input).focus();
  },
};

document.addEventListener("keydown", (event) => {
  const undo = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && input.value === "";
  const act = undo ? () => document.getElementById("undo").requestSubmit() : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

input.focus();
input.select();
