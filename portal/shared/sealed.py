"""Secrets at rest: the database holds them sealed by a key made from SECRET_KEY, which it does not hold."""

import base64
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

SEALED = "gAAAA"  # how every sealed text begins: Fernet's version and the first bits of its time
PURPOSE = b"handoff: secrets at rest, 1"


class SealBroken(Exception):
    """The text was sealed under a SECRET_KEY that is neither the current one nor among SECRET_KEY_FALLBACKS."""


def seal(text):
    """The text, encrypted and authenticated (Fernet): a token for a column of the database."""
    return _box(_keys()).encrypt(text.encode()).decode()


def unseal(token):
    """The text that `seal` was given. Raises SealBroken."""
    try:
        return _box(_keys()).decrypt(token.encode()).decode()
    except InvalidToken:
        raise SealBroken("Set SECRET_KEY_FALLBACKS to the SECRET_KEY before this one.") from None


def _keys():
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _box(keys):
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hmac.digest(key.encode(), PURPOSE, "sha256"))) for key in keys]
    )
