"""One visitor on one page of a form: what the page carried, what was posted, and which page comes next."""

import datetime as dt
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import urlsplit

from leads.intake.forms import content as form
from leads.intake.forms.known import known_answers, lead_of
from leads.intake.forms.logic import walk
from leads.intake.forms.public import tokens
from leads.intake.forms.typos import typo_of
from leads.models import Lead
from sla.fingerprint import canonical_json

REFERRER = "referrer"
LONGEST_PARAMETER = 500
SAME_WITHIN = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Visit:
    """A page of a form under way. posted: {key: (texts)}; lead: whom a signed link names, or None."""

    version: object
    content: form.Content
    ticket: tokens.Ticket
    via: str
    posted: dict
    lead: Lead | None = None

    @property
    def form(self):
        return self.version.form

    @property
    def known(self):
        return known_answers(self.content, self.lead)

    def walk(self, until=None):
        return walk(self.content, self.posted, known=self.known, until=until)


def begin(request, version, via, *, at):
    """The Visit of somebody who opens the form: nothing but what the address says of where they come from."""
    lead = lead_of(version.form, request.GET.get("k", ""))
    content = version.as_content()
    hidden = {each.key: _from_address(each, request) for each in content.questions if each.type == form.HIDDEN}
    posted = {key: (text,) for key, text in hidden.items() if text}
    return Visit(version, content, tokens.issue(version, at=at, lead=lead), via, posted, lead)


def resume(request, form_, via):
    """The Visit of a page that was sent back, or None where the page is not ours or its version is gone."""
    ticket = tokens.read(request.POST.get("_token", ""), form_)
    version = ticket and form_.versions.published().filter(number=ticket.version).select_related("form").first()
    if version is None:
        return None
    lead = Lead.objects.filter(pk=ticket.lead, email__isnull=False).first() if ticket.lead else None
    content = version.as_content()
    return Visit(version, content, ticket, via, texts_of(request, content), lead)


def from_elsewhere(request, version, via, *, at):
    """The Visit of a form that another page sent, as if the visitor had typed it here."""
    content = version.as_content()
    ticket = tokens.issue(version, at=at)
    return Visit(version, content, ticket, via, texts_of(request, content))


def comes_from(request, hosts):
    """Whether the browser says that a page of one of the hosts sent this; one that says nothing is not trusted."""
    try:
        host = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:
        return False
    return bool(host) and any(_matches(host, pattern) for pattern in hosts)


def fingerprint_of(visit, *, at):
    """What stands for the token of a page that has none: the same answers within ten minutes are one submission."""
    said = {"form": visit.form.slug, "version": visit.version.number, "said": visit.posted}
    window = int(at.timestamp() // SAME_WITHIN.total_seconds())
    return f"plain:{sha256(canonical_json(said)).hexdigest()[:40]}:{window}"


def anew(visit):
    """The same page, to be sent once more."""
    return replace(visit, ticket=visit.ticket.anew())


def texts_of(request, content):
    """{key: (texts)} of what was posted for questions of the form; everything else is nobody's business."""
    return {key: tuple(request.POST.getlist(key)[: form.MOST_POSTED]) for key in content.by_key if key in request.POST}


def page_asked(request, visit):
    """The key of the page that was sent, the form's first where it names none of them."""
    key = request.POST.get("_page", "")
    return key if any(page.key == key for page in visit.content.pages) else visit.content.pages[0].key


def first_wrong(walked):
    """The key of the first page with something wrong, or None."""
    return next((page for page in walked.pages if any(key in walked.errors for key in walked.asked_of[page])), None)


def unseen(request, visit, walked, page):
    """Keys of questions on the page that it did not show when it was sent: an answer on it opened them."""
    seen = {text.removesuffix("!") for text in request.POST.getlist("_shown")}
    drawn = [key for key in walked.asked_of.get(page, ()) if visit.content.by_key[key].type != form.HIDDEN]
    return [key for key in drawn if key not in seen and key not in visit.posted]


def doubtful(request, visit, walked, page):
    """Addresses on the page that look mistyped, and that the visitor was not asked about yet."""
    told = request.POST.getlist("_hinted")
    mails = [walked.kept.get(key) for key in walked.asked_of.get(page, ()) if _is_email(visit, key)]
    return [mail for mail in mails if mail and typo_of(mail) and mail not in told]


def _matches(host, pattern):
    """Whether a host is the one of the list, or below the one that *. stands before."""
    return host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))


def _is_email(visit, key):
    return visit.content.by_key[key].type == form.EMAIL


def _from_address(question, request):
    """What a hidden question learns from the address, or from where the visitor comes from."""
    if question.parameter == REFERRER:
        return _referrer(request)
    return request.GET.get(question.parameter, "")[:LONGEST_PARAMETER] if question.parameter else ""


def _referrer(request):
    """The page that led here, without what stands behind its path: that may be personal. "" for our own pages."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
        foreign = parts.scheme in ("http", "https") and parts.netloc and parts.netloc != request.get_host()
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}"[:LONGEST_PARAMETER] if foreign else ""
