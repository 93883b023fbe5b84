"""Who is known already: a signed link that names a lead, and what the form then need not ask."""

import datetime as dt

from django.conf import settings
from django.core import signing
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from leads.intake.forms import content as form
from leads.models import Handoff, Lead, Place

SALT = "forms.known"
VALID = dt.timedelta(days=30)
NEVER = (Place.Where.DISQUALIFIED, Place.Where.SUSPECTED, Place.Where.ERASED)
LINKED = ("email", "first_name", "link", "valid_until")
ASKED_ANYWAY = (form.CONSENT, form.HIDDEN)


def known_link(form_, lead):
    """The address of a form that does not ask `lead` what is known, valid for VALID; None where it has no e-mail."""
    if not lead.email:
        return None
    key = signing.dumps({"form": form_.slug, "lead": lead.pk}, salt=SALT)
    return f"{settings.PORTAL_URL.rstrip('/')}{reverse('form_public', args=[form_.slug])}?k={key}"


def reachable():
    """The Leads that a link may be sent to, in the order of their ids: with an e-mail address, held by no rep, and
    neither suspected nor never to be contacted again."""
    held = Handoff.objects.undecided().filter(lead=OuterRef("pk"))
    never = Place.objects.filter(lead=OuterRef("pk"), place__in=NEVER)
    return Lead.objects.filter(~Exists(held), ~Exists(never), email__isnull=False).order_by("pk")


def link_rows(form_, leads, *, at):
    """Rows of LINKED, one at a time."""
    until = timezone.localtime(at + VALID)
    for lead in leads.iterator(chunk_size=1000):
        yield lead.email, lead.first_name, known_link(form_, lead), until


def lead_of(form_, key):
    """The Lead that a link's key names, or None where the key is not ours, expired, or of another form."""
    try:
        said = signing.loads(key, salt=SALT, max_age=VALID)
    except signing.BadSignature:
        return None
    if not isinstance(said, dict) or said.get("form") != form_.slug:
        return None
    return Lead.objects.filter(pk=said.get("lead"), email__isnull=False).first()


def known_answers(content, lead):
    """{key: value} of the questions that the lead's facts answer already; consents are asked every time."""
    if lead is None:
        return {}
    facts, found = lead.facts(), {}
    for question in content.questions:
        value = _fact(question, facts)
        if value not in (None, "", []) and question.type not in ASKED_ANYWAY:
            found[question.key] = value
    return found


def _fact(question, facts):
    """What the lead's facts say to a question, as its answer."""
    if question.fills == form.WHOLE_NAME:
        return " ".join(filter(None, (facts["first_name"], facts["last_name"])))
    if question.fills.startswith("attributes."):
        value = facts["attributes"].get(question.fills.removeprefix("attributes."))
    else:
        value = facts.get(question.fills) if question.fills else None
    answers = {choice.fact: choice.value for choice in question.choices if choice.fact is not None}
    if isinstance(value, list):
        return [answers.get(each, each) for each in value]
    return answers.get(value, value) if isinstance(value, str | int) else None
