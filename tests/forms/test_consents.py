"""Which consents of a person stand, when several forms asked."""

import datetime as dt

import pytest

from leads.intake.forms.consents import consents_of
from leads.intake.forms.services.build import create_form, publish_version
from leads.intake.forms.services.submit import Sent, submit_form
from leads.models import Lead
from tests import form_cast

MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
ASKS = {
    "title": "News", "intro": "", "brand": "T", "privacy": "https://tarnwick.example/privacy",
    "pages": [{"key": "p", "title": "P", "questions": [
        form_cast.EMAIL, {"key": "news", "type": "consent", "label": "News by e-mail."}]}],
    "thanks": [{"title": "Thanks", "text": "Bye."}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "stands"),
    [
        ([(0, "yes")], True),
        ([(0, None)], False),
        ([(0, "yes"), (1, None)], False),  # the newest answer counts
        ([(0, None), (72, "yes")], True),
        ([(0, "yes"), (2, None), (3, "yes")], False),  # duplicates that met in one lead: the stricter wins
        ([(0, None), (1, "yes")], False),
    ],
)
def test_the_newest_consent_counts_and_of_duplicates_the_stricter(agreement, people, now, answers, stands):
    form = create_form(name="News", by=people.marketer, at=now - DAY, document=ASKS)
    version = publish_version(form_id=form.pk, by=people.marketer, at=now - DAY)
    for hours, said in answers:
        at = now + hours * HOUR
        posted = {"email": [f"anna+{hours}@corvane.example"], **({"news": [said]} if said else {})}
        submit_form(version=version, sent=Sent(posted, f"t{hours}", started_at=at - MINUTE), at=at)
    [one] = consents_of(Lead.objects.get())
    assert (one.key, one.stands) == ("news", stands)
    assert not stands or one.text == "News by e-mail."
