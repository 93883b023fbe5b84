"""The default queue: a lead in it has an owner and a clock of its own, and one rep claims it."""

import pytest
from django.db import DatabaseError

from tests.leads.test_invariants import run


@pytest.mark.parametrize(
    "shape", ["queued_at = now()", "queue_due_at = now()", "queued_at = now(), queue_due_at = now(), owner_id = NULL"]
)
def test_a_lead_in_the_queue_without_its_owner_or_its_clock_is_refused_by_the_database(open_lead, shape):
    open_lead()
    with pytest.raises(DatabaseError, match="leads_handoff_queue_has_owner_and_clock"):
        run(f"UPDATE leads_handoff SET {shape}")
