"""Least privilege: who owns the tables migrates, who serves the portal may only do what its verbs do.

A trigger alone is no wall: the owner of a table may empty it or disable its triggers, and a superuser may set
`session_replication_role`. The portal's role is neither, and holds no UPDATE or DELETE on append-only tables.
"""

from contextlib import contextmanager

from django.apps import apps
from django.conf import settings
from psycopg import sql

KEEPS_ROWS = ("append_only", "never_deleted")  # triggers whose tables nobody deletes from
# pgtrigger asks this function before each trigger whether the session wants it ignored. Nobody may want that.
NEVER_IGNORED = """
    CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false'
"""


def are_apart():
    """True when the portal connects as another role than the owner of its tables."""
    return settings.DATABASE_OWNER["USER"] != settings.DATABASES["default"]["USER"]


@contextmanager
def as_owner(connection):
    """Within it, `connection` belongs to the owner of the tables; outside a transaction only."""
    before = connection.settings_dict
    connection.close()
    connection.settings_dict = before | {key: settings.DATABASE_OWNER[key] for key in settings.DATABASE_OWNER}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def grant(connection, role):
    """Give `role` what the portal needs, and take whatever else it had; connected as the owner of the tables.

    SELECT and INSERT everywhere; UPDATE and DELETE except on append-only tables; of these UPDATE of the columns alone
    that an erasure blanks, which their triggers allow in its transaction; DELETE not on handoffs; TRUNCATE, TRIGGER,
    REFERENCES and CREATE nowhere. Repeating it changes nothing. Raises ProgrammingError without the role.
    """
    who, facts, kept = sql.Identifier(role), tables_with("append_only"), tables_with(*KEEPS_ROWS)
    statements = [
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC, {who}",
        "GRANT USAGE ON SCHEMA public TO {who}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {who}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {who}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {who}",
        "REVOKE UPDATE ON {facts} FROM {who}",
        "REVOKE DELETE ON {kept} FROM {who}",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {who}",
    ]
    names = {"who": who, "facts": _names(facts), "kept": _names(kept)}
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**names))
        for table, columns in erasable_columns().items():
            blanked = sql.SQL("GRANT UPDATE ({}) ON {} TO {}")
            cursor.execute(blanked.format(_names(columns), sql.Identifier(table), who))
        if (
            connection.pg_version >= 170000
        ):  # so that an import leaves fresh statistics behind; before, autovacuum does
            cursor.execute(sql.SQL("GRANT MAINTAIN ON ALL TABLES IN SCHEMA public TO {}").format(who))


def tables_with(*triggers):
    """The tables whose models have one of the named triggers, sorted."""
    return sorted(
        model._meta.db_table
        for model in apps.get_models()
        if any(trigger.name in triggers for trigger in getattr(model._meta, "triggers", ()))
    )


def erasable_columns():
    """{append-only table: the columns that an erasure blanks}."""
    return {
        model._meta.db_table: columns
        for model in apps.get_models()
        for trigger in getattr(model._meta, "triggers", ())
        if (columns := getattr(trigger, "erases", ()))
    }


def _names(tables):
    return sql.SQL(", ").join(map(sql.Identifier, tables))
