"""Cursors: where a list goes on, signed, and good only for the list and the filters that gave it."""

from django.core import signing

from portal.keys.problem import CursorInvalid

LONGEST = 400


def cursor_of(values, *, of):
    """The text of a cursor. values: what sorts the last row shown (JSON values); of: the list, with its filters."""
    return signing.dumps([*values], salt=f"api.cursor:{of}")


def read_cursor(text, *, of):
    """The values of a cursor of the same list. Refuses CursorInvalid."""
    try:
        return signing.loads(text if len(text) <= LONGEST else "", salt=f"api.cursor:{of}")
    except Exception:  # bad signature, bad base64, bad JSON: none of ours
        raise CursorInvalid from None
