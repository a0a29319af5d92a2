// Passkeys, on the pages that create one or ask for one. Without JavaScript, users choose another method.
// <form … <input type="hidden" name="credential"> <button type="button" class="btn scripted" data-passkey="get"
// data-options="…"> <p role="alert" data-trouble>: the button asks the browser and submits the form with its response.
"use strict";

/** The browser's errors in words (WebAuthn Level 3, 5.1.3 and 5.1.4). */
const ERRORS = {
  NotAllowedError: "That didn’t work. You cancelled, it timed out, or this device has no passkey for this site.",
  InvalidStateError: "This device already has a passkey for your account.",
};

/** Each passkey belongs to one site. */
const elsewhere = ({ publicKey }) =>
  `Passkeys only work at ${publicKey.rpId ?? publicKey.rp.id}, but this page was opened at ${location.hostname}. Open it there.`;

/** Asks the browser to use a passkey ("get") or to create one ("create"). */
const ask = async (way, { publicKey }) => {
  const credential = way === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  return JSON.stringify(credential.toJSON());
};

for (const button of document.querySelectorAll("[data-passkey]")) {
  const form = button.form;
  const alert = form.querySelector("[data-trouble]");
  // Enter in a field submits the form without a button: then the passkey is meant.
  form.addEventListener("submit", (event) => {
    if (event.submitter) return;
    event.preventDefault();
    button.click();
  });
  button.addEventListener("click", async () => {
    alert.textContent = "";
    if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
      alert.textContent = "This browser does not support passkeys, or the page was not opened over HTTPS.";
      return;
    }
    button.disabled = true;
    const options = JSON.parse(button.dataset.options);
    try {
      form.elements.credential.value = await ask(button.dataset.passkey, options);
      form.submit();
    } catch (error) {
      const isElsewhere = error.name === "SecurityError";
      alert.textContent = isElsewhere ? elsewhere(options) : ERRORS[error.name] ?? "The browser could not complete this.";
      button.disabled = false;
    }
  });
}
