"""What the text of one cell means, or what is wrong with it. Equal texts of a column are read once."""

import datetime as dt
import re
from dataclasses import dataclass

from leads.intake.imports.dates import parser

EMAIL = re.compile(r"[^\s@,;:<>()\"]+@[^\s@,;:<>()\"]+\.[^\s@.,;:<>()\"]{2,}")
COUNT = re.compile(r"(\d{1,3}(?:[,.'’\u00a0 ]\d{3})+|\d+)(?:\.0+)?(?:\s*(?:-|–|to)\s*\d[\d,.'’\u00a0 ]*|\+)?")
AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
DECISIONS = {"accepted": "accepted", "rejected": "rejected", "undecided": "", "": ""}
OUTCOMES = ("won", "lost", "open")
LONGEST_EMAIL = 254
MOST_EMPLOYEES = 2_147_483_647
MOST_SEEN = 10_000  # texts of one column that are kept with what they mean
LONGEST_SEEN = 400


@dataclass(frozen=True)
class Wrong:
    """Why a field refuses its record."""

    field: str
    value: str
    code: str
    what: str = ""


class Seen(dict):
    """Texts and what they mean: looked up as in a dict, read where they are new, forgotten before they fill memory."""

    def __init__(self, read, most=MOST_SEEN):
        super().__init__()
        self._read, self._most = read, most

    def __missing__(self, text):
        found = self._read(text)
        if len(self) >= self._most:
            self.clear()
        if (len(text) if isinstance(text, str) else sum(map(len, text))) <= LONGEST_SEEN:
            self[text] = found
        return found

    def each(self, texts):
        """What each of the texts means, in their order."""
        return [*map(self.__getitem__, texts)]


@dataclass(frozen=True)
class Moment:
    """An aware moment in UTC, whether the cell had a time of day, and the text of both for COPY."""

    at: dt.datetime
    timed: bool
    text: str


def ours(values, default):
    """A reader of cells whose column is translated: our word for the value, else the cell as it stands."""
    folded = {raw.casefold(): word for raw, word in values.items()}

    def translated(cell):
        text = cell.strip()
        if text in values:
            return values[text] or default
        return folded.get(text.casefold(), cell) or default

    return translated


def employees(cell):
    """The number of employees as digits; the lower end of a range."""
    text = cell.strip()
    if not text:
        return ""
    found = COUNT.fullmatch(text)
    number = re.sub(r"\D", "", found.group(1)) if found else ""
    if not number or len(number) > 10 or int(number) > MOST_EMPLOYEES:
        return Wrong("employees", text, "bad_number")
    return number


def moment_of(name, written, *, default, zone, latest):
    """A reader of one column's moments; naive ones are in `zone`. "" is none."""
    parse, plain = parser(written or "iso"), parser("iso")

    def moment(cell):
        text = cell.strip()
        if not text:
            return ""
        read = parse(text) or (plain(text) if text == default else None)
        if read is None:
            return Wrong(name, text, "bad_date", "This is not a date as the column writes them.")
        at, timed = read
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(dt.UTC)
        return Wrong(name, text, "time_in_the_future") if at > latest else Moment(at, timed, at.isoformat())

    return moment


def outcome(cell):
    text = cell.strip()
    return text.casefold() if not text or text.casefold() in OUTCOMES else Wrong("outcome", text, "bad_outcome")


def amount(cell):
    text = cell.strip()
    plain = text.replace(",", "").replace(" ", "")
    return plain if not text or AMOUNT.fullmatch(plain) else Wrong("amount", text, "bad_amount")


def decision(cell):
    """ "accepted", "rejected" or "" for undecided."""
    text = cell.strip()
    found = DECISIONS.get(text.casefold())
    return Wrong("decision", text, "bad_decision") if found is None else found


def wrong_email(email):
    """What is wrong with an address that is none."""
    if email.count("@") > 1:
        what = "The address has more than one @ sign."
    elif "@" not in email:
        what = "This is not an e-mail address."
    elif len(email) > LONGEST_EMAIL:
        what = f"The address is longer than {LONGEST_EMAIL} characters."
    else:
        ended = "." in email.partition("@")[2]
        what = "This is not an e-mail address." if ended else "The domain has no ending."
    return Wrong("email", email, "bad_email", what)
