/** What the household's pages gain when scripts run; each works without. */

const FIVE_MINUTES = 5 * 60;

/** Send files as soon as they are chosen, and say how far it is; a failure leaves the ordinary form. */
function uploadAtOnce(form) {
  const input = form.querySelector('input[type="file"]');
  const button = form.querySelector("button");
  if (!input || !button) return;
  const told = document.createElement("p");
  told.className = "upload-progress";
  told.setAttribute("role", "status");
  form.append(told);
  input.addEventListener("change", () => {
    if (!input.files.length) return;
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) told.textContent = `Envoi en cours : ${Math.round((100 * event.loaded) / event.total)} %`;
    });
    request.addEventListener("load", () => {
      if (request.status >= 400) return fail();
      if (request.responseURL !== location.href) return location.assign(request.responseURL);
      show(request.responseText);
    });
    request.addEventListener("error", fail);
    button.setAttribute("aria-disabled", "true");
    told.textContent = "Envoi en cours…";
    request.send(new FormData(form));
  });

  function fail() {
    button.removeAttribute("aria-disabled");
    told.textContent = "L’envoi a échoué. Vérifiez votre connexion, puis appuyez sur « Ajouter ».";
  }
}

/** Put the answer's page in place of this one, without asking for it twice. */
function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  document.title = page.title;
  document.querySelector("main").replaceWith(document.adoptNode(page.querySelector("main")));
  document.querySelector("[data-focus]")?.focus();
  prepare();
}

/** Five minutes before the page closes, ask whether somebody is still there. */
function warnBeforeClosing(box) {
  const wait = (Number(box.dataset.idle) - FIVE_MINUTES) * 1000;
  let timer = setTimeout(() => (box.hidden = false), wait);
  box.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    const form = event.target;
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (answer.status !== 204) return location.reload();
    box.hidden = true;
    clearTimeout(timer);
    timer = setTimeout(() => (box.hidden = false), wait);
  });
}

function prepare() {
  document.querySelectorAll("form[data-upload]").forEach(uploadAtOnce);
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
}

prepare();
document.querySelectorAll("[data-idle]").forEach(warnBeforeClosing);
