"""Who a visitor is: a signed token that a form, a link or a program gives out; nobody can make one by guessing ids."""

import datetime as dt
from urllib.parse import urlsplit, urlunsplit

from django.core import signing

SALT = "leads.visitor"
VALID = dt.timedelta(days=400)  # as long as a browser keeps a cookie
LONGEST = 100


def visitor_token(lead_id):
    """The text by which the website's script says who a visitor is, for VALID."""
    return signing.TimestampSigner(salt=SALT).sign(str(lead_id))


def known_at(address, lead_id):
    """The address of a page with the visitor's token (?hv=…), which the website's script takes out again."""
    parts = urlsplit(address)
    query = "&".join(filter(None, (parts.query, f"hv={visitor_token(lead_id)}")))
    return urlunsplit(parts._replace(query=query))


def lead_of(token):
    """The id of the lead that a token names, or None where it is not ours or too old."""
    try:
        return int(signing.TimestampSigner(salt=SALT).unsign(token[: LONGEST + 1], max_age=VALID))
    except (signing.BadSignature, ValueError):
        return None
