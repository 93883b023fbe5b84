"""The chain of signed texts: what is hashed, and the first place where the records no longer agree. Pure, no Django.

A proposed version keeps its *signed text*: the canonical JSON (see ``sla.fingerprint``) of
``{"content": …, "predecessor": <fingerprint of the version before, or null>}``. Its SHA-256 is the version's
fingerprint, so each fingerprint answers for every text before it. Each signature keeps a digest over what it says.
A head record counts versions and signatures, so that a tail cut off is missed.

This makes the agreement tamper-evident: who may change every row may also write a new chain, and only a copy kept
elsewhere (a bundle, a print with its fingerprint) shows that.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from sla.fingerprint import canonical_json

# Where an object is a record, its keys are columns: one that came with a later release was not signed, and is not
# compared. Everywhere else (a week, a condition) keys are content, and one more is a difference.
RECORDS = {
    "", "calendar", "definition", "commitments[]", "reasons[]", "definition.rules[]", "definition.tiers[]",
    "escalation_steps[]", "target", "covers", "benchmarks",
}  # fmt: skip
# What tells the items of a list apart, so that a removed one is named and not taken for its neighbour.
NAMES = {
    "commitments": ("kind", "tier"),
    "reasons": ("code",),
    "rules": ("key",),
    "tiers": ("key",),
    "escalation_steps": ("clock", "position"),
}
SINGULAR = {
    "commitments": "commitment",
    "reasons": "reason",
    "rules": "scoring rule",
    "tiers": "tier",
    "escalation_steps": "escalation step",
}
ABSENT = object()
COMPARE = "Which field cannot be named, for text and rows say the same: compare them with a copy kept elsewhere."
SHOWN = 80  # characters of a value in a sentence


class Kind(StrEnum):
    """What kind of difference was found."""

    ALTERED_CONTENT = "altered_content"
    ALTERED_SIGNATURE = "altered_signature"
    MISSING_SIGNATURE = "missing_signature"
    ALTERED_WITHDRAWAL = "altered_withdrawal"
    MISSING_WITHDRAWAL = "missing_withdrawal"
    MISSING_MIDDLE = "missing_middle"
    TRUNCATED_TAIL = "truncated_tail"
    FORKED = "forked_chain"
    ALTERED_HEAD = "altered_head"


@dataclass(frozen=True)
class Signed:
    """One signature, as its row has it. ``signed_at`` is an aware instant; what is None was not recorded."""

    party: str
    signed_by: int
    name: str
    role: str
    signed_at: datetime
    fingerprint: str
    digest: str
    deputy_for: int | None = None
    typed_name: str | None = None
    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True)
class Withdrawn:
    """The end of a proposal, as its row has it: ``kind`` is withdrawn or returned."""

    kind: str
    withdrawn_by: int
    name: str
    withdrawn_at: datetime
    comment: str
    fingerprint: str
    digest: str


@dataclass(frozen=True)
class Link:
    """One proposed version, as its rows have it.

    ``text``: the signed text that was kept; ``content``: the same worked out again from the rows (None where rows that
    it needs are gone); ``id`` and ``follows``: the row and the row of its predecessor.
    """

    id: int
    number: int
    follows: int | None
    text: str
    content: Mapping | None
    fingerprint: str
    signatures: Sequence[Signed] = ()
    withdrawal: Withdrawn | None = None


@dataclass(frozen=True)
class Head:
    """What the head record counted."""

    versions: int
    fingerprint: str
    signatures: int
    withdrawals: int = 0


@dataclass(frozen=True)
class Difference:
    """The first place where the records disagree; ``sentence`` says it in plain words."""

    kind: Kind
    sentence: str
    version: int | None = None
    field: str | None = None
    signed: str | None = None
    found: str | None = None

    def as_json(self):
        return asdict(self)


def signed_text(content: Mapping, predecessor: str | None) -> str:
    """The text whose SHA-256 is the fingerprint: canonical JSON of the content and the predecessor's fingerprint."""
    return canonical_json({"content": content, "predecessor": predecessor}).decode()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def signature_digest(*, fingerprint, party, signed_by, name, role, signed_at, **recorded) -> str:
    """SHA-256 of the canonical JSON of all that a signature says. ``signed_by`` is the person's number.

    ``recorded``: deputy_for, typed_name, address, user_agent; one that is None was not recorded and is left out, so
    that signatures of before these were asked for keep their digest.
    """
    said = {"fingerprint": fingerprint, "party": party, "signed_by": signed_by, "name": name, "role": role}
    return _digest(said | {"signed_at": signed_at} | known(recorded))


