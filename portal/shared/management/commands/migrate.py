"""`manage.py migrate`: Django's own, as the tables' owner; then the cache's table and the portal's privileges."""

from django.conf import settings
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connections, transaction

from portal.shared import privileges


class Command(migrate.Command):
    """What Django does, between becoming the owner and granting."""

    def handle(self, *args, **options):
        connection = connections[options["database"]]
        if not privileges.are_apart():
            return self._migrate(connection, *args, **options)
        with privileges.as_owner(connection):
            self._migrate(connection, *args, **options)
            with transaction.atomic(using=connection.alias):
                privileges.grant(connection, settings.DATABASES["default"]["USER"])
        return None

    def _migrate(self, connection, *args, **options):
        super().handle(*args, **options)
        if options["plan"] or options["check_unapplied"]:
            return
        call_command("createcachetable", verbosity=0, database=connection.alias)
        if "_pgtrigger_should_ignore" in _functions(connection):
            with connection.cursor() as cursor:
                cursor.execute(privileges.NEVER_IGNORED)


def _functions(connection):
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        return {name for (name,) in cursor.fetchall()}
