"""The table of legal moves is what the database enforces and what the page of states shows."""

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from leads import lifecycle
from sla import lifecycle as agreement_lifecycle


@pytest.mark.parametrize(("name", "table"), [("states.md", lifecycle), ("agreement-states.md", agreement_lifecycle)])
def test_the_page_of_states_is_current(name, table):
    page = settings.BASE_DIR / "docs" / name
    assert page.read_text(encoding="utf-8") == table.as_markdown(), "run `manage.py states`"


def test_a_page_of_states_that_is_behind_is_noticed(settings, tmp_path, capsys):
    settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError, match=r"manage\.py states"):
        call_command("states", check=True)
    call_command("states")
    call_command("states", check=True)
    assert (tmp_path / "docs" / "states.md").read_text(encoding="utf-8") == lifecycle.as_markdown()


def test_every_move_is_made_by_a_verb_that_exists():
    from leads.services import decide, dispute, qualify, withdraw

    verbs = vars(decide) | vars(dispute) | vars(qualify) | vars(withdraw)
    assert {move.verb for move in lifecycle.MOVES} <= set(verbs)


def test_a_handoff_begins_open_and_every_state_is_reached():
    assert [move.target for move in lifecycle.MOVES if move.source is None] == [lifecycle.OPEN]
    assert {move.target for move in lifecycle.MOVES} == set(lifecycle.STATUSES)


@pytest.mark.parametrize("source", lifecycle.STATUSES)
@pytest.mark.parametrize("target", lifecycle.STATUSES)
def test_the_database_allows_exactly_the_moves_of_the_table(db, source, target):
    """Asked of the trigger's own text, so that the table and the database cannot part."""
    if source == target:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname LIKE 'pgtrigger_legal_moves_%%'")
        (body,) = cursor.fetchone()
    assert (f"('{source}', '{target}')" in body) is (
        (source, target) in {(move.source, move.target) for move in lifecycle.MOVES}
    )


def test_an_unknown_state_is_refused(open_lead):
    handoff = open_lead()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE leads_handoff SET status = 'lost' WHERE id = %s", [handoff.pk])
