"""Rows that every test starts from: made by the verbs once a run, then copied back, in a tenth of the time."""

from django.db import connection, transaction

_kept = {}


def once(make, key):
    """What `make()` returns, a model instance, and all that it wrote; made as ever where people are there already.

    The rows come back with the ids they had: sequences go on counting, so nobody else gets these.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM accounts_user)")
        if cursor.fetchone()[0]:
            return make()
        if key not in _kept:
            before = _filled(cursor)
            made = make()
            after = _filled(cursor)
            _kept[key] = made, {table: data for table, data in after.items() if before.get(table) != data}
            return made
        made, rows = _kept[key]
        _put(cursor, rows)
    return type(made).objects.get(pk=made.pk)


def _filled(cursor):
    """{table: its rows as COPY writes them} of the tables that hold any."""
    found = {}
    for table in connection.introspection.django_table_names(only_existing=False):
        with cursor.copy(f"COPY {table} TO STDOUT") as copy:
            if data := b"".join(map(bytes, copy)):
                found[table] = data
    return found


def _put(cursor, rows):
    """Past the triggers, which judged these rows when they were made."""
    with transaction.atomic():
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table, data in rows.items():
            cursor.execute(f"DELETE FROM {table}")
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(data)
        cursor.execute("SET LOCAL session_replication_role = origin")
