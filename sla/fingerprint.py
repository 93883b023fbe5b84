"""Canonical JSON and the SHA-256 chain over it: pure, no Django.

The canonical form, so that anyone can compute a fingerprint again with other tools:

- object keys are text, sorted by Unicode code point; no space between tokens; UTF-8 without a byte order mark;
- text is taken as it is stored, without Unicode normalisation (what is signed is what is kept, code point by
  code point); only ``"``, ``\\`` and the control characters below U+0020 are escaped, as JSON requires;
- numbers are integers; a float is refused, for two machines may print it differently;
- a ``Decimal`` becomes text in plain notation without superfluous zeros: ``1.50`` and ``1.5`` are both ``"1.5"``;
- an instant becomes ``"YYYY-MM-DDTHH:MM:SS.ffffffZ"`` (UTC, always six digits: what PostgreSQL keeps), a date
  ``"YYYY-MM-DD"``, a time of day ``"HH:MM:SS.ffffff"``, a UUID its usual text; an instant without zone is refused.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

FINGERPRINT = re.compile(r"[0-9a-f]{64}")


class NotCanonical(TypeError):
    """The value has no canonical form; the message names the place and what to write instead."""


def utc_text(instant: datetime) -> str:
    """The aware instant in UTC with six digits of microseconds: ``2026-11-06T09:41:00.000000Z``."""
    if instant.utcoffset() is None:
        raise ValueError(f"{instant!r} has no time zone.")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").zfill(27)


def canonical_json(value) -> bytes:
    """The value's canonical JSON as UTF-8 bytes. Raises ``NotCanonical``."""
    text = json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("Text holds half a surrogate pair, which UTF-8 cannot carry.") from error


def fingerprint(content: Mapping, predecessor: str | None) -> str:
    """SHA-256 (64 lower-case hex digits) over the canonical JSON of the content *and* its predecessor's fingerprint.

    ``predecessor`` is ``None`` for the first of a chain only.
    """
    if predecessor is not None and not FINGERPRINT.fullmatch(predecessor):
        raise ValueError("A predecessor's fingerprint is 64 lower-case hexadecimal digits.")
    return hashlib.sha256(canonical_json({"content": content, "predecessor": predecessor})).hexdigest()


def plain(value, place: str = "content"):
    """The value in what JSON itself knows (dict, list, str, int, bool, None), converted as the module says."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {_key(key, place): plain(item, f"{place}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{place}[{index}]") for index, item in enumerate(value)]
    return _text(value, place)


def _key(key, place: str) -> str:
    if not isinstance(key, str):
        raise NotCanonical(f"{place} has the key {key!r}; keys are text.")
    return key


def _text(value, place: str) -> str:
    if isinstance(value, float):
        raise NotCanonical(f"{place} is the float {value!r}; use an integer or a Decimal.")
    if isinstance(value, datetime) and value.utcoffset() is None:
        raise NotCanonical(f"{place} is an instant without a time zone.")
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time) and value.tzinfo is None:
        return value.isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        return decimal_text(value)
    raise NotCanonical(f"{place} is {type(value).__name__} {value!r}, which has no canonical form.")


def decimal_text(number: Decimal) -> str:
    """Plain notation without superfluous zeros, so that equal numbers have equal text."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text
