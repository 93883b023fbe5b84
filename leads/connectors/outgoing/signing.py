"""Standard Webhooks signatures: pure functions over bytes. Specification: standard-webhooks/standard-webhooks, 1.0."""

import base64
import binascii
import hmac
import secrets

PREFIX = "whsec_"
TOLERANCE = 300  # seconds that a timestamp may be off
FEWEST_BYTES = 24


class BadSecret(ValueError):
    """Not base64, or too short to sign with."""


class BadSignature(Exception):
    """What is wrong, in one sentence."""


def new_secret():
    """A fresh secret of 32 random bytes: "whsec_…"."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret, webhook_id, timestamp, body):
    """ "v1,<base64>" over id, timestamp (whole seconds) and body (bytes). Raises BadSecret."""
    content = b".".join((webhook_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(_key(secret), content, "sha256")).decode()


def headers(secrets, webhook_id, timestamp, body):
    """The three headers, signed with each of the secrets: a receiver that knows one of them is content."""
    signed = " ".join(signature(secret, webhook_id, timestamp, body) for secret in secrets)
    return {"webhook-id": webhook_id, "webhook-timestamp": str(timestamp), "webhook-signature": signed}


def verify(secrets, given, body, *, now):
    """The id of a message that was signed with one of `secrets` within five minutes of `now` (seconds since 1970).

    given: a mapping of headers that looks them up by their names in small letters. Raises BadSignature, BadSecret.
    """
    webhook_id, timestamp, signed = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not (webhook_id and timestamp and signed):
        raise BadSignature("A header of the signature is missing.")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise BadSignature("The timestamp is not a number of seconds.")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise BadSignature("The timestamp is more than five minutes off.")
    wanted = [signature(secret, webhook_id, timestamp, body).encode() for secret in secrets]
    found = [one.encode("utf-8", "replace") for one in signed.split(" ")]
    if not any(hmac.compare_digest(one, each) for one in found for each in wanted):
        raise BadSignature("No signature fits.")
    return webhook_id


def _key(secret):
    text = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret("The secret is not base64.") from None
    if len(key) < FEWEST_BYTES:
        raise BadSecret("The secret is empty or too short.")
    return key
