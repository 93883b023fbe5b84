"""What a page of a form carries, signed: which version it asks, for which visit, since when, and whom it knows.

It stands in for the session and the CSRF token that a visitor on another site's page cannot have: an answer is taken
only from a page that we made, once, and under the version that this page asked.
"""

import datetime as dt
import secrets
from dataclasses import dataclass, replace

from django.core import signing

SALT, SNIPPET_SALT, THANKS_SALT = "forms.page", "forms.snippet", "forms.thanks"
VALID, THANKS_VALID = dt.timedelta(hours=24), dt.timedelta(hours=1)


@dataclass(frozen=True)
class Ticket:
    """A page as it was made. lead: id of the lead that a signed link named; is_stale: to be sent again."""

    form: str
    version: int
    visit: str
    started_at: dt.datetime
    lead: int | None = None
    is_stale: bool = False

    def signed(self):
        since = int(self.started_at.timestamp() * 1000)
        return signing.dumps([self.form, self.version, self.visit, since, self.lead], salt=SALT, compress=True)

    def anew(self):
        """The same page for another submission."""
        return replace(self, visit=new_visit(), is_stale=False)


def new_visit():
    return secrets.token_urlsafe(16)


def issue(version, *, at, lead=None):
    """The Ticket of a page that is asked for at `at`."""
    return Ticket(version.form.slug, version.number, new_visit(), at, lead and lead.pk)


def read(text, form):
    """The Ticket that a page of `form` sent back; None for one that is not ours. After VALID it is stale."""
    try:
        slug, version, visit, since, lead = signing.loads(text, salt=SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if slug != form.slug:
        return None
    ticket = Ticket(slug, version, visit, dt.datetime.fromtimestamp(since / 1000, dt.UTC), lead)
    try:
        signing.loads(text, salt=SALT, max_age=VALID)
    except signing.SignatureExpired:
        return replace(ticket, is_stale=True)
    return ticket


def sign_snippet(version):
    """What a plain form on another page carries: which version's questions it has. It does not expire."""
    return signing.dumps([version.form.slug, version.number], salt=SNIPPET_SALT)


def read_snippet(text, form):
    """The number of the version that a plain form was made of, or None."""
    try:
        slug, number = signing.loads(text, salt=SNIPPET_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return number if slug == form.slug else None


def sign_submission(submission):
    """What the address of the thank-you carries."""
    return signing.dumps(submission.pk, salt=THANKS_SALT)


def read_submission(text):
    """The submission's id, or None where the text is not ours or older than THANKS_VALID."""
    try:
        return signing.loads(text, salt=THANKS_SALT, max_age=THANKS_VALID)
    except signing.BadSignature:
        return None
