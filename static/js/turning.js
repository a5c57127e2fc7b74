// Turns the picture of a paper without leaving the page: what is being typed stays. Without this file, the button does.

const shown = () => document.querySelector("form.turn");

/** Take the turn, then show the picture again and make the button ask for the quarter after it. */
async function turn(event) {
  const form = event.target.closest?.("form.turn");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  const pressed = document.activeElement === button;
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { "X-Swap": "1" }, body: new FormData(form) });
    if (answer.status !== 204) return location.reload();
    const asked = Number(form.elements.rotation.value);
    const picture = document.getElementById(form.dataset.picture);
    picture.src = `${picture.src.split("?")[0]}?sens=${asked}`;
    form.elements.rotation.value = (asked + 270) % 360;
  } catch {
    location.reload();
  } finally {
    button.disabled = false;
    if (pressed) document.querySelector("#text, #typed")?.focus({ preventScroll: true });
  }
}

document.addEventListener("submit", turn);
document.addEventListener("keydown", (event) => {
  if (event.key !== "F9" || event.repeat || !shown()) return;
  event.preventDefault();
  shown().requestSubmit();
});
