"""Figures by the API are those of the audit, for those who may read it."""

import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from leads.audit.closing import close_audit
from leads.figures import Month
from leads.services.decide import accept_handoff, reject_handoff
from portal.keys.scopes import FIGURES_READ
from tests import cast
from tests.api import Program


@pytest.fixture
def month(agreement, people):
    """This month, with an acceptance, a rejection and an open lead."""
    now = timezone.now()
    rows = [cast.open_handoff(owner=people.rep, at=now) for _ in range(3)]
    accept_handoff(handoff_id=rows[0].pk, by=people.rep, at=now)
    reject_handoff(handoff_id=rows[1].pk, by=people.rep, at=now, reason="11", note="too small")
    return str(Month.of(now, timezone.get_default_timezone()))


def test_a_month_is_the_one_that_the_command_prints(month, people, capsys):
    program = Program(people.marketer, FIGURES_READ)
    said = program.get(f"audits/{month}", {"by": "source", "basis": "cohort"}).json()
    call_command("audit", month, "--json", "--by", "source", "--basis", "cohort")
    printed = json.loads(capsys.readouterr().out)
    assert said | {"as_of": ""} == printed | {"as_of": ""}
    assert (said["mqls"], said["sqls"], said["rejected"], said["undecided"]) == (3, 1, 1, 1)


def test_a_closed_month_is_what_was_signed_until_asked_for_today(month, people):
    zone, now = timezone.get_default_timezone(), timezone.now()
    last = Month.parse(month).plus(-1)
    closing = close_audit(month=last, by=people.sales_leader, at=now, zone=zone)
    cast.open_handoff(owner=people.rep, at=last.begins(zone))
    program = Program(people.marketer, FIGURES_READ)
    said, live = (program.get(f"audits/{last}", asked).json() for asked in ({}, {"live": "true"}))
    assert (said["mqls"], said["closed"]) == (
        0,
        {"number": 1, "fingerprint": closing.fingerprint, "signed_at": None},
    )
    assert (live["mqls"], live["closed"]) == (1, None)
    assert program.get(f"audits/{month}").json()["closed"] is None


def test_months_stand_beside_each_other_the_earliest_first(month, people):
    said = Program(people.sales_leader).get("figures", {"months": 3}).json()
    assert [row["mqls"] for row in said["months"]] == [0, 0, 3]
    assert said["months"][-1] | {"rate": None} == {
        "month": month, "mqls": 3, "sqls": 1, "rejected": 1, "undecided": 1, "withdrawn": 0, "rate": None,
        "reasons": {"fit": 1},
    }  # fmt: skip
    assert said["months"][0]["rate"] is None


def test_a_rep_reads_no_audit(month, people):
    for where in (f"audits/{month}", "figures"):
        assert Program(people.rep).get(where).json()["code"] == "not_permitted"


@pytest.mark.parametrize(
    ("where", "query", "status"),
    [
        ("audits/2026-13", {}, 422), ("audits/٢٠٢٦-10", {}, 422), ("audits/2099-01", {}, 404),
        ("audits/2020-01", {"by": "password"}, 422), ("audits/2020-01", {"basis": "x"}, 422),
        ("audits/2020-01", {"live": "perhaps"}, 422),
        ("figures", {"months": "61"}, 422), ("figures", {"last": "2099-01"}, 404), ("audits/1900-01", {}, 200),
    ],
)  # fmt: skip
def test_there_are_no_other_months_and_views(month, people, where, query, status):
    assert Program(people.marketer).get(where, query).status_code == status
