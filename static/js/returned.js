// Returned envelopes by keyboard alone. Without this file the page still works, with its buttons.
const code = document.getElementById("code");
const motives = document.getElementById("motives");
const giveUp = document.getElementById("give-up");
const undo = document.getElementById("undo");

const typing = () => document.activeElement === code;
const motiveOf = (key) => motives?.querySelector(`[data-key="${CSS.escape(key)}"]`);
let sent = false;

// With a letter on screen a digit is its motive; any other letter begins the next code, as a scanner types it.
document.addEventListener("keydown", (event) => {
  if (event.repeat || event.altKey) return;
  if (event.ctrlKey || event.metaKey) {
    if (event.key.toLowerCase() !== "z" || code.value || !undo) return;
    event.preventDefault();
    undo.requestSubmit();
  } else if (event.key === "Escape" && giveUp) {
    event.preventDefault();
    giveUp.click();
  } else if (!typing() && event.key.length === 1 && event.key !== " ") {
    const motive = motiveOf(event.key);
    if (!motive) return code.focus();
    event.preventDefault();
    if (!sent) motives.requestSubmit(motive);
    sent = true;
  }
});

// The page comes back from the history as it was left: let its keys work again.
window.addEventListener("pageshow", () => {
  sent = false;
});

if (motives) motiveOf("1").focus();
else {
  code.focus();
  code.select();
}
