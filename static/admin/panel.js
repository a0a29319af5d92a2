// The script of the Latchkey panel. Every page works without it. No dependencies.
// Order: tools, keys, copying, forms, selecting rows, times, passwords, time zone.
"use strict";

const all = (selector) => [...document.querySelectorAll(selector)];

/** Announces a text to screen readers, without moving the focus. */
const say = (text) => { document.getElementById("said")?.replaceChildren(text); };

// ---- keys: "/" searches, "?" shows the shortcuts, Esc closes ----

const help = document.getElementById("help");
const openHelp = () => { if (help && !help.open) help.showModal(); };
document.getElementById("help-open")?.addEventListener("click", openHelp);
help?.addEventListener("click", (event) => { if (event.target === help) help.close(); });

const closeMenus = (except) => {
  for (const menu of all("details.drop[open]")) {
    if (menu === except) continue;
    const hadFocus = menu.contains(document.activeElement);
    menu.open = false;
    if (hadFocus) menu.querySelector("summary").focus();
  }
};
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.drop")));

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return closeMenus();
  const isTyping = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || help?.open) return;
  if (event.key === "?") openHelp();
  const find = document.getElementById("find");
  if (event.key === "/" && find) {
    event.preventDefault();
    find.focus();
    find.select();
  }
});

// ---- copying: <button data-copy="text">, or the text of the element before the button ----

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.dataset.copy || button.previousElementSibling.textContent.trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return say("This browser does not allow copying here.");
  }
  say("Copied");
  button.classList.add("done");
  setTimeout(() => { button.classList.remove("done"); say(""); }, 2000);
});

// ---- each form is submitted once; going back enables it again ----

const sent = new Set();
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (sent.has(form)) return event.preventDefault();
  sent.add(form);
  form.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  sent.clear();
  for (const form of all("form[aria-busy]")) form.removeAttribute("aria-busy");
});

// ---- selecting rows: all of this page, or with Shift a range ----

for (const table of all("table.list:has([name=selected])")) {
  const boxes = [...table.querySelectorAll("[name=selected]")];
  const head = document.createElement("input");
  head.type = "checkbox";
  const label = document.createElement("label");
  const words = document.createElement("span");
  words.className = "sr";
  words.textContent = "Select all on this page";
  label.append(head, words);
  const show = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    head.checked = ticked === boxes.length;
    head.indeterminate = ticked > 0 && !head.checked;
  };
  let last;
  table.querySelector("thead th").replaceChildren(label);
  head.addEventListener("change", () => { for (const box of boxes) box.checked = head.checked; });
  table.addEventListener("click", ({ target, shiftKey }) => {
    const here = boxes.indexOf(target);
    if (here < 0) return;
    if (shiftKey && last !== undefined) {
      for (const box of boxes.slice(Math.min(here, last), Math.max(here, last))) box.checked = target.checked;
    }
    last = here;
    show();
  });
  addEventListener("pageshow", show);
}

// ---- times: keeps "3 minutes ago" up to date, by the server's clock ----

const ahead = Date.parse(document.body.dataset.now) - Date.now() || 0;
const UNITS = [[31536000, "year"], [2592000, "month"], [86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];

const relative = (seconds) => {
  if (seconds === 0) return "just now";
  const [size, unit] = UNITS.find(([size]) => Math.abs(seconds) >= size);
  const count = Math.floor(Math.abs(seconds) / size);
  const length = `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`;
  return seconds > 0 ? `in ${length}` : `${length} ago`;
};

setInterval(() => {
  for (const time of all("time.rel")) {
    time.textContent = relative(Math.trunc((Date.parse(time.dateTime) - Date.now() - ahead) / 1000));
  }
}, 30000);

// ---- passwords: <ul data-rules="id of the field">, ticks each rule that is met, if it can be checked ----

for (const list of all("[data-rules]")) {
  const field = document.getElementById(list.dataset.rules);
  const again = document.getElementById(list.dataset.again);
  const check = () => {
    const characters = Array.from(field.value).length;
    const bytes = new TextEncoder().encode(field.value).length;
    for (const rule of list.querySelectorAll("[data-least], [data-most], [data-same]")) {
      const { least, most, same } = rule.dataset;
      const isMet = bytes > 0 && (same === undefined || again?.value === field.value)
        && characters >= Number(least ?? 0) && bytes <= Number(most ?? Infinity);
      rule.classList.toggle("met", isMet);
      rule.querySelector(".sr").textContent = isMet ? "met: " : "not met: ";
    }
  };
  field?.addEventListener("input", check);
  again?.addEventListener("input", check);
}

// ---- time zone: uses the one of this browser ----

for (const button of all("[data-zone-for]")) {
  const select = document.getElementById(button.dataset.zoneFor);
  button.addEventListener("click", () => {
    select.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (select.value) select.form.requestSubmit();
    else say("This browser's time zone is not in the list.");
  });
}
