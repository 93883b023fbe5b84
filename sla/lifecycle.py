"""The life of a version: every legal move on one screen; pure. Its state is derived, nothing stores it."""

from typing import NamedTuple

DRAFT, PROPOSED, HALF_SIGNED, SIGNED, IN_FORCE = "draft", "proposed", "half_signed", "signed", "in_force"
SUCCEEDED, WITHDRAWN, RETURNED, OVERTAKEN = "succeeded", "withdrawn", "returned", "overtaken"
STATES = (DRAFT, PROPOSED, HALF_SIGNED, SIGNED, IN_FORCE, SUCCEEDED, WITHDRAWN, RETURNED, OVERTAKEN)
WAITING = (PROPOSED, HALF_SIGNED)
AUTHORS = "a marketer or either leader"


class Move(NamedTuple):
    """One legal move: the verb that makes it (or time), from where, to where, who makes it, what it leaves behind."""

    verb: str
    sources: tuple
    target: str | None
    who: str
    record: str


MOVES = (
    Move("draft_from", (None,), DRAFT, AUTHORS, "SLAVersion"),
    Move("change_draft", (DRAFT,), DRAFT, AUTHORS, "the draft's rows"),
    Move("discard_draft", (DRAFT,), None, AUTHORS, "nothing"),
    Move("propose_version", (DRAFT,), PROPOSED, AUTHORS, "canonical text, fingerprint, predecessor"),
    Move("comment_version", (DRAFT, PROPOSED, HALF_SIGNED), None, "an author or a sales manager", "Comment"),
    Move("sign_version", (PROPOSED,), HALF_SIGNED, "a side's signatory or their deputy", "Signature"),
    Move("sign_version", (HALF_SIGNED,), SIGNED, "the other side's signatory or their deputy", "Signature"),
    Move("withdraw_version", WAITING, WITHDRAWN, "whoever proposed it, or a leader", "Withdrawal"),
    Move("return_version", WAITING, RETURNED, "a signatory, a leader or a deputy, with a comment", "Withdrawal"),
    Move("time", (SIGNED,), IN_FORCE, "nobody: effective_from comes", "nothing"),
    Move("time", (IN_FORCE,), SUCCEEDED, "nobody: a later version begins", "nothing"),
    Move("sign_version", WAITING, OVERTAKEN, "nobody: both sides signed a later version", "nothing"),
)


def allows(verb, state):
    """True when `verb` is a legal act on a version in `state`."""
    return any(move.verb == verb and state in move.sources and move.target != OVERTAKEN for move in MOVES)


def state(*, proposed, withdrawn, parties, overtaken, begun, last_begun):
    """The state of a version from what its rows say.

    withdrawn: None or the kind of its withdrawal; parties: how many sides signed; overtaken: both sides signed a
    later one; begun: its beginning is not after the instant asked about; last_begun: no other one began later.
    """
    if not proposed:
        return DRAFT
    if withdrawn:
        return withdrawn
    if parties < 2:
        return OVERTAKEN if overtaken else HALF_SIGNED if parties else PROPOSED
    if not begun:
        return SIGNED
    return IN_FORCE if last_begun else SUCCEEDED


def as_markdown():
    """docs/agreement-states.md: a Mermaid picture and the table of moves."""
    arrows = [(s, m) for m in MOVES for s in m.sources if m.verb != "comment_version"]
    picture = "\n".join(f"    {source or '[*]'} --> {m.target or '[*]'}: {m.verb}" for source, m in arrows)
    rows = "\n".join(
        f"| `{m.verb}` | {', '.join(s or '–' for s in m.sources)} | {m.target or '–'} | {m.who} | {m.record} |"
        for m in MOVES
    )
    return (
        "# States of a version\n\nMade from `sla/lifecycle.py` by `manage.py states`; do not edit.\n\n"
        f"```mermaid\nstateDiagram-v2\n{picture}\n```\n\n"
        f"| verb | from | to | who | record |\n|---|---|---|---|---|\n{rows}\n"
    )
