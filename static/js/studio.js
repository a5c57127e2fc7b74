// The studio's result follows what is written: the same form, posted quietly, and the live parts of the answer put in place.
(() => {
  const form = document.getElementById("studio");
  if (!form) return;
  let waiting = 0;
  let turn = 0;

  const refresh = async () => {
    const mine = ++turn;
    const data = new FormData(form);
    data.set("action", "preview");
    try {
      const answer = await fetch(location.href, { method: "POST", body: data, credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== turn) return;
      for (const part of document.querySelectorAll("[data-live]")) {
        const fresh = page.getElementById(part.id);
        if (!fresh) continue;
        const opened = [...part.querySelectorAll("details")].map((each) => each.open);
        part.replaceChildren(...fresh.childNodes);
        part.querySelectorAll("details").forEach((each, number) => {
          if (number in opened) each.open = opened[number];
        });
        const row = part.closest("tr");
        if (row && part.id.startsWith("errors-")) row.classList.toggle("is-wrong", part.childElementCount > 0);
      }
      const text = page.getElementById("text");
      if (text) document.getElementById("text").value = text.value;
    } catch {
      // The button remains for whoever is off line.
    }
  };

  form.addEventListener("change", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 200);
  });
})();
