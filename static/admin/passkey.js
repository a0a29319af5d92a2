// Passkeys on the pages that enrol them or ask for one; without scripts there are none, and the other methods stay.
// <form … <input type="hidden" name="credential"> <button type="button" class="btn scripted" data-passkey="get"
// data-options="…"> <p role="alert" data-trouble>: the button asks the browser, and sends the form with its answer.
"use strict";

/** What the browser's names of failures mean here (WebAuthn Level 3, 5.1.3 and 5.1.4). */
const TROUBLES = {
  NotAllowedError: "Nothing came of it: it was cancelled, it took too long, or this device has no passkey for here.",
  InvalidStateError: "This device has a passkey for your account already.",
};

/** Passkeys are for one site, and the browser takes it at its word. */
const elsewhere = ({ publicKey }) =>
  `Passkeys are for ${publicKey.rpId ?? publicKey.rp.id}, and this page was opened at ${location.hostname}. Open it there.`;

/** Asks the browser for a passkey that it has ("get"), or for a new one ("create"). */
const ask = async (way, { publicKey }) => {
  const found = way === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return JSON.stringify(found.toJSON());
};

for (const button of document.querySelectorAll("[data-passkey]")) {
  const form = button.form;
  const trouble = form.querySelector("[data-trouble]");
  // Enter in a field sends the form by itself: without a button that was pressed it is the passkey that is meant.
  form.addEventListener("submit", (event) => {
    if (event.submitter) return;
    event.preventDefault();
    button.click();
  });
  button.addEventListener("click", async () => {
    trouble.textContent = "";
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      trouble.textContent = "This browser is too old for passkeys, or the page was not opened by https.";
      return;
    }
    button.disabled = true;
    const options = JSON.parse(button.dataset.options);
    try {
      form.elements.credential.value = await ask(button.dataset.passkey, options);
      form.submit();
    } catch (error) {
      const isElsewhere = error.name === "SecurityError";
      trouble.textContent = isElsewhere ? elsewhere(options) : TROUBLES[error.name] ?? "The browser could not do it.";
      button.disabled = false;
    }
  });
}
