"""Keeping the roll-up: build it, fold what was written since, work out first contacts of months that are over.

Only one process at a time does any of it: who holds the one row of RollupState. Facts are written meanwhile, and
noted as deltas; only a build makes their writers wait.
"""

from django.db import OperationalError, connection, transaction

from leads import figures, rollup
from leads.models import RollupContact, RollupState

BATCH = 10_000  # deltas folded in one transaction
MONTHS = 24  # of these, the newest, first contacts are kept worked out
AT_A_TIME = 3  # months worked out in one go
PATIENCE = "3s"  # for writers at work; longer, and those who come after would wait behind a build

FOLD = f"""
WITH taken AS (
    DELETE FROM leads_rollupdelta WHERE id IN (SELECT id FROM leads_rollupdelta ORDER BY id LIMIT %(batch)s)
    RETURNING *
), forgotten AS (
    DELETE FROM leads_rollupcontact WHERE first IN
        (SELECT date_trunc('month', qualified_day::timestamp)::date FROM taken)
), folded AS (
    INSERT INTO leads_rollup ({rollup.CELL}, n) {rollup.SPREAD.format(deltas="taken")}
    ON CONFLICT ({rollup.CELL}) DO UPDATE SET n = leads_rollup.n + EXCLUDED.n
)
SELECT count(*) FROM taken
"""
BUILD = f"INSERT INTO leads_rollup ({rollup.CELL}, n) {rollup.SPREAD.format(deltas=rollup.HANDOFFS)}"

UNKNOWN = """
SELECT DISTINCT first FROM leads_rollup
WHERE dimension = 'all' AND NOT decided AND n > 0 AND first < %(current)s AND first >= %(oldest)s
    AND first NOT IN (SELECT first FROM leads_rollupcontact) ORDER BY first DESC LIMIT %(limit)s
"""
# Nothing of the month lies after the cut, and whoever still waits has waited longer than what decides the median:
# from then on only a change of one of its handoffs can move it.
SETTLED = """
SELECT NOT EXISTS (
    SELECT FROM leads_handoff h WHERE h.qualified_at >= %(start)s AND h.qualified_at < %(end)s AND NOT h.exploration
    AND (
        h.first_touch_at > %(at)s OR h.decided_at > %(at)s OR h.withdrawn_at > %(at)s
        OR h.status = 'open' AND h.first_touch_at IS NULL AND %(at)s - h.qualified_at < COALESCE(%(median)s, (
            SELECT max(t.first_touch_at - t.qualified_at) FROM leads_handoff t
            WHERE t.qualified_at >= %(start)s AND t.qualified_at < %(end)s AND NOT t.exploration))))
"""


def keep_rollup(*, at, zone):
    """What the worker does again and again: build it where it is missing or of another zone, fold, work out."""
    if rollup.zone_kept() != str(zone) and not rebuild_rollup(at=at, zone=zone):
        return
    while fold_rollup() == BATCH:
        pass
    work_out_contacts(at=at, zone=zone)


@transaction.atomic(durable=True)
def rebuild_rollup(*, at, zone):
    """Count all handoffs anew, in `zone`; writers wait meanwhile. False where one of them was too long at work."""
    try:
        _ask("SELECT set_config('lock_timeout', %(patience)s, true)", patience=PATIENCE)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE leads_handoff IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SELECT 1 FROM leads_rollupstate FOR UPDATE")
    except OperationalError:
        return False
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM leads_rollup")
        cursor.execute("DELETE FROM leads_rollupcontact")
        cursor.execute("DELETE FROM leads_rollupdelta")
        cursor.execute(BUILD, {"zone": str(zone)})
    RollupState.objects.update_or_create(pk=1, defaults={"zone": str(zone), "built_at": at})
    return True


@transaction.atomic(durable=True)
def fold_rollup(*, batch=BATCH):
    """Fold the oldest `batch` deltas; returns how many. None while another process keeps the roll-up."""
    if not _held():
        return 0
    ((folded,),) = _ask(FOLD, batch=batch)
    return folded


def work_out_contacts(*, at, zone, months=AT_A_TIME):
    """Keep the first contacts of months that are over and were not known, the newest first; returns how many."""
    current = figures.Month.of(at, zone)
    span = {"current": current.first, "oldest": current.plus(-MONTHS).first, "limit": months}
    return sum(_work_out(figures.Month(first), at, zone) for (first,) in _ask(UNKNOWN, **span))


@transaction.atomic(durable=True)
def _work_out(month, at, zone):
    if not _held():  # a fold in between would not see what is being written here
        return False
    found = figures.first_contact(month, as_of=at, zone=zone)
    span = {"start": month.begins(zone), "end": month.ends(zone)}
    ((settled,),) = _ask(SETTLED, at=at, median=found.median, **span)
    if settled:
        kept = {"median": found.median, "n": found.n, "within_5_min": found.within_5_min, "as_of": at}
        RollupContact.objects.update_or_create(first=month.first, defaults=kept)
    return settled


def _held():
    return bool(_ask("SELECT 1 FROM leads_rollupstate FOR UPDATE SKIP LOCKED"))


def _ask(sql, **params):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
