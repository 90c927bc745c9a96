// Counters follow the board by themselves; lists offer to; what somebody reads or writes stays where it is.
(() => {
  "use strict";

  const SOON = 10_000;
  const LATE = 60_000;
  const AWAY = 60_000;
  const source = document.documentElement.dataset.updates;
  const said = document.getElementById("said");
  if (!source || !said) return;

  let etag = "";
  let since = "";
  let pause = SOON;
  let timer = 0;
  let hiddenAt = 0;

  const page = () => document.querySelector("[data-live]");
  const plural = (count, noun) => (count === 1 ? `1 ${noun}` : `${count} ${noun}s`);

  function ago(at) {
    const minutes = Math.floor((Date.now() - Date.parse(at)) / 60_000);
    if (minutes < 1) return "just now";
    if (minutes < 60) return `${plural(minutes, "minute")} ago`;
    return `${plural(Math.floor(minutes / 60), "hour")} ago`;
  }

  function address() {
    const here = page();
    const query = new URLSearchParams();
    if (since) query.set("since", since);
    if (here && here.dataset.proposal) query.set("proposal", here.dataset.proposal);
    if (here && here.dataset.document) query.set("document", here.dataset.document);
    return `${source}?${query}`;
  }

  async function ask() {
    window.clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(address(), { headers: etag ? { "If-None-Match": etag } : {}, redirect: "manual", cache: "no-store" });
      if (answer.type === "opaqueredirect" || answer.status === 401) return signedOut();
      if (answer.status === 403) return;
      if (answer.status === 200) {
        etag = answer.headers.get("ETag") || "";
        take(await answer.json());
      }
      pause = answer.ok || answer.status === 304 ? SOON : Math.min(pause * 2, LATE);
    } catch {
      pause = Math.min(pause * 2, LATE);
    }
    timer = window.setTimeout(ask, pause);
  }

  function take(news) {
    for (const count of document.querySelectorAll("[data-turn-count]")) {
      count.hidden = news.turn === 0;
      count.firstChild.textContent = String(news.turn);
    }
    const here = page();
    if (!since) since = String(news.newest);
    if (here) subject(here, news);
    else if (document.getElementById("board")) queue(news);
  }

  function queue(news) {
    document.title = document.title.replace(/^(?:\(\d+\) )?/, news.turn ? `(${news.turn}) ` : "");
    if (!news.fresh) return;
    if (hiddenAt && Date.now() - hiddenAt > AWAY) refresh();
    else offer(plural(news.fresh, "new change"), "Refresh", refresh);
  }

  function subject(here, news) {
    const now = news.proposal;
    if (now && (now.revision !== Number(here.dataset.revision) || now.status !== here.dataset.status)) {
      offer(`${now.said} ${ago(now.at)}`, "Look", () => window.location.assign(here.dataset.look));
    } else if (news.document && news.document.version !== Number(here.dataset.version)) {
      offer(`Version ${news.document.version} became current ${ago(news.document.at)}`, "Look", () => window.location.assign(here.dataset.look));
    }
  }

  function refresh() {
    since = "";
    etag = "";
    window.htmx.ajax("GET", window.location.href, { target: "#board", swap: "outerHTML show:none" }).then(() => {
      if (said.contains(document.activeElement)) document.getElementById("main").focus();
      said.replaceChildren();
      ask();
    });
  }

  // One announcement at a time: a new one takes the place of the last, the same one is not repeated.
  function offer(words, act, deed) {
    if (said.dataset.words === words && said.firstChild) return;
    said.dataset.words = words;
    const note = document.createElement("div");
    note.className = "news";
    const text = document.createElement("span");
    text.textContent = words;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small";
    button.textContent = act;
    button.addEventListener("click", deed);
    note.append(text, button);
    said.replaceChildren(note);
  }

  function signedOut() {
    const next = encodeURIComponent(window.location.pathname + window.location.search);
    offer("You are signed out. What you typed is kept in this tab", "Sign in", () => window.location.assign(`${document.documentElement.dataset.signIn}?next=${next}`));
  }

  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401) signedOut();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) hiddenAt = Date.now();
    else ask().then(() => { hiddenAt = 0; });
  });
  ask();
})();