def withdrawal_digest(*, fingerprint, kind, withdrawn_by, name, withdrawn_at, comment) -> str:
    """SHA-256 of the canonical JSON of all that a withdrawal says."""
    said = {"fingerprint": fingerprint, "kind": kind, "withdrawn_by": withdrawn_by, "name": name}
    return _digest(said | {"withdrawn_at": withdrawn_at, "comment": comment})


def known(recorded: Mapping) -> dict:
    """What was recorded: the mapping without its None."""
    return {key: value for key, value in recorded.items() if value is not None}


def _digest(said):
    return hashlib.sha256(canonical_json(said)).hexdigest()


def first_difference(links: Sequence[Link], head: Head | None) -> Difference | None:
    """The first difference on the way from the first version to the last; None when everything agrees."""
    return next(_differences(links, head), None)


def _differences(links, head) -> Iterator[Difference]:
    ids = {link.id for link in links}
    followers = {}
    for link in sorted(links, key=lambda link: link.number):
        followers.setdefault(link.follows, []).append(link)
    before, walked = None, []
    while here := followers.get(before and before.id):
        if len(here) > 1:
            yield _fork(before, here)
        before = here[0]
        yield from _of_version(before, walked[-1] if walked else None, links)
        walked.append(before)
    left = sorted(ids - {link.id for link in walked})
    if left:
        yield _gap(before, [link for link in links if link.id in left], ids)
    yield from _of_head(walked, head)


def _fork(before, here):
    numbers = " and ".join(f"v{link.number}" for link in here)
    where = f"follow v{before.number}" if before else "claim to be the first version"
    return Difference(
        Kind.FORKED,
        f"The chain forks: {numbers} both {where}." if len(here) == 2 else f"The chain forks: {numbers} all {where}.",
        version=here[-1].number,
    )


def _gap(before, left, ids):
    """Versions that the walk did not reach: the one they follow is gone."""
    first = min(left, key=lambda link: (link.follows in ids, link.number))
    after = f"after v{before.number}" if before else "at the beginning"
    return Difference(
        Kind.MISSING_MIDDLE,
        f"A version is missing {after}: v{first.number} follows a version that is not here any more.",
        version=first.number,
    )


# --- one version ----------------------------------------------------------------------------------
def _of_version(link, before, links):
    text = _read(link.text)
    yield from _of_text(link, text, before)
    if text and text["predecessor"] != (before and before.fingerprint):
        yield _wrong_predecessor(link, text["predecessor"], before, links)
    for signature in link.signatures:
        yield from _of_signature(signature, link)
    if link.withdrawal:
        yield from _of_withdrawal(link.withdrawal, link)


def _of_text(link, text, before):
    """The rows against the text that was kept, and that text against the fingerprint."""
    whole = sha256(link.text) == link.fingerprint
    who = f"v{link.number}"
    if text is None:
        yield Difference(
            Kind.ALTERED_CONTENT, f"{who} was altered: the text that was signed cannot be read.", version=link.number
        )
        return
    if link.content is None:
        yield Difference(
            Kind.ALTERED_CONTENT,
            f"{who} was altered: its definition, its calendar or one of its tiers is gone or cannot be read.",
            version=link.number,
        )
        return
    rows = _json(link.content)
    if not whole and sha256(signed_text(rows, text["predecessor"])) == link.fingerprint:
        yield from _altered(link, f"The kept text of {who} was altered, not its rows", rows, text["content"])
    elif not whole:
        hint = f"{who} was altered, and its kept text no longer has its fingerprint"
        yield from _altered(link, hint, text["content"], rows)
        yield Difference(Kind.ALTERED_CONTENT, f"{hint}. {COMPARE}", version=link.number)
    else:
        yield from _altered(link, f"{who} was altered", text["content"], rows)


