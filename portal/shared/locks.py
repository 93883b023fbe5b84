"""One at a time, for what has no row of its own to lock."""

from django.db import connection


def wait_for_others(what):
    """Wait until nobody else in a transaction has said the same words, and hold them until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [what])
