"""What the pages of a version show in common: the contract in words, what changes, who may do what with it."""

import json

from portal.accounts.models import User
from portal.accounts.permissions import May, may
from sla import comparison, words
from sla.fingerprint import canonical_json
from sla.models import Category, Commitment, Deputy, Party, SLAVersion
from sla.models.party import LEADER
from sla.models.state import standings
from sla.services._steps import signers

MEASURES = {  # kind: (commitment, how it is measured)
    "mqls": ("Volume", "MQLs delivered in a month"),
    "acceptance": ("Acceptance", "Share of the month’s MQLs that sales accepts"),
    "complete_facts": ("Complete facts", "Share of MQLs that arrive with every fact that the definition requires"),
    "share_kept": ("Reliability", "Share of clocks that stop in time"),
}
ORDER = [comparison.KINDS[kind][1] for kind in MEASURES]
TIMES = ((Commitment.Kind.FIRST_CONTACT, "First contact"), (Commitment.Kind.DECISION, "Decision"))
CLOCKS = {
    "elapsed": "Clocks run around the clock, on every day of the week.",
    "calendar": "Clocks run {week}, and stop on the agreed holidays.",
    "owner": "Clocks run in the business hours of whoever holds the lead; where nobody named any, {week}.",
}
STATES = {  # state: (title, chip's colour, icon, words)
    "draft": ("Agreement v{} is a draft", "idle", "pencil", "Draft"),
    "proposed": ("Agreement v{} waits for signatures", "warn", "pen-line", "Waiting for both"),
    "half_signed": ("Agreement v{} waits for a signature", "warn", "pen-line", "Waiting for {}"),
    "signed": ("Agreement v{} is signed and begins later", "info", "calendar", "Signed, begins later"),
    "in_force": ("Agreement v{} is in force", "ok", "shield-check", "In force"),
    "succeeded": ("Agreement v{} was replaced", "idle", "history", "Replaced"),
    "withdrawn": ("Agreement v{} was withdrawn", "idle", "undo-2", "Withdrawn"),
    "returned": ("Agreement v{} was returned", "late", "undo-2", "Returned"),
    "overtaken": ("Agreement v{} was overtaken", "idle", "history", "Overtaken"),
}
PEOPLE = ("calendar", "definition", "predecessor", "proposed_by", "created_by", "started_from", "withdrawal")


def versions():
    return SLAVersion.objects.select_related(*PEOPLE)


def chip(stands):
    """(colour, icon, words) of a version's state."""
    _, colour, icon, said = STATES[stands.state]
    return colour, icon, said.format(stands.missing[0].label.lower() if stands.missing else "")


def title(stands):
    return STATES[stands.state][0].format(stands.version.number)


def contract(version):
    """What the contract says, section by section; every term in words by its section."""
    content = said_by(version)
    tiers = list(version.definition.tiers.all())
    reasons = list(version.reasons.all())
    commitments = list(version.commitments.select_related("tier"))
    business = version.clock_basis != SLAVersion.ClockBasis.ELAPSED
    terms = {}
    for term in comparison.terms(content, people=names()):
        terms.setdefault(term.section, []).append(term)
    return {
        "tiers": [{"name": tier.name, "key": tier.key, "words": words.tier(tier)} for tier in tiers],
        "lowest": min((tier.total for tier in tiers), default=0),
        "marketing": sorted(
            (_measured(c) for c in commitments if c.party == Party.MARKETING), key=lambda row: ORDER.index(row["term"])
        ),
        "reliability": [_measured(c) for c in commitments if c.kind == Commitment.Kind.SHARE_KEPT],
        "times": _times(commitments, tiers, business),
        "clock": CLOCKS[version.clock_basis].format(week=words.week(version.calendar.week, version.calendar.zone)),
        "cool_off": words.span(version.cool_off),
        "terms": terms,
        "clocks": [term for term in terms["clocks"] if not term.key.startswith("touch ")],
        "contacts": _contacts(version),
        "covers": [t for t in terms["marketing"] if t.key in ("sources", "campaigns")],
        "reasons": [(c.value, c.label, [r for r in reasons if r.category == c and not r.retired]) for c in Category],
        "retired": [reason for reason in reasons if reason.retired],
    }


