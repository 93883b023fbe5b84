"""What differs between two versions of a form, in plain words; pure, no Django."""

from leads.intake.forms.builder.said import TYPES, condition, fills, label, short, whom
from sla.words import some

TEXTS = {"title": "Title", "intro": "Introduction", "submit": "Button", "brand": "Company", "privacy": "Privacy"}
BOUNDS = {
    "shortest": "fewest characters", "longest": "most characters", "pattern": "pattern", "min": "least",
    "pattern_says": "words for the pattern", "max": "greatest", "step": "step", "fewest": "fewest answers",
    "most": "most answers", "precision": "asked by the", "parameter": "parameter", "default": "else",
}  # fmt: skip


def differences(old, new):
    """What `new` says otherwise than `old`, both documents: sentences in the order of the form; [] where nothing."""
    before, after = (
        {q["key"]: q for page in document["pages"] for q in page.get("questions", ())} for document in (old, new)
    )
    said = [
        f"{name} was “{old.get(key, '')}”, now “{new.get(key, '')}”."
        for key, name in TEXTS.items()
        if (old.get(key) or "") != (new.get(key) or "")
    ]
    said += [f"“{label(after[key])}” is asked now ({short(after[key])})." for key in after if key not in before]
    said += [f"“{label(before[key])}” is not asked any more." for key in before if key not in after]
    for key in [key for key in after if key in before]:
        said += _question(before[key], after[key], before, after)
    if _order(before, after) != _order(after, before):
        said.append("The questions stand in another order.")
    return said + _pages(old, new, before, after) + _thanks(old, new)


def _order(one, other):
    return [key for key in one if key in other]


def _question(old, new, before, after):
    name, said = f"“{label(new)}”", []
    if label(old) != label(new):
        said.append(f"“{label(old)}” reads {name} now.")
    if old["type"] != new["type"]:
        said.append(f"{name} is {TYPES[new['type']].lower()}, was {TYPES[old['type']].lower()}.")
    if bool(old.get("required")) != bool(new.get("required")):
        said.append(f"{name} {'must be answered now' if new.get('required') else 'may be left out now'}.")
    if old.get("fills", "") != new.get("fills", ""):
        said.append(f"{name} fills {fills(new.get('fills', ''))}, before {fills(old.get('fills', ''))}.")
    if (old.get("help") or "") != (new.get("help") or ""):
        said.append(f"The help of {name} is “{new.get('help', '')}”.")
    for which, always, words in (
        ("show", "is always asked", "asked"),
        ("require", "is required by no condition any more", "required"),
    ):
        was = condition(old[which], before) if old.get(which) else ""
        now = condition(new[which], after) if new.get(which) else ""
        if was != now:
            said.append(
                f"{name} is {words} when {now}."
                if now
                else f"{name} {always or 'is required no more by a condition'}."
            )
    said += _choices(old, new, name)
    said += [
        f"{name}: {words} {new.get(key) or 'none'}, was {old.get(key) or 'none'}."
        for key, words in BOUNDS.items()
        if (old.get(key) or "") != (new.get(key) or "")
    ]
    return said


def _choices(old, new, name):
    before, after = ({c["value"]: c for c in q.get("choices", ())} for q in (old, new))
    said = []
    if added := [after[v].get("label") or v for v in after if v not in before]:
        said.append(f"{name} offers {some(added, 'and')} now.")
    if gone := [before[v].get("label") or v for v in before if v not in after]:
        said.append(f"{name} no longer offers {some(gone, 'or')}.")
    for value in [v for v in after if v in before]:
        was, now = (c[value].get("label") or value for c in (before, after))
        if was != now:
            said.append(f"{name}: “{was}” reads “{now}” now.")
        if before[value].get("fact") != after[value].get("fact"):
            said.append(f"{name}: “{now}” fills {after[value].get('fact', value)} now.")
    return said


def _pages(old, new, before, after):
    """Pages, what they ask where that moved, and their skips."""
    was, now = ({page["key"]: page for page in document["pages"]} for document in (old, new))
    names = {key: page.get("title") or f"page {n}" for n, (key, page) in enumerate(now.items(), 1)}
    said = []
    if len(was) != len(now):
        said.append(f"The form has {len(now)} page{'' if len(now) == 1 else 's'}, had {len(was)}.")
    for key, page in now.items():
        if key in was and (was[key].get("title") or "") != (page.get("title") or ""):
            said.append(f"A page is called “{page.get('title', '')}”, was “{was[key].get('title', '')}”.")
        skips = [(s["to"], condition(s["when"], after)) for s in page.get("skips", ())]
        earlier = [(s["to"], condition(s["when"], before)) for s in was.get(key, {}).get("skips", ())]
        said += [f"After “{names[key]}” the form goes on with “{names.get(to, to)}” when {when}."
                 for to, when in skips if (to, when) not in earlier]  # fmt: skip
        said += [f"After “{names[key]}” nothing is skipped any more when {when}."
                 for to, when in earlier if (to, when) not in skips]  # fmt: skip
    return said


def _thanks(old, new):
    was, now = (document.get("thanks", []) for document in (old, new))
    said = [f"Thank-you for {whom(each, {})}: “{each.get('title') or each.get('redirect')}”, new or changed."
            for each in now if each not in was]  # fmt: skip
    left = {whom(each, {}) for each in now}
    gone = [each for each in was if whom(each, {}) not in left]
    return said + [f"No thank-you for {whom(each, {})} any more." for each in gone]
