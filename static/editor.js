// The editor of a document's text: line numbers, sections to jump to, lists that go on. The textarea stays what it
// is: undo, spelling, speech and paste are the browser's, and Tab leads on.
(() => {
  "use strict";

  const area = document.querySelector("textarea[data-editor]");
  if (!area) return;
  const box = area.closest(".editor");
  const form = area.form;
  const grows = window.matchMedia("(max-width: 640px)");
  const prose = !box.classList.contains("code");
  const locked = new Set([...document.querySelectorAll("[data-protected]")].map((item) => plain(item.dataset.protected)));
  const under = document.createElement("div");
  under.className = "under";
  under.setAttribute("aria-hidden", "true");
  box.prepend(under);
  box.classList.add("on");
  let shown = [];

  function plain(heading) {
    return heading.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
  }

  // A copy of the text lies under it, one element per line: it gives the height, the numbers and the marks. Only
  // what differs from last time is touched.
  function mirror() {
    const lines = area.value.split("\n");
    let top = 0;
    let end = 0;
    const least = Math.min(lines.length, shown.length);
    while (top < least && lines[top] === shown[top]) top += 1;
    while (end < least - top && lines[lines.length - 1 - end] === shown[shown.length - 1 - end]) end += 1;
    const gone = [...under.children].slice(top, shown.length - end);
    const begun = shown.length > 0;
    const before = under.children[shown.length - end] || null;
    const fresh = document.createDocumentFragment();
    lines.slice(top, lines.length - end).forEach((line, at) => {
      const row = document.createElement("div");
      row.textContent = line || "\u200b";
      if (gone[at]) row.className = gone[at].className;
      if (begun) row.classList.add("new"); // until the difference below says
      fresh.append(row);
    });
    under.insertBefore(fresh, before);
    for (const row of gone) row.remove();
    shown = lines;
  }

  function headings() {
    const found = [];
    let fence = "";
    shown.forEach((line, at) => {
      const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line);
      if (mark) {
        if (!fence) fence = mark[1];
        else if (mark[1][0] === fence[0] && mark[1].length >= fence.length) fence = "";
        return;
      }
      const head = fence ? null : /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/.exec(line);
      if (head) found.push({ at, level: head[1].length, name: head[2] || "(no name)" });
    });
    let lock = 0;
    for (const one of found) {
      if (lock && one.level <= lock) lock = 0;
      if (!lock && locked.has(plain(one.name))) lock = one.level;
      one.locked = lock > 0;
    }
    return found;
  }

  let drawn = "";
  function outline() {
    if (!prose) return;
    const found = headings();
    let next = 0;
    let section = null;
    [...under.children].forEach((row, at) => {
      if (next < found.length && found[next].at === at) {
        section = found[next];
        next += 1;
      }
      row.classList.toggle("head", section !== null && section.at === at);
      row.classList.toggle("lock", section !== null && section.locked);
    });
    draw(found);
  }

  const card = document.getElementById("outline");
  const aside = card && card.closest(".sections");
  function draw(found) {
    const state = JSON.stringify(found);
    if (!card || state === drawn) return;
    drawn = state;
    card.hidden = found.length < 2;
    if (grows.matches) aside.hidden = !card.hidden; // the sections say themselves which are protected
    card.querySelector("ol").replaceChildren(...found.map((one) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = `l${one.level}`;
      button.dataset.line = one.at + 1;
      button.textContent = one.name;
      if (one.locked) {
        const note = document.createElement("span");
        note.className = "pill";
        note.textContent = "Protected";
        button.append(" ", note);
      }
      item.append(button);
      return item;
    }));
  }

  // Where the editor grows with its text, the sections stand above it, closed.
  function beside() {
    card.querySelector("details").open = false;
    box.before(card);
  }

  function show(line) {
    const row = under.children[Math.min(line, shown.length) - 1];
    if (!row) return;
    if (grows.matches) row.scrollIntoView({ block: "center" });
    else box.scrollTop = row.offsetTop - 64;
    const start = shown.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
    area.setSelectionRange(start, start);
  }

  if (card) {
    card.addEventListener("click", (event) => {
      const button = event.target.closest("[data-line]");
      if (!button) return;
      area.focus({ preventScroll: true });
      show(Number(button.dataset.line));
      if (!grows.matches) box.scrollIntoView({ block: "nearest" });
    });
    if (grows.matches) beside();
  }

  const status = document.getElementById("where");
  function where() {
    if (document.activeElement !== area) return;
    const line = area.value.slice(0, area.selectionStart).split("\n").length;
    const at = under.children[line - 1];
    for (const row of under.querySelectorAll(".at")) if (row !== at) row.classList.remove("at");
    if (at) at.classList.add("at");
    status.textContent = `line ${line} of ${shown.length}`;
  }

  // Which lines are new, as the difference below says.
  function marks() {
    for (const row of under.querySelectorAll(".new")) row.classList.remove("new");
    for (const cell of document.querySelectorAll("#preview tr.add .no")) {
      const row = under.children[Number(cell.textContent) - 1];
      if (row) row.classList.add("new");
    }
  }

  function type(text) {
    // The one way that undo knows of; where it is missing, the text is changed all the same.
    if (text ? document.execCommand("insertText", false, text) : document.execCommand("delete")) return;
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function newLine() {
    const { selectionStart: at, selectionEnd: end, value } = area;
    if (at !== end) return false;
    const start = value.lastIndexOf("\n", at - 1) + 1;
    const line = value.slice(start, at);
    const item = /^(\s*)(?:([-*+•])|(\d{1,4})([.)]))(\s+)/.exec(line);
    if (!item) {
      const indent = /^[ \t]+/.exec(line);
      if (indent) type(`\n${indent[0]}`);
      return indent !== null;
    }
    const restIsEmpty = value[at] === "\n" || at === value.length;
    if (item[0].length === line.length && restIsEmpty) {
      area.setSelectionRange(start, at);
      type("");
    } else {
      type(`\n${item[1]}${item[2] || Number(item[3]) + 1 + item[4]}${item[5]}`);
    }
    return true;
  }

  function indent(deeper) {
    const start = area.value.lastIndexOf("\n", area.selectionStart - 1) + 1;
    const after = area.value.indexOf("\n", area.selectionEnd);
    const end = after < 0 ? area.value.length : after;
    const lines = area.value.slice(start, end).split("\n");
    const text = lines.map((line) => (deeper ? `  ${line}` : line.replace(/^(?: {1,2}|\t)/, ""))).join("\n");
    if (text === area.value.slice(start, end)) return;
    area.setSelectionRange(start, end);
    type(text);
    area.setSelectionRange(start, start + text.length);
  }

  area.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.metaKey) return;
    if (event.ctrlKey && (event.key === "]" || event.key === "[")) {
      event.preventDefault();
      indent(event.key === "]");
    } else if (event.key === "Enter" && !event.ctrlKey && !event.shiftKey && newLine()) {
      event.preventDefault();
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    event.preventDefault();
    form.requestSubmit(form.querySelector("[data-default]"));
  });

  let later = 0;
  area.addEventListener("input", () => {
    mirror();
    where();
    window.clearTimeout(later);
    later = window.setTimeout(outline, 150);
  });
  document.addEventListener("selectionchange", where);
  document.addEventListener("htmx:afterSettle", marks);

  // Also kept in this tab (keep.js); the question is for those who did not mean to go.
  const unsent = () => [...form.elements].some((field) => "defaultValue" in field && field.type !== "hidden" && field.value !== field.defaultValue);
  window.addEventListener("beforeunload", (event) => {
    if (!form.dataset.sent && (form.hasAttribute("data-bound") || unsent())) event.preventDefault();
  });

  mirror();
  outline();
  marks();
  const preview = document.getElementById("preview");
  if (preview && Number(preview.dataset.line)) show(Number(preview.dataset.line));
})();
