/* A figure opens the very leads behind it in a panel beside the page; without this file it opens their list.

   - #drill             the panel; its data-drills is the address of the list. Any link of the page to that address with
                        a question is shown in it, whatever part it came with; with Ctrl and the like it opens as ever.
                        data-more is added to the question
   - [data-drill-close] in the panel closes it and gives the focus back to the figure; so does Escape, by data-key */
(() => {
  "use strict";
  let opener = null;
  const panel = () => document.getElementById("drill");

  const mark = (link) => {
    document.querySelector("[data-drilled]")?.removeAttribute("data-drilled");
    link?.setAttribute("data-drilled", "");
  };

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const drill = panel();
    if (!drill) return;
    if (event.target.closest("[data-drill-close]")) {
      event.preventDefault();
      drill.replaceChildren();
      mark(null);
      opener?.isConnected ? opener.focus() : document.getElementById("main").focus();
      return;
    }
    const link = event.target.closest("#main a[href]");
    if (!link || drill.contains(link) || link.hasAttribute("download")) return;
    const url = new URL(link.getAttribute("href"), location.href);
    if (url.pathname !== drill.dataset.drills || !url.search) return;
    event.preventDefault();
    opener = link;
    mark(link);
    htmx.ajax("GET", url.pathname + url.search + (drill.dataset.more ? `&${drill.dataset.more}` : ""), { target: "#drill", swap: "innerHTML" });
  });
})();
