"""A program that syncs by cursor misses nothing, whoever writes meanwhile and however late they commit."""

import datetime as dt
import threading
from contextlib import contextmanager
from inspect import unwrap

import pytest
from django.db import connection, transaction
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from leads.models import Deal, Handoff, Lead
from leads.services.capture import capture_lead
from leads.services.deal import record_deal
from leads.services.qualify import open_handoff
from portal.shared.settled import settled
from tests import cast
from tests.api import Program

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE, DAY = 20, dt.timedelta(days=1)
TABLES = {"leads": Lead, "handoffs": Handoff, "deals": Deal}


@pytest.fixture(autouse=True)
def law(db):
    return cast.agreement(at=dt.datetime(2022, 1, 1, tzinfo=dt.UTC))


@pytest.fixture
def program(people):
    return Program(people.admin)


class Unfinished(threading.Thread):
    """A work on a connection of its own, in a transaction that is open until `finish`."""

    def __init__(self, work, *, fails=False):
        super().__init__()
        self.work, self.fails, self.error = work, fails, None
        self.wrote, self.go = threading.Event(), threading.Event()
        self.start()
        assert self.wrote.wait(PATIENCE)
        assert self.error is None

    def run(self):
        try:
            with transaction.atomic():
                self.work()
                self.wrote.set()
                assert self.go.wait(PATIENCE)
                transaction.set_rollback(self.fails)
        except Exception as error:
            self.error = error
        finally:
            self.wrote.set()
            connection.close()

    def finish(self):
        self.go.set()
        self.join(PATIENCE)
        assert self.error is None, self.error


@contextmanager
def unfinished(work, **options):
    """Gives what finishes it."""
    one = Unfinished(work, **options)
    try:
        yield one.finish
    finally:
        one.go.set()
        one.join(PATIENCE)


def sync(program, what, cursor=None, limit=2):
    """(the ids of all pages from there on, the cursor to come back with)."""
    found = []
    while True:
        said = program.get(what, {"limit": limit} | ({"cursor": cursor} if cursor else {})).json()
        found += [row.get("deal") or row["id"] for row in said["items"]]
        cursor = said["next_cursor"]
        if cursor is None:
            return found, said["resume_cursor"]


@pytest.fixture
def makers(people):
    """{list: make(n), which writes a row of it in the transaction of whoever calls}."""
    at = timezone.now()
    leads = [cast.capture_lead(facts={**cast.FACTS, "email": f"h{n}@x.example"}, at=at - DAY) for n in range(9)]
    return {
        "leads": lambda n: unwrap(capture_lead)(facts={"email": f"new{n}@x.example"}, at=at),
        "handoffs": lambda n: unwrap(open_handoff)(lead_id=leads[n].pk, by=None, at=at, owner=people.rep),
        "deals": lambda n: unwrap(record_deal)(lead_id=leads[n].pk, by=people.admin, at=at, outcome="won"),
    }


def committed(work, *arguments):
    with transaction.atomic():
        return work(*arguments)


@pytest.mark.parametrize("what", TABLES)
def test_a_row_that_commits_after_a_higher_one_was_written_is_seen(program, makers, what):
    make = makers[what]
    committed(make, 0)
    before, cursor = sync(program, what)
    assert before
    with unfinished(lambda: make(1)) as finish:
        committed(make, 2)
        early, cursor = sync(program, what, cursor)
        assert early == []  # the higher one waits for the lower one
        finish()
    late, cursor = sync(program, what, cursor)
    assert before + late == [*TABLES[what].objects.order_by("pk").values_list("pk", flat=True)]
    assert len(late) == 2
    committed(make, 3)
    assert [len(sync(program, what, cursor)[0]), sync(program, what, cursor)[0][0] > late[-1]] == [1, True]


def test_who_never_commits_holds_nobody_back_once_it_is_over(program, makers):
    _, cursor = sync(program, "leads")
    with unfinished(lambda: makers["leads"](1), fails=True) as finish:
        kept = committed(makers["leads"], 2)
        assert sync(program, "leads", cursor)[0] == []
        finish()
    assert sync(program, "leads", cursor)[0] == [kept.pk]


