"""Several questions in one message: each is answered in turn, as of its own moment, and nobody waits in between."""

from contextlib import ExitStack

from django.db import connection


def ask_together(*questions):
    """The rows of each (SQL, parameters), in order."""
    connection.ensure_connection()
    with ExitStack() as stack:
        stack.enter_context(connection.connection.pipeline())
        cursors = [stack.enter_context(connection.cursor()) for _ in questions]
        for cursor, question in zip(cursors, questions, strict=True):
            cursor.execute(*question)
        return [cursor.fetchall() for cursor in cursors]
