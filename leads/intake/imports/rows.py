"""One record → one line for the staging table, or the problem that refuses it. Terse: it runs a million times."""

import datetime as dt
import re
from json.encoder import encode_basestring as quoted
from operator import gt, itemgetter

from leads.intake.imports import fields
from leads.intake.imports.dates import parser
from leads.intake.imports.fields import FACTS
from leads.intake.imports.problems import MappingRefused, Problem
from leads.intake.imports.scores import Scores
from leads.services.refusals import NoteRequired, ReasonRequired, ReasonUnknown

SKEW = dt.timedelta(minutes=5)
EMAIL = re.compile(r"[^\s@,;:<>()\"]+@[^\s@,;:<>()\"]+\.[^\s@.,;:<>()\"]{2,}")
COUNT = re.compile(r"(\d{1,3}(?:[,.'’\u00a0 ]\d{3})+|\d+)(?:\.0+)?(?:\s*(?:-|–|to)\s*\d[\d,.'’\u00a0 ]*|\+)?")
AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?")
DECISIONS = {"accepted": "accepted", "rejected": "rejected", "undecided": "", "": ""}
OUTCOMES = ("won", "lost", "open")
MOST_EMPLOYEES = 2_147_483_647
MOST_SEEN = 10_000  # texts of one column that are kept with what they mean
DEAL = ("outcome", "closed_at", "amount")
# the staging table's columns, in the order of a line; FACTS are external_id, email, phone … channel
COLUMNS = (
    *("row", *FACTS, "employees", "attributes", "owner_no", "qualified_at", "first_touch_at"),
    *("decision", "reason_id", "decided_at", "note", "version_id", "definition_id"),
    *("tier_id", "fit", "behaviour", "total", "breakdown"),
)
ALL_FACTS = itemgetter(*FACTS)
FITS = re.compile(r"[^\\\t\n\r\x00]*").fullmatch


