// What was typed and not yet received stays in this tab: through a refusal, an expired session, a closed lid.
// Each person's words are their own, and signing out forgets them.
(() => {
  "use strict";

  const person = document.documentElement.dataset.person || "";
  const prefix = "kept:";
  const nameOf = (form) => `${prefix}${person}:${form.dataset.keep}`;
  const forms = () => [...document.querySelectorAll("form[data-keep]")];
  const read = (name) => JSON.parse(sessionStorage.getItem(name) || "null");
  const names = () => Object.keys(sessionStorage).filter((name) => name.startsWith(prefix));

  // Full or forbidden storage must not get in the way of typing.
  function write(name, entry) {
    try {
      sessionStorage.setItem(name, JSON.stringify(entry));
    } catch {
      sessionStorage.removeItem(name);
    }
  }

  const fields = (form) => [...form.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken"
    && (field.matches("textarea, select, input:not([type])") || ["text", "hidden"].includes(field.type)));
  const kept = (form) => fields(form).filter((field) => field.type !== "hidden" || form.hasAttribute("data-keep-all"));
  const values = (form) => Object.fromEntries(kept(form).map((field) => [field.name, field.value]));
  const fill = (form, words) => {
    for (const field of kept(form)) {
      if (field.name in words && field.value !== words[field.name]) {
        field.value = words[field.name];
        field.dispatchEvent(new Event("input", { bubbles: true }));
      }
    }
  };

  const started = new WeakMap();
  function remember(form) {
    const words = values(form);
    const first = started.get(form) || {};
    const typed = Object.keys(words).some((name) => words[name] !== first[name]);
    if (typed || form.hasAttribute("data-bound")) write(nameOf(form), { words });
    else sessionStorage.removeItem(nameOf(form));
  }

  function bring(form) {
    started.set(form, values(form));
    const entry = read(nameOf(form));
    if (!entry || form.hasAttribute("data-bound")) return;
    const first = started.get(form);
    const changed = Object.keys(first).filter((name) => name in entry.words && entry.words[name] !== first[name]);
    if (!changed.some((name) => form.elements[name].type !== "hidden")) return;
    const moved = changed.some((name) => form.elements[name].type === "hidden");
    fill(form, entry.words);
    tell(form, moved ? "What you typed before is back. It was written on an older text than the one that stands now." : "What you typed before is back. It was not sent yet.");
  }

  function tell(form, words) {
    const note = document.createElement("div");
    note.className = "alert info small between";
    const said = document.createElement("p");
    said.textContent = words;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small";
    button.textContent = "Discard it";
    button.addEventListener("click", () => {
      fill(form, started.get(form));
      sessionStorage.removeItem(nameOf(form));
      note.remove();
    });
    note.append(said, button);
    form.prepend(note);
  }

  // On every page reached: what was sent has arrived, unless this page has its form again, or says that it keeps words
  // because it asks to sign in or could not take them.
  function arrive() {
    const here = new Set(forms().map(nameOf));
    const note = document.getElementById("kept");
    const arrived = person && !note;
    for (const name of names()) {
      const entry = read(name);
      if (!entry.sent) continue;
      if (arrived && !here.has(name)) sessionStorage.removeItem(name);
      else write(name, { words: entry.words });
    }
    if (note) note.hidden = names().length === 0;
    forms().filter((form) => !started.has(form)).forEach(bring);
  }

  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form && form.matches("[data-keep]")) remember(form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-sign-out]")) names().forEach((name) => sessionStorage.removeItem(name));
    if (form.matches("[data-keep]")) write(nameOf(form), { words: values(form), sent: true });
  });
  document.addEventListener("DOMContentLoaded", arrive);
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.elt === document.body) arrive();
  });
})();
