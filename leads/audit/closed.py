"""What a closed audit keeps from being changed: one question, asked by every verb that would change it."""

from django.db import connection

from leads.audit.models import Closing
from portal.shared.refusal import Refusal

CHAIN = "audit.chain"  # who holds it alone closes, signs or opens an audit: see portal.shared.locks


class MonthClosed(Refusal):
    code = "month_closed"
    sentence = "The audit of this month is closed. Both sides can open it again; until then nothing of it changes."


def require_open(month):
    """A step: raise MonthClosed where the audit of a figures.Month is closed; who closes it now waits for us."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))", [CHAIN])
    if Closing.objects.of(month):
        raise MonthClosed
