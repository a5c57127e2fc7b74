/**
 * Follow a long piece of work. <div data-progress="/url/" data-every="2000"> holds a <progress> and a .progress__text;
 * the URL answers JSON {value, max, text, done, next}. When done, the page goes to `next`, or loads itself again.
 */
export function followProgress(box) {
  const every = Number(box.dataset.every) || 2000;
  const bar = box.querySelector("progress");
  const text = box.querySelector(".progress__text");
  let failures = 0;

  async function ask() {
    try {
      const response = await fetch(box.dataset.progress, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const state = await response.json();
      failures = 0;
      bar.max = state.max;
      bar.value = state.value;
      if (text) text.textContent = state.text;
      if (state.done) {
        if (state.next) location.assign(state.next);
        else location.reload();
        return;
      }
    } catch {
      failures += 1;
      if (failures > 5) {
        if (text) text.textContent = "Le suivi est interrompu : rechargez la page pour connaître l’avancement.";
        return;
      }
    }
    setTimeout(ask, document.hidden ? every * 5 : every * (failures + 1));
  }

  setTimeout(ask, every);
}
