/* Small help for forms; everything here has a plain way without it.

   - data-autosubmit    a select (or its form) that sends itself when it changes; its button stands in <noscript>
   - name="theme"       shown at once, saved by the form around it; name="keys" likewise
   - #offline           the notice while the server cannot be reached
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

  if (location.hash === "#search") document.getElementById("search")?.focus();
})();
