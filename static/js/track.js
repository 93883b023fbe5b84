/* Tells the portal which pages a known lead views, and of sign-ups; first-party, and only once the visitor agreed.

   <script src="https://handoff.example/static/js/track.js" data-site="site_…" defer></script>

   The visitor is known by a signed token: from ?hv=… of a link or a form's thank-you, or from handoff.identify(token).
   Before consent nothing is stored and nothing is sent. Consent is told by the website, in one of three ways:
     <html data-handoff-consent="yes">  ·  handoff.consent(true)
     document.dispatchEvent(new CustomEvent("handoff:consent", { detail: true }))
   It is taken back by false: the cookie goes, and nothing more is sent. */
(() => {
  "use strict";
  const script = document.currentScript, site = script.dataset.site;
  const collect = new URL("/api/v1/collect", script.src).href;
  const COOKIE = "handoff_visitor", DAYS = 180, TOKEN = /^\d+:[\w-]+:[\w-]+$/;
  let agreed = false, visitor = null, viewed = null;

  const stored = () => document.cookie.split("; ").find((one) => one.startsWith(`${COOKIE}=`))?.slice(COOKIE.length + 1);
  const store = (value, days) => {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${COOKIE}=${value}; Path=/; Max-Age=${days * 86400}; SameSite=Lax${secure}`;
  };
  const id = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  /* The token leaves the address at once: it is not to be shared, nor sent on as a referrer */
  const arrived = () => {
    const address = new URL(location.href), token = address.searchParams.get("hv");
    if (token === null) return;
    address.searchParams.delete("hv");
    history.replaceState(history.state, "", address);
    if (TOKEN.test(token)) visitor = token;
  };

  const send = (kind) => {
    if (!agreed || !visitor || !site) return;
    const query = new URLSearchParams(location.search), utm = {};
    for (const name of ["source", "medium", "campaign", "term", "content"]) {
      if (query.has(`utm_${name}`)) utm[`utm_${name}`] = query.get(`utm_${name}`).slice(0, 200);
    }
    const from = document.referrer && new URL(document.referrer).host;
    const event = {
      kind, id: id(), utm, path: location.pathname.slice(0, 500), title: document.title.slice(0, 200),
      referrer: from && from !== location.host ? from.slice(0, 200) : "",
    };
    fetch(collect, {
      method: "POST", keepalive: true, credentials: "omit", referrerPolicy: "origin",
      headers: { "Content-Type": "application/json" }, body: JSON.stringify({ site, visitor, events: [event] }),
    }).then((answer) => { if (answer.status === 422) { visitor = null; store("", 0); } }).catch(() => {});
  };

  /* A page that is rendered ahead was not viewed yet */
  const view = () => {
    if (!agreed || !visitor) return;
    store(visitor, DAYS);
    if (document.prerendering) return document.addEventListener("prerenderingchange", view, { once: true });
    if (viewed === location.pathname) return;
    viewed = location.pathname;
    send("page_viewed");
  };

  const consent = (yes) => {
    agreed = yes === true;
    if (!agreed) { visitor = null; return store("", 0); }
    visitor ??= stored() || null;
    view();
  };

  arrived();
  window.handoff = {
    consent,
    identify: (token) => { if (TOKEN.test(token)) { visitor = token; view(); } },
    viewed: view,
    signedUp: () => send("signed_up"),
  };
  document.addEventListener("handoff:consent", (event) => consent(event.detail));
  if (document.documentElement.dataset.handoffConsent === "yes") consent(true);
})();