def test_what_was_there_before_the_writer_began_is_shown_and_other_lists_wait_for_nothing(program, makers):
    committed(makers["handoffs"], 0)
    with unfinished(lambda: makers["leads"](1)):
        known = sync(program, "leads")[0]
        assert len(known) == 9
        committed(makers["handoffs"], 2)
        assert len(sync(program, "handoffs")[0]) == 2


def by_sql():
    with connection.cursor() as cursor:
        cursor.execute(NEW)


def after_a_savepoint_that_failed():
    """Its lock is gone with it: the next INSERT takes another."""
    with transaction.atomic():
        by_sql()
        transaction.set_rollback(True)
    by_sql()


def within_a_savepoint():
    with transaction.atomic():
        by_sql()


def many_times():
    for n in range(30):
        Lead.objects.create(email=f"many{n}@x.example", created_at=timezone.now(), updated_at=timezone.now())


NEW = """
    INSERT INTO leads_lead (email, attributes, created_at, updated_at, phone, first_name, last_name, title, company,
        domain, industry, country, region, product, source, campaign, channel)
    SELECT 'sql@x.example', '{}', now(), now(), '', '', '', '', '', '', '', '', '', '', '', '', ''
"""


@pytest.mark.parametrize("way", [by_sql, after_a_savepoint_that_failed, within_a_savepoint, many_times])
def test_every_way_to_write_a_lead_tells_before_it_draws_an_id(program, makers, way):
    _, cursor = sync(program, "leads")
    with unfinished(way) as finish:
        committed(makers["leads"], 2)
        assert sync(program, "leads", cursor)[0] == []
        finish()
    assert sync(program, "leads", cursor)[0] == [*Lead.objects.order_by("pk").values_list("pk", flat=True)[9:]]


def locks_held():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_transaction_holds_one_lock_a_table_however_much_it_writes():
    with transaction.atomic():
        many_times()
        assert locks_held() == 1
        assert settled(Lead) == Lead.objects.latest("pk").pk  # who writes sees their own
    assert locks_held() == 0


def test_the_ids_that_an_import_draws_ahead_are_told_too(program, makers, tmp_path):
    """Those of its handoffs are drawn as rows are read, and used when all are."""
    path = tmp_path / "file.csv"
    path.write_text("id,email,day,decision\n1,a@old.example,2024-05-06,accepted\n2,h1@x.example,2024-05-06,accepted\n")
    columns = {"external_id": "id", "email": "email", "qualified_at": "day", "decision": "decision"}
    paused, go = threading.Event(), threading.Event()

    def progress(rows, done, stage):
        if stage == "Comparing with what is known":
            paused.set()
            assert go.wait(PATIENCE)

    def work():
        try:
            import_leads(
                path=path, document={"columns": columns}, historical=True, at=timezone.now(),
                errors_path=tmp_path / "errors.csv", progress=progress,
            )  # fmt: skip
        finally:
            paused.set()
            connection.close()

    cursors = {what: sync(program, what)[1] for what in ("leads", "handoffs")}
    importing = threading.Thread(target=work)
    importing.start()
    try:
        assert paused.wait(PATIENCE)
        assert importing.is_alive()
        committed(makers["leads"], 5)
        committed(makers["handoffs"], 5)
        for what in cursors:
            assert sync(program, what, cursors[what])[0] == []
    finally:
        go.set()
        importing.join(PATIENCE)
    assert [len(sync(program, what, cursors[what])[0]) for what in cursors] == [2, 3]


def test_ids_are_drawn_one_by_one():
    """A session that kept some back would use them after others' higher ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cache_size FROM pg_sequences WHERE sequencename = ANY(%s)",
            [[f"{model._meta.db_table}_id_seq" for model in TABLES.values()]],
        )
        assert cursor.fetchall() == [(1,)] * 3


def test_the_last_cursor_of_an_empty_list_and_of_an_empty_page_go_on(program, makers):
    assert sync(program, "deals")[0] == []
    _, cursor = sync(program, "deals")
    _, cursor = sync(program, "deals", cursor)
    deal = committed(makers["deals"], 0).deal
    assert sync(program, "deals", cursor)[0] == [deal.pk]