def _altered(link, what, signed, found):
    for place, words, was, now in _changes(signed, found):
        yield Difference(
            Kind.ALTERED_CONTENT,
            f"{what}: {words}.",
            version=link.number,
            field=place,
            signed=None if was is ABSENT else _show(was),
            found=None if now is ABSENT else _show(now),
        )


def _wrong_predecessor(link, named, before, links):
    known = {other.fingerprint: other.number for other in links}
    if named in known:
        sentence = f"v{link.number} was signed as following v{known[named]}, but now stands after"
        sentence += f" v{before.number}." if before else " nothing."
    elif named is None:
        sentence = f"v{link.number} was signed as the first version, but now stands after v{before.number}."
    elif before is None:
        sentence = f"The beginning is missing: v{link.number} was signed as following a version that is not here."
    else:
        sentence = (
            f"A version is missing or was replaced between v{before.number} and v{link.number}: v{link.number} was"
            f" signed as following the fingerprint {named[:12]}…, which no version has."
        )
    return Difference(Kind.MISSING_MIDDLE, sentence, version=link.number, field="predecessor", signed=named)


def _of_signature(signature, link):
    who = f"The signature for {signature.party} under v{link.number}"
    if signature.fingerprint != link.fingerprint:
        yield Difference(
            Kind.ALTERED_SIGNATURE,
            f"{who} ({signature.name}) covers another fingerprint than the version has.",
            version=link.number,
            field=f"signatures[{signature.party}].fingerprint",
            signed=signature.fingerprint,
            found=link.fingerprint,
        )
    said = {name: value for name, value in vars(signature).items() if name != "digest"}
    if signature_digest(**said) != signature.digest:
        yield Difference(
            Kind.ALTERED_SIGNATURE,
            f"{who} was altered: name ({signature.name}), role ({signature.role}), time, party, person, address or"
            " program are not those that were signed.",
            version=link.number,
            field=f"signatures[{signature.party}]",
            signed=signature.digest,
            found=signature_digest(**said),
        )


def _of_withdrawal(withdrawal, link):
    said = {name: value for name, value in vars(withdrawal).items() if name != "digest"}
    if withdrawal.fingerprint != link.fingerprint or withdrawal_digest(**said) != withdrawal.digest:
        yield Difference(
            Kind.ALTERED_WITHDRAWAL,
            f"The withdrawal of v{link.number} was altered: kind ({withdrawal.kind}), name ({withdrawal.name}), time"
            " or comment are not those that were recorded.",
            version=link.number,
            field="withdrawal",
            signed=withdrawal.digest,
            found=withdrawal_digest(**said),
        )


# --- the head -------------------------------------------------------------------------------------
def _of_head(walked, head):
    if head is None:
        if walked:
            yield Difference(Kind.ALTERED_HEAD, "The head record, which counts the proposed versions, is missing.")
        return
    if head.versions > len(walked):
        last = f"the last one here is v{walked[-1].number}" if walked else "none is here"
        yield Difference(
            Kind.TRUNCATED_TAIL,
            f"The end of the chain is missing: {_count(head.versions, 'version was', 'versions were')} proposed,"
            f" {_count(len(walked), 'is', 'are')} here; {last}.",
            version=walked[-1].number if walked else None,
        )
    elif head.versions < len(walked) or head.fingerprint != walked[-1].fingerprint:
        yield Difference(
            Kind.ALTERED_HEAD,
            f"The head record does not fit the chain: it counts {_count(head.versions, 'version', 'versions')} and"
            f" ends with {head.fingerprint[:12]}…; here are {len(walked)}, ending with v{walked[-1].number}.",
            version=walked[-1].number,
        )
    signatures = sum(len(link.signatures) for link in walked)
    if head.signatures != signatures:
        yield _signature_count(walked, head.signatures, signatures)
    withdrawals = sum(link.withdrawal is not None for link in walked)
    if head.withdrawals > withdrawals:
        yield Difference(
            Kind.MISSING_WITHDRAWAL,
            f"A withdrawal is missing: {_count(head.withdrawals, 'was', 'were')} recorded,"
            f" {_count(withdrawals, 'is', 'are')} here.",
        )
    elif head.withdrawals < withdrawals:
        yield Difference(
            Kind.ALTERED_HEAD,
            f"The head record counts fewer withdrawals ({head.withdrawals}) than there are ({withdrawals}).",
        )


