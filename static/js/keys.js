/* Single keys for the inbox, and where the focus goes after a part was swapped.

   The page says what the keys do; this file only presses its buttons:
   - data-key="c"       the key that clicks this element (c, a, r, z, "/", "escape"); the first visible one counts
   - .lead-row          J and K open the next and previous row's .lead-name; X ticks its .lead-check box
   - data-lead="48213"  inside #lead: the lead shown there; #lead-row-48213 is marked as the current row
   - .palette           its radios carry data-digits="41" (or value="41"): two digits choose one. data-asks="ID" on a
                        radio names the field to fill in first; without it the choice sends the form at once
   - data-answers       a form of questions: Y, N and U choose the radio with that data-answer in the question that has
                        the focus, else in the first without an answer; after the last one [data-then] takes the focus
   - data-focus         in an answer: takes the focus (the new lead's h2, the alert, the panel's first radio)
   - body data-keys     "off" turns the single characters off (WCAG 2.1.4); Escape is no character and stays */
(() => {
  "use strict";
  const ONE = (selector, from = document) => from.querySelector(selector);
  const ALL = (selector, from = document) => [...from.querySelectorAll(selector)];
  const visible = (element) => element.checkVisibility();
  let digit = "";            // the category's digit, waiting for the reason's
  let focusNext = null;      // where Escape wants the focus after the panel has gone
  let hadFocus = false;      // whether the part being replaced is the one that was worked in

  const isTyping = (element) =>
    element.isContentEditable || element.matches("textarea, select") ||
    (element.matches("input") && !element.matches("[type=radio], [type=checkbox], [type=submit], [type=button]"));

  const isBusy = () => ONE("[data-key].htmx-request, .reject.htmx-request, [data-answers].htmx-request, .lead-name.htmx-request") !== null;

  const press = (key) => {
    const able = ALL(`[data-key="${CSS.escape(key)}"]`).filter((element) => visible(element) && !element.disabled);
    const target = able.find((element) => element.matches("input")) ?? able[0];
    if (!target) return false;
    if (target.matches("input")) target.focus();
    else target.click();
    return true;
  };

  /* Rows */
  const links = () => ALL(".lead-row .lead-name").filter(visible);
  const shownLead = () => ONE("#lead[data-lead], #lead [data-lead]")?.dataset.lead;
  const currentLink = () =>
    ONE(`#lead-row-${CSS.escape(shownLead() ?? "")} .lead-name`) ?? ONE('.lead-row .lead-name[aria-current="true"]') ??
    document.activeElement.closest(".lead-row")?.querySelector(".lead-name");

  const move = (step) => {
    const all = links();
    if (!all.length) return false;
    const at = all.indexOf(currentLink());
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
    if (!all[next]) return false;
    all[next].scrollIntoView({ block: "nearest" });
    all[next].click();
    return true;
  };

  const select = () => {
    const box = currentLink()?.closest(".lead-row").querySelector(".lead-check input");
    box?.click();
    return Boolean(box);
  };

  const markCurrent = () => {
    const id = shownLead();
    if (!id) return;
    for (const link of ALL(".lead-row .lead-name")) {
      if (link.closest(".lead-row").id === `lead-row-${id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };

  /* The reject palette: category digit, reason digit */
  const digitsOf = (radio) => radio.dataset.digits ?? radio.value;

  const choose = (pressed) => {
    const palette = ALL(".palette").find(visible);
    if (!palette) return false;
    const radios = ALL('input[type="radio"]', palette);
    const wanted = radios.find((radio) => digit && digitsOf(radio) === digit + pressed);
    if (!wanted) {
      const first = radios.find((radio) => digitsOf(radio).startsWith(pressed));
      digit = first ? pressed : "";
      first?.focus();
      return true;
    }
    digit = "";
    wanted.focus();
    wanted.click();
    if ("asks" in wanted.dataset) fieldFor(wanted)?.focus();
    else wanted.form.requestSubmit();
    return true;
  };

  const fieldFor = (radio) =>
    document.getElementById(radio.dataset.asks) ?? ALL("input, select, textarea", radio.form).find((field) => isTyping(field) && visible(field));

  /* One question after the other */
  const answer = (key) => {
    const asks = ALL('[data-answers] [role="radiogroup"]');
    const here = asks.find((ask) => ask.contains(document.activeElement)) ?? asks.find((ask) => !ONE(":checked", ask));
    const radio = here && ONE(`[data-answer="${CSS.escape(key)}"]`, here);
    if (!radio) return false;
    radio.click();
    const next = asks[asks.indexOf(here) + 1];
    (next ? ONE(":checked, input", next) : ONE("[data-answers] [data-then]"))?.focus();
    return true;
  };

  /* Keys */
  const escape = (target) => {
    digit = "";
    if (ONE(":popover-open") || (target.matches("input[type=search]") && target.value)) return false;
    focusNext = '[data-key="r"]';
    const pressed = press("escape");
    if (!pressed) focusNext = null;
    return pressed;
  };

  const single = (key) => {
    if (key === "j") return move(1);
    if (key === "k") return move(-1);
    if (key === "x") return select();
    if (/^[0-9]$/.test(key)) return choose(key);
    if ("ynu".includes(key) && answer(key)) return true;
    if (key === "?") return ONE("#keys-sheet")?.togglePopover() !== undefined;
    return press(key);
  };

  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (key === "Escape") {
      if (escape(target)) event.preventDefault();
      return;
    }
    const isLetter = key.toLowerCase() !== key.toUpperCase();
    if (key.length !== 1 || (isLetter && event.shiftKey) || document.body.dataset.keys !== "on") return;
    if (isTyping(target) || (key !== "?" && ONE(":popover-open")) || isBusy()) return;
    if (event.repeat && !"jk".includes(key)) return;
    if (single(key.toLowerCase())) event.preventDefault();
  });

  /* Focus after a swap */
  document.addEventListener("htmx:beforeSwap", () => { hadFocus = document.activeElement !== document.body; });

  document.addEventListener("htmx:load", ({ detail: { elt } }) => {
    if (elt === document.body) return markCurrent();
    digit = "";
    const wanted = (focusNext && (elt.matches(focusNext) ? elt : ONE(focusNext, elt))) || (elt.matches("[data-focus]") ? elt : ONE("[data-focus]", elt));
    if (wanted) {
      focusNext = null;
      wanted.focus({ preventScroll: wanted.matches("input[type=radio]") });
    }
    if (elt.closest("#lead") || elt.id === "lead" || elt.id === "list") markCurrent();
  });

  document.addEventListener("htmx:afterSettle", ({ detail: { target } }) => {
    if (!hadFocus || document.activeElement !== document.body) return;
    const place = target?.isConnected && target !== document.body ? target : ONE("#main");
    if (!place.matches("a, button, input, select, textarea, [tabindex]")) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
})();