def said_by(version):
    """The content as plain JSON: the text that was signed, or what a draft's rows say now."""
    return (
        json.loads(version.canonical)["content"]
        if version.canonical
        else json.loads(canonical_json(version.content()))
    )


def names():
    """Names by number, of everybody who may be a signatory."""
    return dict(User.objects.values_list("pk", "name"))


def changes(version, history):
    """(the version it is compared with, the Comparison), or (None, None) for the first one.

    A version that is not in force yet is compared with the one in force; one that is or was, with the one before it.
    """
    stands = of(version, history)
    if stands.state in ("in_force", "succeeded"):
        earlier = [one for one in history if one.begins_at and one.begins_at < stands.begins_at]
        base = max(earlier, key=lambda one: one.begins_at, default=None)
    else:
        base = next((one for one in history if one.state == "in_force"), None)
    if base is None or base.version.pk == version.pk:
        return None, None
    before = SLAVersion.objects.select_related("definition", "calendar").get(pk=base.version.pk)
    return before, comparison.compare(said_by(before), said_by(version), people=names())


def of(version, history):
    return next(one for one in history if one.version.pk == version.pk)


def allowed(stands, user, *, at):
    """What this person may do with the version now, by name of the act, for the page to offer."""
    author, leads = may(user, May.DRAFT_AGREEMENT), may(user, May.RETURN_AGREEMENT)
    signs = sides(stands, user, at=at) if stands.waits else []
    proposer = stands.version.proposed_by_id == user.pk
    return {
        "draft": author,
        "edit": author and stands.state == "draft",
        "comment": may(user, May.DISCUSS_AGREEMENT) and stands.allows("comment_version"),
        "withdraw": stands.waits and author and (proposer or leads),
        "return": stands.waits and (leads or bool(signs)),
        "sign": signs[0] if signs else None,
    }


def sides(stands, user, *, at):
    """[(party, the signatory they stand in for)] that this person could still sign for; none once they signed."""
    if any(row.signed_by_id == user.pk for row in stands.signatures.values()):
        return []
    return [
        (party, signatory)
        for party in stands.missing
        for person, signatory in signers(stands.version, party, at=at)
        if person.pk == user.pk
    ][:1]


def signatures(stands, *, at):
    """Both sides in order: (party, its signature or None, who signs where nobody has)."""
    rows = []
    for party in Party:
        row = stands.signatures.get(party)
        waiting = [] if row or not stands.waits else signers(stands.version, party, at=at)
        rows.append((party, row, waiting))
    return rows


def deputies(user, *, at):
    """For a leader: their side, the standing deputy or None, and who could be one."""
    side = next((party for party in Party if user.holds(LEADER[party])), None)
    if side is None:
        return None
    standing = Deputy.objects.standing(at=at).filter(party=side, appointed_by=user).select_related("deputy").first()
    people = User.objects.active().exclude(pk=user.pk).exclude(roles=[])
    return {
        "party": side,
        "standing": standing,
        "people": people.exclude(roles__contains=[LEADER[side.other]]).order_by("name"),
    }


def everything(at):
    return standings(at=at)


def _contacts(version):
    """What stops the contact clock: [(words, the term's name)]."""
    return [(said, f"A contact: {said}") for touch, said in words.TOUCHES.items() if touch in version.touch_kinds]


def _measured(commitment):
    name, measure = MEASURES[commitment.kind]
    target = words.target(commitment.kind, commitment.at_least, commitment.at_most)
    return {"name": name, "measure": measure, "target": target, "term": comparison.KINDS[commitment.kind][1]}


def _times(commitments, tiers, business):
    """Sales’s times: a row a kind, a cell a tier (None where a draft has no time yet)."""
    within = {(c.kind, c.tier_id): c.within for c in commitments if c.within is not None}

    def cell(kind, kind_name, tier):
        length = within.get((kind, tier.pk))
        return tier.name, words.span(length, business=business) if length else "not set", f"{kind_name}, {tier.name}"

    return [{"name": name, "cells": [cell(kind, name, tier) for tier in tiers]} for kind, name in TIMES]
