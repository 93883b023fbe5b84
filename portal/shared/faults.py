"""What the log says of an exception: where it came from, never what somebody wrote.

A traceback in the log has no values of variables. The database's refusals tell the row they refuse, and errors of
values quote the value: of those only the class stands there, and which constraint it was.
"""

import traceback

from django.db import Error

QUOTE = (ValueError, LookupError)  # and UnicodeError, ValidationError of shapes, what JSON cannot be read from …
UNSAID = "(left out: it may quote what somebody wrote)"


def message(error):
    """The exception's words, as far as they hold nobody's."""
    if isinstance(error, Error) or hasattr(error, "sqlstate"):
        diagnosis = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
        told = (diagnosis.sqlstate, diagnosis.constraint_name, diagnosis.table_name) if diagnosis else ()
        return " ".join(filter(None, told)) or UNSAID
    return UNSAID if isinstance(error, QUOTE) else str(error)


def story(error):
    """The traceback of an exception and of those it came from, as text."""
    return "".join(_told(error, set())).rstrip()


def _told(error, seen):
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _told(before, seen)
        yield "\nwhich led to\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__module__}.{type(error).__qualname__}: {message(error)}\n"
    for one in getattr(error, "exceptions", ()):
        yield from _told(one, seen)
