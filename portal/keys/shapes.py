"""Types of what programs send and get: as strict as the OpenAPI document says."""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LONGEST_LIST, LONGEST_TEXT = 50, 1000
NO_NUL = r"^[^\x00]*$"
LARGEST_ID = 2**63 - 1
EXACT = 2**53 - 1  # beyond it two programs may read two numbers


class Strict(BaseModel):
    """What is sent: a name that is not known is refused, so that nobody sets what no field is meant for."""

    model_config = ConfigDict(extra="forbid")


class Said(BaseModel):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)


DIGITS = re.compile(r"[0-9]{1,19}")


def _number(value):
    """A number is no true, no "5"; 5.0 is 5, as JSON has one kind of numbers."""
    if isinstance(value, bool | str | bytes):
        raise ValueError("a number is wanted")
    return value


def _digits(value):
    if not (isinstance(value, str) and DIGITS.fullmatch(value)):
        raise ValueError("digits are wanted")
    return int(value)


def _text(value):
    if not isinstance(value, str):
        raise ValueError("text is wanted")
    return value


def _ordinary(value):
    """Text that a database column can hold: no NUL, no half of a surrogate pair."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("half a surrogate pair is no text") from None
    return value


def _zoned(value):
    if value.utcoffset() is None:
        raise ValueError("an instant needs its time zone, such as 2026-10-15T08:00:00Z")
    return value


def text(most, *, least=0, pattern=NO_NUL, **more):
    """Text of `least` to `most` characters."""
    return Annotated[str, Field(min_length=least, max_length=most, pattern=pattern, **more), AfterValidator(_ordinary)]


def whole(low, high, **more):
    return Annotated[int, Field(ge=low, le=high, **more), BeforeValidator(_number)]


def digits(low, high):
    """A whole number in an address, where everything is text."""
    return Annotated[int, Field(ge=low, le=high), BeforeValidator(_digits)]


Id, IdInAddress = whole(1, LARGEST_ID), digits(1, LARGEST_ID)
Yes = Annotated[bool, Field(strict=True)]
Moment = Annotated[
    dt.datetime, AfterValidator(_zoned), BeforeValidator(_text), Field(examples=["2026-10-15T08:00:00Z"])
]
Day = Annotated[dt.date, BeforeValidator(_text)]
Email = text(
    254,
    pattern=r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$",
    examples=["anna@corvane.example"],
)
MonthKey = text(7, pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])


def _plain(value):
    """A value of an attribute: what scoring can read, and a database can keep."""
    if isinstance(value, list):
        if len(value) > LONGEST_LIST:
            raise ValueError(f"a list has at most {LONGEST_LIST} values")
        return [_scalar(one) for one in value]
    return None if value is None else _scalar(value)


def _scalar(value):
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT or "\0" in value:
            raise ValueError(f"text has at most {LONGEST_TEXT} characters and no NUL")
        return _ordinary(value)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) <= EXACT:
        return value
    raise ValueError("a value is text, a number, true, false, null or a list of those")


SCALARS = [
    {"type": "string", "maxLength": LONGEST_TEXT, "pattern": NO_NUL},
    {"type": "number", "minimum": -EXACT, "maximum": EXACT},
    {"type": "boolean"},
]
Value = Annotated[
    Any,
    AfterValidator(_plain),
    Field(
        json_schema_extra={
            "anyOf": [
                *SCALARS,
                {"type": "null"},
                {"type": "array", "maxItems": LONGEST_LIST, "items": {"anyOf": SCALARS}},
            ]
        }
    ),
]
Values = Annotated[dict[text(60, least=1), Value], Field(max_length=50)]
