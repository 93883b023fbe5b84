"""Triggers that several apps use: rows that are only ever added, and rows frozen once their parent was proposed."""

import json
from dataclasses import dataclass

import pgtrigger


def refuse(sentence):
    """The SQL that refuses with an integrity error and one sentence."""
    text = sentence.replace("'", "''")
    return f"RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation';"


def no_truncate(what):
    return pgtrigger.Trigger(
        name="no_truncate",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Truncate,
        func=refuse(f"{what} are never emptied"),
    )


@dataclass(frozen=True)
class Erasable:
    """What may be blanked in rows that never change: {column: what stands there then}, all of them at once.

    proof: the SQL, over OLD, that says whether this very transaction erases the person that the row is about.
    """

    blanks: dict
    proof: str

    def as_sql(self):
        """Lets an UPDATE pass that blanks these columns and leaves every other one as it was."""
        columns = "ARRAY[" + ", ".join(f"'{name}'" for name in self.blanks) + "]"
        blanked = " AND ".join(
            f"to_jsonb(NEW) -> '{name}' = '{json.dumps(blank)}'::jsonb" for name, blank in self.blanks.items()
        )
        return f"""
            IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - {columns} = to_jsonb(OLD) - {columns} AND {blanked}
                AND {self.proof}
            THEN RETURN NEW; END IF;
        """


class AppendOnly(pgtrigger.Trigger):
    """The trigger of rows that are facts; `erases` names the columns that an erasure may blank (privileges.py)."""

    erases = ()


def append_only(what, erasable=None):
    """Refuses UPDATE, DELETE and TRUNCATE of a table whose rows are facts, but for what an Erasable allows."""
    trigger = AppendOnly(
        name="append_only",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=(erasable.as_sql() if erasable else "") + refuse(f"{what} are append-only"),
    )
    trigger.erases = tuple(erasable.blanks) if erasable else ()
    return [trigger, no_truncate(what)]


def frozen_once_proposed(what, *, word="proposed"):
    """Refuses any change of a row whose own proposed_at (or published_at, with word="published") is set."""
    return [
        pgtrigger.Trigger(
            name=f"frozen_once_{word}",
            when=pgtrigger.Before,
            operation=pgtrigger.Update | pgtrigger.Delete,
            condition=pgtrigger.Condition(f"OLD.{word}_at IS NOT NULL"),
            func=refuse(f"a {word} {what} does not change"),
        ),
        no_truncate(what),
    ]


def frozen_with_parent(what, *, table, column, word="proposed", parent="version"):
    """Refuses adding, changing or removing rows whose parent in `table` (by `column`) was proposed, or published.

    table: its name, or a SELECT in brackets with the columns id and <word>_at.
    """
    return [
        pgtrigger.Trigger(
            name="frozen_with_parent",
            when=pgtrigger.Before,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
            declare=[("parent", "bigint")],
            func=f"""
                FOR parent IN SELECT unnest(CASE TG_OP
                    WHEN 'INSERT' THEN ARRAY[NEW.{column}]
                    WHEN 'DELETE' THEN ARRAY[OLD.{column}]
                    ELSE ARRAY[OLD.{column}, NEW.{column}] END)
                LOOP
                    IF EXISTS (SELECT 1 FROM {table} p WHERE p.id = parent AND p.{word}_at IS NOT NULL) THEN
                        {refuse(f"{what} of a {word} {parent} do not change")}
                    END IF;
                END LOOP;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            """,
        ),
        no_truncate(what),
    ]
