"""Secrets of keys: made, taken apart and compared; pure.

`hk_<eight characters>_<43 characters>`: the first part is shown and finds the row, the second is kept as its SHA-256
alone. A password needs a slow hash because people choose it; 256 random bits cannot be guessed however fast they are
tried, so a fast one is right here: every request computes it.
"""

import hashlib
import hmac
import re
import secrets
import string

ALPHABET = string.ascii_letters + string.digits
SHOWN = 8
TOKEN = re.compile(rf"(hk_[A-Za-z0-9]{{{SHOWN}}})_([A-Za-z0-9_-]{{43}})")
NOBODYS = "0" * 64  # compared with where no key has the prefix: an unknown prefix costs what a wrong secret does


def new_token():
    """(prefix, the whole token): the token is shown once and kept nowhere."""
    prefix = f"hk_{''.join(secrets.choice(ALPHABET) for _ in range(SHOWN))}"
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def taken_apart(token):
    """(prefix, secret) of what a request bears, or None for what no key looks like."""
    found = TOKEN.fullmatch(token)
    return found and found.groups()


def digest(secret):
    """The 64 hexadecimal digits that are kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def matches(secret, kept):
    """Whether `kept` (None: nothing) is the digest of the secret; it takes as long for one as for another."""
    return hmac.compare_digest(digest(secret), kept or NOBODYS)


def new_site_key():
    """What a website shows to everybody: it names the site and opens nothing else."""
    return f"site_{secrets.token_hex(12)}"
