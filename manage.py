#!/usr/bin/env python3
"""Django's command line for the portal; starts the embedded services when no addresses are configured."""

import os
import sys

NEEDS_NO_SERVICES = {"collectstatic", "diffsettings", "findstatic", "help", "stop", "version"}

MAKES_ITS_OWN_TABLES = {"check", "dbshell", "makemigrations", "migrate", "showmigrations", "sqlmigrate", "test", "up"}


def needs_services(arguments):
    """True unless the command only looks at the code, or ends the services."""
    command = next((word for word in arguments if not word.startswith("-")), "help")
    only_looks = command in NEEDS_NO_SERVICES or (command == "makemigrations" and "--check" in arguments)
    return not (only_looks or {"-h", "--help"} & set(arguments)) or "--database" in arguments


def make_tables(arguments):
    """The first command on a new embedded database makes its tables; the one that does so itself is left alone."""
    from portal import embedded

    command = next((word for word in arguments if not word.startswith("-")), "help")
    if command in MAKES_ITS_OWN_TABLES or "DATABASE_URL" not in embedded.in_use():
        return
    import django
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NULL")
        (is_new,) = cursor.fetchone()
    if is_new:
        print("Making the tables of a new database (once) ...", file=sys.stderr)
        call_command("migrate", interactive=False, verbosity=0)
    connection.close()


def main():
    """Run the command; a setting or a service that is not fit for it costs one line, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line

        from portal import embedded
    except ImportError as missing:
        sys.exit(f"{missing}. Run `make setup`, then use .venv/bin/python.")
    try:
        if needs_services(sys.argv[1:]):
            embedded.provide()
            make_tables(sys.argv[1:])
        _ = settings.INSTALLED_APPS
    except (ImproperlyConfigured, embedded.CannotStart) as problem:
        sys.exit(f"handoff: {problem}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
