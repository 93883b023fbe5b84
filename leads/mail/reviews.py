"""The conversion review that both leaders get before they meet: its agenda, read at delivery."""

import datetime as dt
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from leads import figures
from leads.audit.review import agenda, review, worst_words
from leads.mail.documents import tables
from leads.mail.kinds import REVIEW
from leads.periods import Span
from portal.accounts.models import User
from portal.outbox.mail import Mail, writes
from portal.shared.text import interval, percent

NAMED = 5  # leads that the letter names


@writes("digest.review", REVIEW)
def conversion(payload):
    """None where nothing was delivered or decided in these days, and nothing waits."""
    span, at = Span.parse(payload["span"]), dt.datetime.fromisoformat(payload["at"])
    zone = timezone.get_default_timezone()  # the figures' zone is the organisation's, whoever reads
    page = review(span, figures.PERIOD, as_of=at, zone=zone)
    found = agenda(page, person=User.objects.get(pk=payload["person"]))
    counts = page.series[-1].counts
    if not (counts.mqls or counts.sqls or counts.rejected or found.waits):
        return None
    lines = [f"{page.headline}{_rate(page.audit)}."]
    for title, items in (
        ("Waits for somebody", found.waits),
        ("Moved beyond chance", found.real),
        ("Noise, so no need to explain it", found.noise),
    ):
        lines += ["", f"{title}:", *(f"- {item.text}" for item in items)] if items else []
    if found.worst:
        lines += ["", "Longest past their clock:", *(f"- {worst_words(row, at)}" for row in found.worst[:NAMED])]
    where = f"{reverse('audit_review')}?{urlencode({'days': span.days, 'until': span.last.isoformat()})}"
    subject = f"Conversion review, {span.name}: {counts.sqls} accepted, {counts.mqls} MQLs"
    return Mail(
        subject, "\n".join(lines), where, "Open the review",
        documents=(
            ("The review as PDF", reverse("audit_review_pdf", args=[span])),
            *tables(span, ("reasons", "Why sales said no"), ("breakdown", "By source")),
        ),
    )  # fmt: skip


def _rate(audit):
    rate = audit.rate
    if rate is None:
        return ""
    if rate.low is None:
        return f": {percent(rate.value)}, more than were delivered, so without an interval"
    few = "; too few MQLs to lean on" if rate.few else ""
    return f": {percent(rate.value)} ({interval(rate.low, rate.high)}){few}"
