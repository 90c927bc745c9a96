// Keys, copying and small comforts. Every page works without this file; no key ever decides anything.
(() => {
  "use strict";

  const typing = (target) => target.closest("input, textarea, select, [contenteditable]") !== null;
  const items = () => [...document.querySelectorAll("[data-item]")];
  const focusOn = (selector, block = "nearest") => {
    const found = document.querySelector(selector);
    if (!found) return false;
    found.focus({ preventScroll: block === "start" });
    found.scrollIntoView({ block });
    return true;
  };

  function step(by) {
    const all = items();
    if (!all.length) return false;
    const at = all.findIndex((item) => item === document.activeElement || item.contains(document.activeElement));
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  function go(name) {
    const link = document.querySelector(`[data-go="${name}"]`);
    if (link) window.location.assign(link.href);
    return link !== null;
  }

  function showKeys() {
    const dialog = document.getElementById("keys");
    if (dialog && !dialog.open) dialog.showModal();
    return dialog !== null;
  }

  // The link of the row one is at, else of the first change, else of the first line.
  function comment() {
    const row = document.activeElement.closest("tr, .thread");
    const near = row && (row.querySelector("a.say") || row.querySelector("summary"));
    const link = near || document.querySelector("tr:is(.add, .cut, :has(.said.add, .said.cut)) a.say") || document.querySelector("a.say");
    if (link) link.focus();
    return Boolean(link);
  }

  const follow = (selector, within = document) => {
    const link = within.querySelector(selector);
    if (link) window.location.assign(link.href);
    return link !== null;
  };

  // Where nothing else would take it, Enter opens: the first of the queue, or what comes after a decision.
  function open() {
    const on = document.activeElement;
    if (on === document.body || on.id === "main") return follow(".review a[data-item]") || follow("a[data-item]");
    return on.matches("[data-announce]") && (follow("[data-next]", on) || follow("[data-next]"));
  }

  // Next or previous changed line of the difference; from elsewhere, the first.
  function change(by) {
    const all = [...document.querySelectorAll("#change tr[data-item], #preview tr[data-item]")];
    const at = all.indexOf(document.activeElement.closest("tr[data-item]"));
    const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
    if (next) next.focus();
    return Boolean(next);
  }

  // The views of the change in turn: focus goes to the next one, Enter takes it.
  function view() {
    const all = [...document.querySelectorAll("#change nav.tabs a[hx-get]")];
    const at = Math.max(all.findIndex((link) => link === document.activeElement), all.findIndex((link) => link.ariaCurrent && !all.includes(document.activeElement)));
    const next = all[(at + 1) % all.length];
    if (next) next.focus();
    return Boolean(next);
  }

  function menu() {
    const me = document.querySelector("details.me");
    if (!me) return false;
    me.open = true;
    me.querySelector(".sheet a, .sheet button").focus();
    return true;
  }

  // Approve where that can be pressed; else the decision, or what is the main thing to do on this page.
  function main() {
    if (focusOn("[data-focus='approve']:enabled") || focusOn("#decision[tabindex]")) return true;
    const button = [...document.querySelectorAll("main .btn.go:not([disabled])")].find((one) => one.checkVisibility());
    if (button) button.focus();
    return Boolean(button);
  }

  const places = { q: "queue", r: "rollouts", p: "patterns", a: "agents", l: "audit", s: "settings" };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    a: main,
    x: () => focusOn("[data-focus='reject']"),
    w: () => focusOn("[data-focus='write'], [data-editor]"),
    b: () => focusOn("[data-focus='back']"),
    c: comment,
    e: () => focusOn("#evidence", "start"),
    m: () => focusOn("[name='note']"),
    r: () => focusOn("[name='reason']"),
    u: () => follow("[data-back]") || go("queue"),
    "[": () => follow("[data-previous]"),
    "]": () => follow("[data-next]"),
    Enter: open,
    n: () => change(1),
    p: () => change(-1),
    i: view,
    ".": menu,
    o: () => {
      const on = document.activeElement;
      if (on.matches("a[data-item]")) on.click();
      return on.matches("a[data-item]");
    },
    "/": () => focusOn("#find"),
    "?": showKeys,
  };

  // Esc closes what is open and puts the focus back on what opened it; from a field it leads back to what the field is
  // in, where single keys work again.
  function close(target) {
    const open = target.closest("details.me[open], details.drop[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (typing(target)) {
      (target.parentElement.closest("[tabindex]") || document.getElementById("main")).focus({ preventScroll: true });
    }
    return Boolean(open);
  }

  let leading = false;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    if (event.ctrlKey) {
      if (event.key === "Enter" && event.target.matches("textarea") && event.target.form) {
        const button = event.target.form.querySelector("[data-default]");
        if (button) button.focus();
      }
      return;
    }
    if (event.key === "Escape" && !event.isComposing && close(event.target)) return;
    if (document.documentElement.dataset.singleKeys === "off") return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const acted = leading ? go(places[event.key]) : (keys[event.key] || (() => false))();
    leading = !leading && event.key === "g";
    if (acted) event.preventDefault();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-show-keys]") && showKeys()) event.preventDefault();
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (!copy) return;
    const source = document.getElementById(copy.dataset.copy);
    await navigator.clipboard.writeText(source.textContent);
    const label = copy.textContent;
    copy.textContent = "Copied";
    window.setTimeout(() => { copy.textContent = label; }, 1500);
  });

  // One form per line: asking for it again goes to the one that is open, and Cancel puts it away.
  const formBelow = (row) => row && row.nextElementSibling && row.nextElementSibling.querySelector("form.thread");
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.target.matches("a.say")) return;
    const open = formBelow(event.target.closest("tr"));
    if (!open) return;
    event.preventDefault();
    open.querySelector("textarea").focus();
  });
  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-cancel]")?.closest("tr");
    if (!row) return;
    event.preventDefault();
    const link = row.previousElementSibling?.querySelector("a.say");
    row.remove();
    if (link) link.focus();
  });

  // The way to the decision is not shown over the decision. What stands beside the change stays in sight where it fits
  // into the window; otherwise it goes with the page.
  const decisionSeen = new IntersectionObserver(([seen]) => document.querySelector(".dock")?.classList.toggle("away", seen.isIntersecting));
  const fit = () => {
    const rail = document.querySelector(".review > .rail");
    if (rail) rail.classList.toggle("tall", !rail.classList.toggle("fits", rail.offsetHeight <= window.innerHeight - 80));
  };
  const railSized = new ResizeObserver(fit);
  window.addEventListener("resize", fit);
  function watch() {
    const decision = document.querySelector(".review #decision");
    if (!decision) return;
    decisionSeen.disconnect();
    decisionSeen.observe(decision);
    railSized.disconnect();
    railSized.observe(decision.closest(".rail"));
  }
  watch();

  // Paper gets the whole change, however little of it the page shows.
  window.addEventListener("beforeprint", () => {
    const shown = document.getElementById("change");
    const part = shown?.querySelector("[data-print]");
    if (!part) return;
    const asked = new XMLHttpRequest();
    asked.open("GET", part.dataset.print, false); // printing waits for nothing else
    asked.setRequestHeader("HX-Request", "true");
    asked.setRequestHeader("HX-Target", "change");
    try {
      asked.send();
    } catch {
      return;
    }
    const whole = asked.status === 200 && new DOMParser().parseFromString(asked.responseText, "text/html").getElementById("change");
    if (!whole) return;
    shown.replaceWith(whole);
    window.addEventListener("afterprint", () => whole.replaceWith(shown), { once: true });
  });

  // A second press while the first is under way would only be refused; it is not sent at all.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });

  // What just happened is where reading goes on.
  const announce = () => {
    const wrong = document.querySelector(".field.wrong :is(input, select, textarea)");
    const note = wrong || document.querySelector("[data-announce]");
    // Or the browser would go back to where the page stood before it was sent.
    if (note) history.scrollRestoration = "manual";
    if (note) note.focus();
    if (wrong) wrong.closest(".field").scrollIntoView({ block: "nearest" });
  };

  // What was wrong is not any more once it is changed; sending it again tells.
  document.addEventListener("input", (event) => {
    const field = event.target.closest(".field.wrong");
    if (!field) return;
    field.classList.remove("wrong");
    event.target.removeAttribute("aria-invalid");
    const said = document.getElementById(`${event.target.id}_error`);
    if (said) said.hidden = true;
  });
  announce();
  document.addEventListener("htmx:afterSettle", (event) => {
    for (const form of document.forms) delete form.dataset.sent;
    if (event.detail.elt !== document.body) return;
    watch();
    announce();
  });

  // Where a part of the page is swapped, the focus stays where it was: on the same link, or on the summary that hides
  // it; if that is gone, in the row that came in its place; else on what the part is called.
  const rows = (part) => [...part.querySelectorAll("tbody tr, .quotes > li")];
  let left = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    const on = document.activeElement;
    if (!part.id || part === on || !part.contains(on)) return;
    const at = rows(part).findIndex((row) => row.contains(on) || on.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING);
    left = { id: part.id, href: on.getAttribute("href"), row: at < 0 ? rows(part).length : at };
  });
  function stay() {
    const part = left && document.getElementById(left.id);
    if (part && document.activeElement === document.body) {
      const same = left.href && [...part.querySelectorAll("a")].find((link) => link.getAttribute("href") === left.href);
      const row = rows(part)[left.row];
      const next = same?.closest("details:not([open])")?.querySelector("summary") || same || row?.querySelector("a") || row || part.querySelector("h1, h2") || part;
      if (!next.matches("a, summary")) next.tabIndex = -1;
      next.focus({ preventScroll: Boolean(same) });
    }
    left = null;
  }
  document.addEventListener("htmx:afterSettle", stay);

  const trouble = (is) => {
    for (const form of document.forms) delete form.dataset.sent;
    const note = document.getElementById("trouble");
    if (note) note.hidden = !is;
  };
  document.addEventListener("htmx:sendError", () => trouble(true));
  document.addEventListener("htmx:responseError", (event) => trouble(event.detail.xhr.status !== 401));
  document.addEventListener("htmx:beforeSwap", () => {
    const note = document.getElementById("trouble");
    if (note && !note.hidden) note.hidden = true;
  });
})();
