"""What the browser journeys share: a page that stands still, looked at by axe."""

from axe_playwright_python.base import AXE_SCRIPT, AxeResults

# true once no colour fades from one theme to the other; a spinner that never ends does not count
STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""
# What axe finds, by the rules of colours and by all others apart. Colours cost it most: an element whose own style and
# whose ancestors' styles are as they were when this page was last looked at, in whatever theme or width, was judged.
LOOK = """async (others) => {
    const options = {resultTypes: ["violations"], preload: false}, found = [];
    const colours = ["color-contrast", "link-in-text-block"];
    const {looks, judged} = (window.lookedAt ??= {looks: new Map(), judged: new Map()});
    const said = (style) => [style.color, style.backgroundColor, style.backgroundImage, style.opacity, style.fontSize,
        style.fontWeight, style.textShadow, style.textDecorationLine].join();
    const look = new Map(), fresh = [];
    for (const one of document.querySelectorAll("body, body *")) {
        if (!one.checkVisibility({visibilityProperty: true})) continue;
        const whole = `${look.get(one.parentElement)} ${said(getComputedStyle(one))}`;
        if (!looks.has(whole)) looks.set(whole, looks.size);
        look.set(one, looks.get(whole));
        if (!judged.has(one)) judged.set(one, new Set());
        if (!judged.get(one).has(look.get(one)) && !fresh.some((above) => above.contains(one))) fresh.push(one);
        judged.get(one).add(look.get(one));
    }
    if (others) {
        const rules = Object.fromEntries(colours.map((id) => [id, {enabled: false}]));
        found.push(await axe.run(document, {...options, rules}));
    }
    if (fresh.length) found.push(await axe.run({include: fresh}, {...options, runOnly: colours}));
    return {violations: found.flatMap((one) => one.violations)};
}"""


def check(page, *, others=True):
    """Fails with axe's report when the page as it stands has an accessibility violation."""
    page.wait_for_function(STILL)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = AxeResults(page.evaluate(LOOK, others))
    assert found.violations_count == 0, found.generate_report()


def look_at(page, looks):
    """Yields each (theme, width) of `looks` once the page was checked in it.

    In one width all that is no colour is the same in every theme, and asked once.
    """
    for place, (theme, width) in enumerate(looks):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        check(page, others=width not in [before for _, before in looks[:place]])
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, theme, width)
        yield theme, width