def _signature_count(walked, counted, found):
    if found > counted:
        return Difference(
            Kind.ALTERED_HEAD, f"The head record counts fewer signatures ({counted}) than there are ({found})."
        )
    one_sided = [f"v{link.number}" for link in walked if len(link.signatures) < 2]
    where = f" Not signed by both sides: {', '.join(one_sided)}." if one_sided else ""
    return Difference(
        Kind.MISSING_SIGNATURE,
        f"A signature is missing: {_count(counted, 'was', 'were')} given, {_count(found, 'is', 'are')} here.{where}",
    )


# --- the comparison -------------------------------------------------------------------------------
def _changes(signed, found, place="", words=""):
    """(place, sentence part, signed value, found value) of each field that differs, in the text's order."""
    if isinstance(signed, dict) and isinstance(found, dict):
        yield from _object_changes(signed, found, place, words)
    elif isinstance(signed, list) and isinstance(found, list) and _last(place) in NAMES:
        yield from _list_changes(signed, found, place, words)
    elif type(signed) is not type(found) or signed != found:
        unit = " seconds" if place.endswith("_seconds") else ""
        yield place, f"{words} was {_show(signed)}{unit} when signed, is {_show(found)}{unit} now", signed, found


def _object_changes(signed, found, place, words):
    keys = list(signed)
    if _shape(place) not in RECORDS:
        keys += [key for key in found if key not in signed]
    for key in keys:
        there = f"{place}.{key}" if place else key
        name = f"{words}, {_plain(key)}" if words else _plain(key)
        was, now = signed.get(key, ABSENT), found.get(key, ABSENT)
        if was is ABSENT:
            yield there, f"{name} was added: {_show(now)}", was, now
        elif now is ABSENT:
            yield there, f"{name} is gone, it was {_show(was)} when signed", was, now
        else:
            yield from _changes(was, now, there, name)


def _list_changes(signed, found, place, words):
    kind = _last(place)
    was, now = ({_name(item, kind): item for item in items} for items in (signed, found))
    for name, item in was.items():
        there, named = f"{place}[{name}]", f"{SINGULAR[kind]} {name.replace('_', ' ')}"
        if name in now:
            yield from _changes(item, now[name], there, named)
        else:
            yield there, f"{named} is gone", item, ABSENT
    for name in now.keys() - was.keys():
        yield f"{place}[{name}]", f"{SINGULAR[kind]} {name.replace('_', ' ')} was added", ABSENT, now[name]
    if was.keys() == now.keys() and list(was) != list(now):
        yield place, f"the order of the {_plain(kind)} changed", list(was), list(now)


def _name(item, kind):
    return " ".join(str(item[key]) for key in NAMES[kind] if item.get(key) is not None)


def _last(place):
    return place.rpartition(".")[2]


def _shape(place):
    return re.sub(r"\[[^\]]*\]", "[]", place)


def _plain(key):
    return key.removesuffix("_seconds").replace("_", " ")


def _show(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
    return f"“{text}”" if isinstance(value, str) else text


def _count(number, one, many):
    return f"{number} {one if number == 1 else many}"


def _json(content):
    """The content as JSON reads it back, so that instants and numbers compare as their canonical text."""
    return json.loads(canonical_json(content))


def _read(text):
    """The signed text as an object, or None where it is none."""
    try:
        read = json.loads(text)
    except ValueError:
        return None
    fine = isinstance(read, dict) and isinstance(read.get("content"), dict) and "predecessor" in read
    return read if fine else None
