/** What completes an entry as it is typed: a listbox under the input, for keyboard alone. */

const MOST = 6;
const flat = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** What a suggestion makes of what is typed, null when it does not go on with it. One that starts with @ follows it. */
function completed(typed, suggestion) {
  const at = suggestion.startsWith("@") ? typed.indexOf("@") : 0;
  const begun = at < 0 ? "" : typed.slice(at);
  if (!begun || begun.length >= suggestion.length || !flat(suggestion).startsWith(flat(begun))) return null;
  return typed.slice(0, at) + suggestion;
}

/** Show them while one types; returns what to do of a key: arrows choose, Tab takes the chosen or the first one. */
export function followSuggestions(input, list) {
  if (!list) return () => {};
  const options = [...list.children];
  let chosen = null;
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);

  const open = () => options.filter((option) => !option.hidden);

  function choose(option) {
    chosen = option;
    for (const each of options) each.setAttribute("aria-selected", String(each === option));
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
  }

  function show() {
    let left = MOST;
    for (const option of options) {
      option.hidden = left === 0 || completed(input.value, option.textContent) === null;
      if (!option.hidden) left -= 1;
    }
    list.hidden = left === MOST;
    input.setAttribute("aria-expanded", String(!list.hidden));
    choose(null);
  }

  function take(option) {
    input.value = completed(input.value, option.textContent);
    show();
    input.dispatchEvent(new Event("input"));
  }

  function onKey(event) {
    const shown = open();
    if (!shown.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(shown[(shown.indexOf(chosen) + step + shown.length) % shown.length] ?? shown[0]);
    else if (event.key === "Tab" && !event.shiftKey) take(chosen ?? shown[0]);
    else if (event.key === "Enter" && chosen) take(chosen);
    else return;
    event.preventDefault();
  }

  for (const option of options) option.addEventListener("mousedown", (event) => (event.preventDefault(), take(option)));
  input.addEventListener("input", show);
  show();
  return onKey;
}
