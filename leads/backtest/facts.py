"""Which facts and events the leads really have: their names, their values and how often each occurs; reads only."""

from dataclasses import dataclass

from django.db import connection

from sla.conditions import ATTRIBUTE, LEAD_FIELDS
from sla.words import field

SAMPLED, SAMPLED_EVENTS, MOST_VALUES = 20_000, 50_000, 60
NEWEST = "(SELECT * FROM leads_lead ORDER BY id DESC LIMIT %(sampled)s) l"
ATTRIBUTES = f"""
SELECT key, count(*) FROM {NEWEST}, jsonb_each_text(l.attributes) WHERE trim(value) <> '' AND value <> '[]'
GROUP BY key ORDER BY count(*) DESC, key LIMIT 300
"""
VALUES_OF_COLUMN = f"""
SELECT l.{{column}}::text, count(*) FROM {NEWEST} WHERE trim(l.{{column}}::text) <> ''
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
VALUES_OF_ATTRIBUTE = f"""
SELECT value, count(*) FROM {NEWEST}, jsonb_array_elements_text(
    CASE jsonb_typeof(l.attributes -> %(name)s) WHEN 'array' THEN l.attributes -> %(name)s
    ELSE jsonb_build_array(l.attributes -> %(name)s) END) value
WHERE l.attributes ? %(name)s AND trim(value) <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
KINDS = """
SELECT kind, count(*) FROM (SELECT kind FROM leads_event ORDER BY id DESC LIMIT %(sampled)s) e
GROUP BY kind ORDER BY count(*) DESC, kind LIMIT 200
"""


@dataclass(frozen=True)
class Known:
    """A fact, a value or a kind of event, and how many of the newest leads (or events) have it."""

    name: str
    count: int
    said: str = ""


def facts() -> list[Known]:
    """Every fact of the newest leads: the columns, then the attributes, most frequent first."""
    filled = ", ".join(f"count(*) FILTER (WHERE trim({_column(name)}::text) <> '')" for name in LEAD_FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {filled} FROM {NEWEST}", {"sampled": SAMPLED})
        counts = cursor.fetchone()
        cursor.execute(ATTRIBUTES, {"sampled": SAMPLED})
        attributes = cursor.fetchall()
    columns = [Known(name, count, field(name)) for name, count in zip(LEAD_FIELDS, counts, strict=True)]
    return columns + [Known(f"{ATTRIBUTE}{name}", count, name) for name, count in attributes]


def values(name: str) -> list[Known]:
    """The most frequent values of a fact among the newest leads; none of a field that there is not."""
    params = {"sampled": SAMPLED, "most": MOST_VALUES, "name": name.removeprefix(ATTRIBUTE)}
    if name not in LEAD_FIELDS and not name.startswith(ATTRIBUTE):
        return []
    question = VALUES_OF_COLUMN.format(column=_column(name)) if name in LEAD_FIELDS else VALUES_OF_ATTRIBUTE
    with connection.cursor() as cursor:
        cursor.execute(question, params)
        return [Known(value, count) for value, count in cursor.fetchall()]


def kinds() -> list[Known]:
    """The kinds of the newest events."""
    with connection.cursor() as cursor:
        cursor.execute(KINDS, {"sampled": SAMPLED_EVENTS})
        return [Known(kind, count) for kind, count in cursor.fetchall()]


def _column(name):
    return connection.ops.quote_name(name)