class Rows:
    """Turns records into lines under one mapping. `owners` collects the spellings of owners: text → number."""

    def __init__(self, mapping, source, dates, *, at, zone, past=None, present=None):
        self.mapping, self.source, self.at, self.zone = mapping, source, at, zone
        self.past, self.present = past, present
        self.latest = at + SKEW
        self.owners = {}
        self.read = self.refused = 0
        self.values = {name: column.values for name, column in mapping.columns.items() if column.values}
        self.places = {name: self._place(name, column) for name, column in mapping.columns.items()}
        self.parsers = {name: parser(dates[name]) for name in dates}
        self.seen_moments = {name: {} for name in fields.MOMENTS}
        self.attributes = [name for name in self.mapping.fields if name not in fields.FIELDS]
        self.attributes.sort(key=[*mapping.columns, *mapping.defaults].index)
        self.fact_limits = [fields.FIELDS[name].longest for name in FACTS]
        self.decides = bool({"decision", "reason", "outcome"} & self.mapping.fields)
        self._facts = [self._cell(name) for name in FACTS]
        self._tidied = [i for i, name in enumerate(FACTS) if fields.FIELDS[name].kind != fields.KEPT]
        self._attributes = [(name.removeprefix(fields.ATTRIBUTE), self._cell(name)) for name in self.attributes]
        named = ("employees", "owner", "note", "decision", "reason", *DEAL, *fields.MOMENTS)
        self._other = {name: self._cell(name) for name in named if name in self.mapping.fields}
        self._pick = self._picker()
        self._scores = Scores(present, zone=zone, at=at) if present else None
        self._counts = {}

    def _place(self, name, column):
        place = self.source.place(column.name)
        if place is None:
            raise MappingRefused(
                f"The file has no column “{column.name}”; it has {', '.join(self.source.header)}."
                " Nothing was imported.",
                field=name,
            )
        return place

    def _cell(self, name):
        """A function cells → text of a field: its column's cell, its value in our words, else the default."""
        default = self.mapping.defaults.get(name, "")
        place, values = self.places.get(name), self.values.get(name)
        if place is None:
            return lambda cells: default
        if values:
            folded = {raw.casefold(): ours for raw, ours in values.items()}

            def mapped(cells):
                raw = cells[place]
                text = raw.strip()
                if text in values:
                    return values[text] or default
                return folded.get(text.casefold(), raw) or default

            return mapped
        if default:
            return lambda cells: cells[place] or default
        return itemgetter(place)

    def _picker(self):
        """All facts at once; in one step of C where they are plain columns (an empty cell stands for the others)."""
        if any(self.values.get(name) or self.mapping.defaults.get(name) for name in FACTS):
            return lambda cells: [get(cells) for get in self._facts]
        width = len(self.source.header)
        picked = itemgetter(*[self.places.get(name, width) for name in FACTS])
        return lambda cells: list(picked([*cells, ""]))

    def column(self, name):
        """The heading in the file that a field comes from, for the errors file."""
        column = self.mapping.columns.get(name)
        return column.name if column else name

    # --- one record -------------------------------------------------------------------------------
    def line(self, row, cells):
        """(line, None) for COPY, or (None, problem): the first thing that is wrong."""
        facts = self._pick(cells)
        for i in self._tidied:
            facts[i] = facts[i].strip()
        external_id, email = facts[0], facts[1]
        try:
            if email:
                if len(email) > 254 or not EMAIL.fullmatch(email):
                    raise Wrong("email", email, "bad_email", _wrong_email(email))
            elif not external_id:
                raise Wrong("external_id", "", "not_a_lead")
            if any(map(gt, map(len, facts), self.fact_limits)):
                self._too_long(facts)
            known = self._known(cells)
            attributes = {name: text for name, get in self._attributes if (text := get(cells)) != ""} | known["deal"]
            tail = self._judged(facts, known, attributes)
            said = _object(attributes) if attributes else ""
            parts = [
                *(str(row), *facts, known["employees"], said, known["owner"], known["qualified_at"]),
                *(known["first_touch_at"], *tail),
            ]
            joined = "".join(parts)
            if not FITS(joined):
                if "\x00" in joined or "\\u0000" in joined:
                    self._nul(cells)
                parts = [_escaped(part) for part in parts]
            return "\t".join(parts), None
        except Wrong as wrong:
            return None, Problem(row, self.column(wrong.field), wrong.value, wrong.code, wrong.what)

    def _known(self, cells):
        """The fields beside facts and attributes, read: text for COPY ("" is null) or a datetime."""
        get = self._other
        known = {"employees": "", "owner": "", "qualified_at": "", "first_touch_at": "", "deal": {}}
        if "employees" in get and (text := get["employees"](cells).strip()):
            known["employees"] = self._count(text)
        if "owner" in get and (text := get["owner"](cells).strip()):
            if len(text) > 200:
                raise Wrong("owner", text, "too_long", "Longer than 200 characters.")
            known["owner"] = str(self.owners.setdefault(text, len(self.owners)))
        if "note" in get:
            known["note"] = get["note"](cells)
        for name in fields.MOMENTS:
            if name in get and (text := get[name](cells).strip()):
                known[name] = self._moment(name, text)
        for name in DEAL:
            if name in get and (text := get[name](cells).strip()):
                known["deal"][name] = self._deal(name, text, known)
        if self.decides:
            known["decision"], known["reason"] = self._decision(cells, known["deal"].get("outcome"))
        return known

    def _count(self, text):
        """The number of employees as text; equal texts are read once."""
        found = self._counts.get(text)
        if found is None:
            if len(self._counts) > MOST_SEEN:
                self._counts.clear()
            found = self._counts[text] = _employees(text)
        return found

    def _moment(self, name, text):
        """An aware datetime; naive ones are in the organisation's zone. Equal texts are read once."""
        seen = self.seen_moments[name]
        found = seen.get(text)
        if found is None:
            parse = self.parsers.get(name) or parser("iso")
            read = parse(text)
            if read is None and text == self.mapping.defaults.get(name):
                read = parser("iso")(text)
            if read is None:
                raise Wrong(name, text, "bad_date", "This is not a date as the column writes them.")
            moment, timed = read
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=self.zone)
            found = (moment.astimezone(dt.UTC), timed)
            if len(seen) > MOST_SEEN:
                seen.clear()
            seen[text] = found
        if found[0] > self.latest:
            raise Wrong(name, text, "time_in_the_future")
        return found

    def _deal(self, name, text, known):
        if name == "outcome":
            if text.casefold() not in OUTCOMES:
                raise Wrong(name, text, "bad_outcome")
            return text.casefold()
        if name == "closed_at":
            return known["closed_at"][0].isoformat()
        amount = text.replace(",", "").replace(" ", "")
        if not AMOUNT.fullmatch(amount):
            raise Wrong(name, text, "bad_amount")
        return amount

    def _decision(self, cells, outcome):
        """("accepted" | "rejected" | "", reason's text). A deal that was won was accepted, whatever else is noted."""
        get = self._other
        reason = get["reason"](cells).strip() if "reason" in get else ""
        if "decision" in get:
            text = get["decision"](cells).strip()
            decision = DECISIONS.get(text.casefold())
            if decision is None:
                raise Wrong("decision", text, "bad_decision")
        else:
            decision = "rejected" if reason else ""
        if outcome == "won":
            decision = "accepted"
        return decision, reason if decision == "rejected" else ""

    def _judged(self, facts, known, attributes):
        """The rest of the line: the decision with its law for history, the score for a lead of now."""
        decision = known.get("decision", "")
        if self.past is None:
            if decision:
                self._reason(self.present.version, known)
                raise Wrong("decision", decision, "history_only")
            _keep_note(attributes, known)
            known["qualified_at"] = known["first_touch_at"] = ""
            return ("", "", "", "", "", "", *self._score(facts, known, attributes))
        qualified = known["qualified_at"]
        if not qualified:
            raise Wrong("qualified_at", "", "qualified_at_required")
        moment = qualified[0]
        version = self.past.at(moment)
        known["qualified_at"] = moment.isoformat()
        if touch := known["first_touch_at"]:
            known["first_touch_at"] = touch[0].isoformat()
        law = (str(version.pk), str(version.definition), "", "", "", "", "")
        if not decision:
            _keep_note(attributes, known)
            return ("", "", "", "", *law)
        decided = self._decided(known, moment)
        return decision, self._reason(version, known), decided.isoformat(), known.get("note", ""), *law

    def _decided(self, known, qualified):
        """When it was decided: the qualification's own moment where the file does not say, or says only the day."""
        decided, timed = known.get("decided_at") or (qualified, True)
        if decided >= qualified:
            return decided
        if not timed and decided.astimezone(self.zone).date() == qualified.astimezone(self.zone).date():
            return qualified
        raise Wrong("decided_at", decided.astimezone(self.zone).isoformat(), "decided_before_qualified")

    def _reason(self, version, known):
        """The reason's key for COPY, under the same rules as a rejection by hand."""
        if known["decision"] != "rejected":
            return ""
        text = known["reason"]
        if not text:
            raise Wrong("reason", "", ReasonRequired.code)
        reason = version.reason(text)
        if reason is None:
            raise Wrong("reason", text, ReasonUnknown.code)
        if reason.note_required and text == reason.code and not known.get("note", "").strip():
            raise Wrong("note", "", NoteRequired.code)
        return str(reason.pk)

    def _score(self, facts, known, attributes):
        """Tier, points and breakdown of a lead that has no events yet; blanks for nurture."""
        judged = dict(zip(FACTS, facts, strict=True))
        judged["employees"] = int(known["employees"]) if known["employees"] else None
        judged["attributes"] = attributes
        return self._scores(judged)

    # --- what is wrong ----------------------------------------------------------------------------
    def _too_long(self, facts):
        for name, text, limit in zip(FACTS, facts, self.fact_limits, strict=True):
            if len(text) > limit:
                raise Wrong(name, text, "too_long", f"Longer than {limit} characters.")

    def _nul(self, cells):
        for name, place in self.places.items():
            if "\x00" in cells[place]:
                raise Wrong(name, cells[place], "nul_character")


class Wrong(Exception):
    """A field of a record that refuses it; it never leaves this module."""

    def __init__(self, field, value, code, what=""):
        super().__init__(code)
        self.field, self.value, self.code, self.what = field, value, code, what


def _object(texts):
    """{name: text} as a JSON object."""
    return "{" + ", ".join([f"{quoted(name)}: {quoted(text)}" for name, text in texts.items()]) + "}"


def _escaped(text):
    """The text as COPY reads it."""
    if FITS(text):
        return text
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _keep_note(attributes, known):
    if known.get("note"):
        attributes["note"] = known["note"]


def _employees(text):
    found = COUNT.fullmatch(text)
    number = re.sub(r"\D", "", found.group(1)) if found else ""
    if not number or int(number) > MOST_EMPLOYEES:
        raise Wrong("employees", text, "bad_number")
    return number


def _wrong_email(email):
    if email.count("@") > 1:
        return "The address has more than one @ sign."
    if "@" not in email:
        return "This is not an e-mail address."
    if len(email) > 254:
        return "The address is longer than 254 characters."
    return "The domain has no ending." if "." not in email.partition("@")[2] else "This is not an e-mail address."
