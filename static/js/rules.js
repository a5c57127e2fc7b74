/** The condition of a rule: the list of words narrows as one types, a word is added where the cursor stands. */
const condition = document.querySelector("textarea[data-words]");
const words = condition ? document.querySelector(condition.dataset.words) : null;

/** The word being typed, up to the cursor. */
function typed() {
  const before = condition.value.slice(0, condition.selectionStart);
  return before.match(/[\w.]*$/)[0];
}

/** Show the words that hold what is being typed, and open their groups; everything again when nothing is. */
function narrow() {
  const wanted = typed().toLowerCase();
  for (const group of words.querySelectorAll("details")) {
    let found = 0;
    for (const line of group.querySelectorAll("li")) {
      line.hidden = wanted.length > 1 && !line.dataset.word.includes(wanted);
      found += line.hidden ? 0 : 1;
    }
    group.hidden = found === 0;
    if (wanted.length > 1) group.open = found > 0;
  }
}

/** Put a word in place of the one being typed, with a space after it. */
function insert(word) {
  const start = condition.selectionStart - typed().length;
  const before = condition.value.slice(0, start);
  const gap = before && !/[\s([]$/.test(before) ? " " : "";
  condition.setRangeText(`${gap}${word} `, start, condition.selectionEnd, "end");
  condition.focus();
  narrow();
}

if (words) {
  condition.addEventListener("input", narrow);
  words.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (button) insert(button.dataset.insert);
  });
  if (condition.dataset.column) {
    condition.focus();
    const place = Math.max(0, Number(condition.dataset.column) - 1);
    condition.setSelectionRange(place, Math.min(condition.value.length, place + 1));
  }
}
