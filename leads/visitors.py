"""Who a visitor is: a signed token that a form, a link or a program gives out; nobody can make one by guessing ids."""

import datetime as dt
from urllib.parse import urlsplit, urlunsplit

from django.core import signing

SALT = "leads.visitor"
VALID = dt.timedelta(days=400)  # as long as a browser keeps a cookie
LONGEST = 100
SENT = "s"


def visitor_token(lead_id):
    """The text by which the website's script says who a visitor is, for VALID."""
    return signing.TimestampSigner(salt=SALT).sign(str(lead_id))


def sender_token(submission_id):
    """As `visitor_token`, of who sent a form and only typed an address: it tells nobody whether that was known."""
    return signing.TimestampSigner(salt=SALT).sign(f"{SENT}{submission_id}")


def known_at(address, token):
    """The address of a page with the visitor's token (?hv=…), which the website's script takes out again."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, f"hv={token}")))))


def lead_of(token):
    """The id of the lead that a token names, or None where it is not ours, too old, or a sender's."""
    named = _named(token)
    return None if named.startswith(SENT) else int(named or 0) or None


def submission_of(token):
    """The id of the submission whose sender a token names, or None."""
    named = _named(token)
    return int(named.removeprefix(SENT)) if named.startswith(SENT) else None


def _named(token):
    try:
        return signing.TimestampSigner(salt=SALT).unsign(token[: LONGEST + 1], max_age=VALID)
    except signing.BadSignature:
        return ""
