/* Small help for forms; everything here has a plain way without it.

   - data-autosubmit    a select (or its form) that sends itself when it changes; its button stands in <noscript>
   - name="theme"       shown at once, saved by the form around it; name="keys" likewise
   - #offline           the notice while the server cannot be reached
   - data-keep          a form that saves itself: what it was sending when no answer came (signed out, no connection)
                        is typed in again when the page is back, for the same person, and sent
   - #search in the address puts the focus into that field */
(() => {
  "use strict";
  const root = document.documentElement;

  document.addEventListener("change", ({ target }) => {
    if (target.name === "theme" && target.closest("#user-menu")) {
      if (target.value === "system") delete root.dataset.theme;
      else root.dataset.theme = target.value;
    }
    if (target.name === "keys" && target.closest("#user-menu")) document.body.dataset.keys = target.checked ? "on" : "off";
    if (target.closest("[data-autosubmit]")) target.form.requestSubmit();
  });

  /* A second click on a plain form must not send it twice; a download or coming Back makes it usable again */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.hasAttribute("data-sent")) event.preventDefault();
    form.setAttribute("data-sent", "");
    setTimeout(() => form.removeAttribute("data-sent"), 5000);
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) form.removeAttribute("data-sent");
  });

  /* No connection: say since when, and take it back with the first answer */
  const flash = () => document.getElementById("flash");
  document.addEventListener("htmx:sendError", () => {
    if (flash().querySelector("[data-offline]")) return;
    const notice = document.getElementById("offline").content.firstElementChild.cloneNode(true);
    notice.dataset.offline = "";
    notice.querySelector("[data-since]").textContent = new Date().toLocaleTimeString("en-GB", { timeStyle: "short" });
    flash().replaceChildren(notice);
  });
  document.addEventListener("htmx:beforeOnLoad", () => flash().querySelector("[data-offline]")?.remove());

  /* data-keep: remembered in this tab from the sending to the answer that it was saved, for who typed it alone */
  const kept = (form) => `kept:${document.body.dataset.person}:${form.getAttribute("action")}`;
  const keeps = (event) => event.target.closest?.("form[data-keep]");
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = keeps(event);
    if (!form) return;
    const said = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken" && name !== "seen");
    sessionStorage.setItem(kept(form), JSON.stringify(said));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = keeps(event), answer = event.detail.xhr;
    if (form && answer.status === 200 && !answer.getResponseHeader("HX-Redirect")?.includes("login")) {
      sessionStorage.removeItem(kept(form));
    }
  });
  for (const form of document.querySelectorAll("form[data-keep]")) {
    const said = sessionStorage.getItem(kept(form));
    if (!said) continue;
    const values = new Map();
    for (const [name, value] of JSON.parse(said)) values.set(name, [...(values.get(name) ?? []), value]);
    for (const field of form.elements) {
      if (!field.name || field.type === "hidden") continue;
      if (field.type === "checkbox") field.checked = values.get(field.name)?.includes(field.value) ?? false;
      else if (values.has(field.name)) field.value = values.get(field.name)[0];
    }
    addEventListener("load", () => form.requestSubmit());
  }

  if (location.hash === "#search") document.getElementById("search")?.focus();
})();
