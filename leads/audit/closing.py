"""Closing an audit: compute the month once more, freeze it, have both sides sign it; opening it again takes both."""

import json
from decimal import Decimal

from django.db import transaction
from django.shortcuts import get_object_or_404

from leads import figures
from leads.audit import plain_work, record
from leads.audit import scorecard as score
from leads.audit.closed import CHAIN
from leads.audit.models import Closing, ClosingSignature, Reopening
from leads.audit.report import audits, versions_of
from portal.accounts.models import Role, User
from portal.accounts.permissions import May, require
from portal.outbox.services import tell
from portal.shared.locks import wait_for_others
from portal.shared.refusal import NotPermitted, Refusal
from sla.chain import sha256, signature_digest, signed_text
from sla.models import Party
from sla.models.party import LEADER

DIGITS = Decimal("0.000001")  # what is kept of a share
COUNTS = ("mqls", "sqls", "rejected", "undecided", "withdrawn")


class NotOverYet(Refusal):
    code = "month_not_over"
    sentence = "The month is not over, so its audit cannot be closed."


class AlreadyClosed(Refusal):
    code = "already_closed"
    sentence = "This audit is closed already. Nothing was changed."


class AlreadySigned(Refusal):
    code = "already_signed"
    sentence = "This side has signed already. Nothing was changed."


class NeverForBoth(Refusal):
    code = "never_for_both"
    sentence = "One person never speaks for both sides."


class OtherFingerprint(Refusal):
    code = "other_fingerprint"
    sentence = "The audit was opened and closed again meanwhile: read it once more. Nothing was signed."


class NotClosed(Refusal):
    code = "not_closed"
    sentence = "This audit is open again. Nothing was changed."


class WhyReopen(Refusal):
    code = "why_reopen"
    sentence = "Say why the audit should be opened again: it stays beside the closed figures. Nothing was saved."
    field = "why"


class AlreadyAsked(Refusal):
    code = "already_asked"
    sentence = "This side has asked already; the other one has not answered yet."


@transaction.atomic(durable=True)
def close_audit(*, month, by, at, zone):
    """Freeze the figures.Month as it is at `at`, in the organisation's zone. Returns the Closing, for both to sign.

    Refuses: NotPermitted, NotOverYet, AlreadyClosed.
    """
    require(by, May.CLOSE_AUDIT)
    if month.ends(zone) > at:
        raise NotOverYet
    wait_for_others(CHAIN)
    if Closing.objects.of(month):
        raise AlreadyClosed
    last, before = Closing.objects.last(), Closing.objects.filter(month=month.first).count()
    text = signed_text(content(month, number=before + 1, at=at, zone=zone), last.fingerprint if last else None)
    closing = Closing.objects.create(
        month=month.first, number=before + 1, closed_at=at, closed_by=by, canonical=text, fingerprint=sha256(text),
        predecessor=last,
    )  # fmt: skip
    said = {"closing": closing.pk, "month": str(month), "fingerprint": closing.fingerprint}
    tell("audit.closed", key=closing.pk, at=at, payload=said)
    for person in User.objects.active().filter(roles__overlap=list(LEADER.values())).exclude(pk=by.pk):
        tell("audit.waits", key=f"{closing.pk}-{person.pk}", at=at, to=person, payload={"month": str(month)})
    return closing


@transaction.atomic(durable=True)
def sign_audit(*, closing_id, party, fingerprint, by, at):
    """A side's leader signs the fingerprint they were shown. Returns the ClosingSignature.

    Refuses: NotPermitted, NotClosed, OtherFingerprint, AlreadySigned, NeverForBoth.
    """
    _check_leads(party, by)
    closing = _lock(closing_id)
    if fingerprint != closing.fingerprint:
        raise OtherFingerprint
    if closing.signatures.filter(party=party).exists():
        raise AlreadySigned
    if closing.signatures.filter(signed_by=by).exists():
        raise NeverForBoth
    said = {"fingerprint": fingerprint, "party": party, "name": by.name, "role": LEADER[Party(party)], "signed_at": at}
    signature = ClosingSignature.objects.create(
        closing=closing, signed_by=by, digest=signature_digest(signed_by=by.pk, **said), **said
    )
    tell("audit.signed", key=signature.pk, at=at, payload={"closing": closing.pk, "party": party})
    return signature


