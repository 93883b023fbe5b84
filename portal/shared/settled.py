"""How far a table is settled: up to which id no row can appear any more, whoever is still writing (docs/adr/0017).

Ids are drawn when rows are written and seen when they are committed, so that a lower one may appear after a higher
one. Whoever inserts therefore holds, until the end of the transaction, a shared advisory lock whose number tells the
last id drawn before its own. It keeps nobody waiting; it only tells readers how far they may look.
"""

import zlib

import pgtrigger
from django.db import connection

BITS = 40  # of a lock's number are an id, the ones above say of which table


def told(table):
    """The SQL, after SELECT or PERFORM, that tells from where on this transaction draws ids; once is enough.

    For whoever draws ids ahead of the INSERT, whose trigger tells too.
    """
    setting = f"handoff.told_{table}"
    return f"""
        set_config('{setting}', 'yes', true),
        pg_advisory_xact_lock_shared(({_series(table)} << {BITS}) | (last_value - (NOT is_called)::integer))
        FROM {table}_id_seq WHERE coalesce(current_setting('{setting}', true), '') = ''
    """


def tells_its_ids(table):
    """The trigger that tells before any id is drawn: INSERT and COPY fire it before they ask for defaults."""
    return pgtrigger.Trigger(
        name="tells_its_ids",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func=f"PERFORM {told(table)}; RETURN NULL;",
    )


# The newest id is older than the look at the locks, and what is shown is asked for after it: whoever then holds no
# lock yet will draw higher ids, and whoever holds none any more is seen.
SETTLED = """
    SELECT coalesce(least((SELECT max(id) FROM {table}), (
        SELECT min(((classid::bigint << 32) | objid::bigint) & {mask}) FROM pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND classid::bigint >> {above} = {series}
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid IS DISTINCT FROM pg_backend_pid()
    )), 0)
"""


def settled(model):
    """The id up to which all rows of the model are committed or will never be. Ask for the rows after it."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(SETTLED.format(table=table, mask=(1 << BITS) - 1, above=BITS - 32, series=_series(table)))
        return cursor.fetchone()[0]


def _series(table):
    """24 bits that stand for a table. A lock of another use with the same ones only holds back for as long."""
    return f"{zlib.crc32(table.encode()) >> 8}::bigint"
