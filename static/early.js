// Keys pressed while the page is still on its way are kept until it is there, then pressed again. Only single keys:
// Enter is never pressed for anybody, so that nothing is decided that was not seen.
(() => {
  "use strict";

  const pressed = [];
  const keep = (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key.length === 1 && !typing && !event.altKey && !event.ctrlKey && !event.metaKey) pressed.push(event.key);
  };
  document.addEventListener("keydown", keep);
  // By then every script of the page has run.
  document.addEventListener("DOMContentLoaded", () => {
    document.removeEventListener("keydown", keep);
    for (const key of pressed) (document.activeElement || document.body).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });
})();