@transaction.atomic(durable=True)
def ask_to_reopen(*, closing_id, party, why, by, at):
    """A side asks to open a closed audit again; with the other one's wish it is open. Returns the Reopening.

    Refuses: NotPermitted, NotClosed, WhyReopen, AlreadyAsked, NeverForBoth.
    """
    _check_leads(party, by)
    closing = _lock(closing_id)
    if not why.strip():
        raise WhyReopen
    if closing.reopenings.filter(party=party).exists():
        raise AlreadyAsked
    if closing.reopenings.filter(asked_by=by).exists():
        raise NeverForBoth
    asked = Reopening.objects.create(closing=closing, party=party, asked_by=by, asked_at=at, why=why.strip())
    topic = "audit.reopened" if closing.reopenings.count() == len(Party) else "audit.reopening_asked"
    tell(topic, key=asked.pk, at=at, payload={"closing": closing.pk, "party": party})
    return asked


def _check_leads(party, by):
    role = LEADER[Party(party)]
    if not (by.is_active and by.holds(role)):
        raise NotPermitted(f"Only the {Role(role).label.lower()} speaks for {Party(party).label.lower()}.")


def _lock(closing_id):
    wait_for_others(CHAIN)
    closing = get_object_or_404(Closing, pk=closing_id)
    if closing.is_reopened:
        raise NotClosed
    return closing


def content(month, *, number, at, zone):
    """What both sides sign: the month on both bases, everything its page shows, and the agreements it was under."""
    bases = {basis: _frozen(_month(month, basis, None, at, zone)) for basis in figures.BASES}
    cuts = {
        basis: {
            by: _frozen(_month(month, by=by, basis=basis, at=at, zone=zone)["breakdown"]) for by in figures.DIMENSIONS
        }
        for basis in figures.BASES
    }
    return {
        "format": record.FORMAT,
        "record": _frozen(record.frozen(month, at=at, zone=zone)),
        "month": str(month),
        "number": number,
        "closed_at": at,
        "time_zone": zone.key,
        "bases": bases,
        "breakdowns": cuts,
        "agreements": [{"number": v.number, "fingerprint": v.fingerprint} for v in versions_of(month, zone=zone)],
    }


def _month(month, basis, by, at, zone):
    (found,) = audits(month, month, basis=basis, as_of=at, zone=zone, by=by)
    return found.as_json()


def _frozen(value):
    """The same with shares as decimals of six digits: a float has no canonical text."""
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_frozen(item) for item in value]
    return Decimal(repr(value)).quantize(DIGITS) if isinstance(value, float) else value


def read(closing):
    """The content of a closing, as plain JSON values."""
    return json.loads(closing.canonical)["content"]


def since_closing(closing, *, at, zone):
    """What would be different if the month were closed now: [(basis, what, then, now)]; empty when nothing is.

    Where the promises were kept in the record, also ("promises", promise, kept then of how many, now).
    """
    content = read(closing)
    then, month = content["bases"], figures.Month(closing.month)
    found = []
    for basis in figures.BASES:
        now = _month(month, basis, None, at, zone)
        found += [(basis, name, then[basis][name], now[name]) for name in COUNTS if then[basis][name] != now[name]]
        before, after = ({r["code"]: r for r in side["reasons"]} for side in (then[basis], now))
        for code in sorted(before | after):
            counts = [side[code]["n"] if code in side else 0 for side in (before, after)]
            if counts[0] != counts[1]:
                found.append((basis, (after.get(code) or before[code])["label"], *counts))
    return found + (_promises_since(content["record"]["card"], month, at, zone) if "record" in content else [])


def _promises_since(kept, month, at, zone):
    """Of the promises those of which other counts are known now: ("promises", name, words then, words now)"""
    before, after = (
        {(one["version"], *one["in_words"]): f"{one['k']} of {one['n']}" for one in card["promises"]}
        for card in (kept, plain_work.card(score.scorecard(month, as_of=at, zone=zone)))
    )
    return [
        ("promises", key[1], before.get(key, "–"), after.get(key, "–"))
        for key in {**before, **after}
        if before.get(key) != after.get(key)
    ]


def verify():
    """The first closing whose text, chain or signatures no longer agree, as a sentence; None when all do."""
    before = None
    for closing in Closing.objects.prefetch_related("signatures").order_by("id"):
        if wrong := _wrong(closing, before):
            return f"{closing}, no. {closing.number}: {wrong}"
        before = closing
    return None


def _wrong(closing, before):
    if sha256(closing.canonical) != closing.fingerprint:
        return "its text is not what its fingerprint was made of."
    if json.loads(closing.canonical)["predecessor"] != (before.fingerprint if before else None):
        return "it does not follow the audit closed before it."
    for row in closing.signatures.all():
        said = {name: getattr(row, name) for name in ("fingerprint", "party", "name", "role", "signed_at")}
        digest = signature_digest(signed_by=row.signed_by_id, **said)
        if (row.digest, row.fingerprint) != (digest, closing.fingerprint):
            return f"the signature for {row.get_party_display().lower()} was altered."
    return None


def sides(user):
    """The parties that the person leads, in order."""
    return [party for party in Party if user.holds(LEADER[party])]
