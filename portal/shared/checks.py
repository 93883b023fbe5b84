"""What `manage.py check --deploy` says of the database's roles."""

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import connections

from portal.shared import privileges

ONE_ROLE = Warning(
    "The portal connects as the owner of its tables, who may disable the triggers that keep its facts.",
    hint="Give the portal a role of its own in DATABASE_URL, and the owner in DATABASE_OWNER_URL; then migrate.",
    id="handoff.W001",
)
TOO_MUCH = """
    SELECT DISTINCT name FROM unnest(%s::text[]) AS name
    WHERE has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')
       OR has_table_privilege(name, 'TRUNCATE')
    ORDER BY name
"""


@register(Tags.security, deploy=True)
def two_roles(app_configs, **kwargs):
    """W001 when owner and portal are one role."""
    return [] if privileges.are_apart() else [ONE_ROLE]


@register(Tags.database)
def portal_may_not_change_facts(app_configs, databases, **kwargs):
    """E001 (`check --database default`) for append-only tables that the portal's role could change after all."""
    role = settings.DATABASES["default"]["USER"]
    if not privileges.are_apart():
        return []
    asked = [connections[alias] for alias in databases or []]
    found = [
        name for connection in asked if connection.settings_dict["USER"] == role for name in changeable(connection)
    ]
    hint = f"Run migrate: it takes the privileges back ({role})."
    return [Error(f"The portal's role may change facts: {', '.join(found)}.", hint=hint, id="handoff.E001")] * bool(
        found
    )


def changeable(connection):
    """The append-only tables that the connected role may update, delete from or empty."""
    present = set(connection.introspection.table_names()) & set(privileges.tables_with("append_only"))
    with connection.cursor() as cursor:
        cursor.execute(TOO_MUCH, [sorted(present)])
        return [name for (name,) in cursor.fetchall()]
