"""What the builder shows of a draft: its outline, one open panel, what stands in the way of publishing."""

from dataclasses import dataclass

from leads.intake.forms import figures
from leads.intake.forms.builder import edit, mapping, panels, said
from leads.intake.forms.document import ContentError
from leads.intake.forms.faults import Fault
from leads.intake.forms.services.build import faults_of


@dataclass(frozen=True)
class Line:
    """One question in the outline."""

    n: int
    label: str
    short: str
    worth: str
    asked: str
    wrong: bool
    url: str


@dataclass(frozen=True)
class Chapter:
    """One page in the outline, with its questions."""

    n: int
    title: str
    lines: list
    skips: int
    wrong: bool
    url: str


def builder(form_, draft, *, known, part, key, at):
    """The context of the builder with one panel open. Raises LookupError where there is no such panel."""
    document = draft.content
    found = faults(form_, draft, at=at)
    return {
        "form": form_,
        "draft": draft,
        "expects": draft.fingerprint,
        "outline": outline(form_, document, known, {fault.key for fault, _ in found}),
        "faults": found,
        "part": part,
        "key": key,
        "here": panels.address(form_, part, key),
        "kinds": said.TYPES.items(),
        "text_url": panels.address(form_, panels.TEXT, "form"),
        "thanks_url": panels.address(form_, panels.THANKS, "all"),
        "panel": panels.panel(form_, document, known, part, key),
        "after": _after(document, part, key),
        "preview_page": _page_shown(document, part, key),
        "left": _left(form_, document, part, key, at),
        "terms": known,
    }


def outline(form_, document, known, wrong):
    """The pages with their questions, numbered through."""
    questions, chapters, n = {q["key"]: q for q in edit.questions_of(document)}, [], 0
    read = mapping.questions_of(document)
    for place, page in enumerate(document["pages"], 1):
        lines = []
        for question in page["questions"]:
            n += 1
            lines.append(Line(
                n, said.label(question), said.short(question), _worth(known, read.get(question["key"])),
                said.asked(question, questions), question["key"] in wrong, panels.address(form_, panels.QUESTION, n),
            ))  # fmt: skip
        chapters.append(Chapter(
            place, page.get("title", ""), lines, len(page.get("skips", ())), page["key"] in wrong,
            panels.address(form_, panels.PAGE, place),
        ))  # fmt: skip
    return chapters


def faults(form_, draft, *, at):
    """[(Fault, the address of the panel that mends it)] of a draft."""
    try:
        found = faults_of(form_, draft.as_content(), at=at)
    except ContentError as error:  # a draft written before a rule was made stricter
        return [(Fault("unreadable", "", error.sentence), panels.address(form_, panels.TEXT, "form"))]
    places = {q["key"]: (panels.QUESTION, n) for n, q in enumerate(edit.questions_of(draft.content), 1)}
    places = {page["key"]: (panels.PAGE, n) for n, page in enumerate(draft.content["pages"], 1)} | places
    others = {"thanks": (panels.THANKS, "all"), "tier": (panels.THANKS, "all"), "address": (panels.THANKS, "all")}
    return [
        (fault, panels.address(form_, *(places.get(fault.key) or others.get(fault.code) or (panels.TEXT, "form"))))
        for fault in found
    ]


def _worth(known, question):
    points = mapping.worth(known, question).values()
    if most := max(points, default=0):
        return f"up to {most} point{'' if most == 1 else 's'}"
    return "read by the definition" if mapping.reads_question(known, question) else ""


def _page_shown(document, part, key):
    """Key of the page that the preview begins with: the one that is being written."""
    if part in (panels.QUESTION, panels.SHOW, panels.REQUIRE):
        return edit.page_with(document, panels.nth(document, key)["key"])["key"]
    return panels.nth_page(document, key.partition("-")[0])["key"] if part in (panels.PAGE, panels.SKIP) else ""


def _left(form_, document, part, key, at):
    """How many visitors left the published version at the question that is open, in a sentence; "" where none."""
    current = form_.versions.current() if part == panels.QUESTION else None
    if current is None:
        return ""
    told, name = figures.drop_off(current, at=at), panels.nth(document, key)["key"]
    stop = next((stop for stop in told.stops if stop.key == name), None)
    if not (stop and stop.left.k):
        return ""
    most = ", more than at any other" if stop == told.most else ""
    begun, finished = told.figures.begun, told.figures.finished
    return f"Of {begun:,} people who began v{current.number}, {finished:,} finished. {stop.left.k:,} left here{most}."


def _after(document, part, key):
    """Behind which question or page something new is added from here: its key."""
    if part in (panels.QUESTION, panels.SHOW, panels.REQUIRE):
        return panels.nth(document, key)["key"]
    return panels.nth_page(document, key)["key"] if part == panels.PAGE else document["pages"][-1]["key"]
