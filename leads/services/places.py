"""Keeping the counts of the places short: what triggers noted is folded into one row a place."""

from django.db import connection, transaction

MOST = 200  # rows that a count may add up; more, and they are folded
FOLD = """
WITH taken AS (DELETE FROM leads_placecount RETURNING place, n)
INSERT INTO leads_placecount (place, n) SELECT place, sum(n) FROM taken GROUP BY place HAVING sum(n) <> 0
"""


@transaction.atomic(durable=True)
def fold_counts(*, most=MOST):
    """Fold where there are more than `most` rows. Readers see the same sum before, during and after."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM leads_placecount")
        if cursor.fetchone()[0] > most:
            cursor.execute(FOLD)
