// Passkeys: the browser asks for finger, face, PIN or key, and the form carries its answer.
(() => {
  "use strict";

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  function read(options) {
    const asked = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (asked.user) {
      asked.user = { ...asked.user, id: bytes(asked.user.id) };
    }
    return { ...asked, allowCredentials: known(asked.allowCredentials), excludeCredentials: known(asked.excludeCredentials) };
  }

  function write(found) {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) {
        response[name] = text(found.response[name]);
      }
    }
    return JSON.stringify({
      id: found.id, rawId: text(found.rawId), type: found.type, response,
      clientExtensionResults: found.getClientExtensionResults(),
    });
  }

  async function optionsOf(form) {
    if (form.dataset.options) {
      return JSON.parse(form.dataset.options);
    }
    const answer = await fetch(form.action, { headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok) {
      throw new Error(answer.status === 429 ? "Too many tries; wait a minute." : "The board did not answer; try again.");
    }
    return (await answer.json()).request_options;
  }

  async function ask(form) {
    const publicKey = read(await optionsOf(form));
    if (form.dataset.passkey === "get") {
      return navigator.credentials.get({ publicKey });
    }
    const alone = form.elements.passwordless.checked;
    publicKey.authenticatorSelection = {
      ...publicKey.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged", requireResidentKey: alone,
      userVerification: alone ? "required" : "preferred",
    };
    return navigator.credentials.create({ publicKey });
  }

  function say(form, error) {
    const told = {
      NotAllowedError: "The browser got no answer. Try again, or choose another way.",
      InvalidStateError: "This device has a passkey for you already.",
      SecurityError: "Passkeys need a name in the address, such as https://board.example or http://localhost.",
    };
    const place = form.querySelector("[data-trouble]");
    place.textContent = told[error.name] || error.message;
    place.hidden = false;
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    if (!window.PublicKeyCredential) {
      say(form, new Error("This browser knows no passkeys, or the address does not begin with https."));
      form.querySelector("button").disabled = true;
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        form.elements.credential.value = write(await ask(form));
        form.submit();
      } catch (error) {
        say(form, error);
      }
    });
  }
})();
