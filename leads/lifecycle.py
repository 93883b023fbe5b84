"""The life of a handoff: every legal move on one screen. The database trigger and docs/states.md are made from it."""

from typing import NamedTuple

OPEN, ACCEPTED, REJECTED, WITHDRAWN = "open", "accepted", "rejected", "withdrawn"
STATUSES = (OPEN, ACCEPTED, REJECTED, WITHDRAWN)


class Move(NamedTuple):
    """One legal move: the verb that makes it, from where, to where, who makes it, and what it leaves behind."""

    verb: str
    source: str | None
    target: str
    who: str
    record: str


MOVES = (
    Move("open_handoff", None, OPEN, "the portal, when a lead reaches a tier", "Handoff, Assignment"),
    Move("accept_handoff", OPEN, ACCEPTED, "owner or manager", "Decision"),
    Move("reject_handoff", OPEN, REJECTED, "owner or manager, with a reason code", "Decision"),
    Move("reopen_handoff", ACCEPTED, OPEN, "whoever decided, within the undo window", "Decision (supersedes)"),
    Move("reopen_handoff", REJECTED, OPEN, "whoever decided, within the undo window", "Decision (supersedes)"),
    Move(
        "rule_on_dispute", REJECTED, OPEN, "a sales manager, on marketing's dispute", "Ruling, Decision (supersedes)"
    ),
    Move("withdraw_handoff", OPEN, WITHDRAWN, "the portal or an admin, with a reason", "withdrawn_at, _by, _why"),
)


def as_sql_values():
    """The moves between two states as a SQL VALUES list, for the trigger."""
    return ", ".join(dict.fromkeys(f"('{m.source}', '{m.target}')" for m in MOVES if m.source))


def as_markdown():
    """docs/states.md: a Mermaid picture and the table of moves."""
    picture = "\n".join(f"    {m.source or '[*]'} --> {m.target}: {m.verb}" for m in MOVES)
    rows = "\n".join(f"| `{m.verb}` | {m.source or '–'} | {m.target} | {m.who} | {m.record} |" for m in MOVES)
    return (
        "# States of a handoff\n\nMade from `leads/lifecycle.py` by `manage.py states`; do not edit.\n\n"
        f"```mermaid\nstateDiagram-v2\n{picture}\n```\n\n"
        f"| verb | from | to | who | record |\n|---|---|---|---|---|\n{rows}\n"
    )
