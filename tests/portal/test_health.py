"""What a load balancer and a person on call ask: is it alive, and can it work?"""

import io
import json
import logging
import threading

import psycopg
import pytest
from django.core.cache import cache
from django.test import Client

from portal import health, heartbeat, logs
from portal.celery import app

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No sign of life and no answer from another test; a busy machine has its time."""
    cache.delete(heartbeat.KEY)
    monkeypatch.setattr(health, "_readiness", health.Readiness())
    monkeypatch.setattr(health, "PATIENCE", 30)


def test_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"alive\n")


def test_ready_when_everything_is_there(client):
    heartbeat.note()
    answer = client.get("/readyz")
    facts = answer.json()
    assert facts.pop("worker_age") < 5
    assert facts == {"ready": True, "database": "ok", "migrations": "ok", "broker": "ok", "worker": "ok"}
    assert answer.status_code == 200


def test_not_ready_before_the_worker_gave_a_sign_of_life(client):
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["worker"], answer.json()["worker_age"]) == ("late", None)


def test_not_ready_when_the_last_sign_of_life_is_old(client, monkeypatch):
    heartbeat.note()
    monkeypatch.setattr(heartbeat, "LATE", -1)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["worker"]) == (503, "late")


def test_not_ready_while_a_migration_is_missing(client, monkeypatch):
    heartbeat.note()
    known = health._known_migrations()
    monkeypatch.setattr(health, "_known_migrations", lambda: known | {("leads", "9999_of_the_next_version")})
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//", "redis+socket:///nowhere/valkey"])
def test_not_ready_without_a_broker(client, monkeypatch, url):
    heartbeat.note()
    monkeypatch.setattr(app.conf, "broker_url", url)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["broker"]) == (503, "failed")


def test_not_ready_without_a_database_and_the_answer_gives_nothing_away(client, monkeypatch):
    def refused():
        raise psycopg.OperationalError("connection to server at 10.0.0.7 failed for user portal")

    monkeypatch.setitem(health.QUESTIONS, "database", refused)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["database"]) == (503, "failed")
    assert b"10.0.0.7" not in answer.content


def test_who_asks_all_the_time_is_told_what_was_found_last(client, monkeypatch):
    asked = []
    monkeypatch.setattr(health, "KEPT", 3600)
    monkeypatch.setitem(health.QUESTIONS, "broker", lambda: asked.append(1) or "failed")
    answers = {client.get("/readyz").content for _ in range(20)}
    assert (len(answers), len(asked)) == (1, 1)


def test_a_part_that_hangs_has_failed_and_is_not_asked_again(client, monkeypatch):
    asked, go = [], threading.Event()

    def hangs():
        asked.append(1)
        go.wait(60)
        return "ok"

    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setattr(health, "KEPT", 0)
    monkeypatch.setitem(health.QUESTIONS, "broker", hangs)
    try:
        for _ in range(5):
            answer = client.get("/readyz")
            assert (answer.status_code, answer.json()["broker"], len(asked)) == (503, "failed", 1)
    finally:
        go.set()


def test_one_request_waits_for_a_part_that_hangs_and_no_other(client, monkeypatch):
    heartbeat.note()
    monkeypatch.setattr(health, "KEPT", 0)
    assert client.get("/readyz").status_code == 200
    hanging, go, answers = threading.Event(), threading.Event(), []

    def hangs():
        hanging.set()
        go.wait(60)
        return "failed"

    monkeypatch.setitem(health.QUESTIONS, "broker", hangs)
    first = threading.Thread(target=lambda: answers.append(Client().get("/readyz").status_code))
    first.start()
    try:
        assert hanging.wait(30)
        for _ in range(5):
            assert client.get("/readyz").status_code == 200  # what was found last
        assert answers == []
    finally:
        go.set()
        first.join(30)
    assert answers == [503]


def test_the_worker_task_is_the_sign_of_life():
    app.tasks["portal.heartbeat"].apply()
    assert heartbeat.age() < 5


def test_an_answer_carries_the_request_id_it_was_given(client):
    assert client.get("/healthz", headers={"X-Request-ID": "lead-4711"})["X-Request-ID"] == "lead-4711"


@pytest.mark.parametrize("given", ["", "two words", "x" * 200, "line\x0bbreak"])
def test_a_malformed_request_id_is_replaced(client, given):
    answered = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert len(answered) == 36
    assert answered != given


def test_the_line_in_the_log_has_the_id_that_the_answer_carries(client, lines):
    answered = client.get("/account/login/")["X-Request-ID"]
    assert {line["request_id"] for line in lines()} == {answered}


@pytest.fixture
def lines(settings):
    """The log as production writes it, one decoded line each."""
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    level = root.level
    logs.configure({"json": True, "level": "INFO"})
    written = io.StringIO()
    root.handlers[-1].setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    logs.configure(settings.LOGGING)
    root.handlers[:] = before
    root.setLevel(level)


def test_a_line_in_the_log_names_the_request_and_keeps_the_query_out(client, lines):
    client.get("/account/login/?next=ada@example.org", headers={"X-Request-ID": "lead-4711"})
    [line] = [line for line in lines() if line["event"] == "request_finished"]
    assert (line["request_id"], line["code"]) == ("lead-4711", 200)
    assert line["request"].startswith("GET /account/")
    assert "ada@example.org" not in json.dumps(lines())
