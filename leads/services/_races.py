"""Captures of one person wait for each other; an import does not wait for them, and may be the first by an instant."""

from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected

from leads.services._told import TwoLeads

ONE_A_PERSON = ("leads_lead_one_an_outside_id", "leads_lead_one_a_mailbox")


def overtaken(work, *, tries=3):
    """What the work gives. Where the same new person was committed meanwhile, the work is undone and done anew, and
    then finds that person known.

    Refuses: TwoLeads, where the names that are told stay those of another lead.
    """
    for left in reversed(range(tries)):
        try:
            with transaction.atomic():
                return work()
        except (IntegrityError, OperationalError) as error:
            if not (_is_one_person(error) or (left and isinstance(error.__cause__, DeadlockDetected))):
                raise
    raise TwoLeads


def _is_one_person(error):
    diagnosis = getattr(error.__cause__, "diag", None)
    return isinstance(error, IntegrityError) and diagnosis and diagnosis.constraint_name in ONE_A_PERSON
