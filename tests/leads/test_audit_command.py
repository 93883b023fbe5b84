"""`manage.py audit`: the same figures as the page, for machines and for the terminal."""

import datetime as dt
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import get_default_timezone

from leads.audit.closing import close_audit, sign_audit
from leads.figures import Month
from leads.services.decide import accept_handoff
from sla.models import ReasonCode
from tests import cast
from tests.history import write

UTC = dt.UTC
SHAPE = {"month", "time_zone", "basis", "as_of", "mqls", "sqls", "rejected", "undecided", "withdrawn", "rate", "tier",
         "change", "reasons", "top_reason", "breakdown", "closed"}  # fmt: skip


@pytest.fixture
def march(agreement, people):
    """Fifty MQLs of March: ten accepted, thirty rejected (twenty for reading only), nine undecided, one withdrawn."""
    at = dt.datetime(2026, 3, 10, tzinfo=UTC)
    later = at + dt.timedelta(days=1)
    reading, small = (ReasonCode.objects.get(version=agreement, code=code) for code in ("41", "11"))
    return write(
        agreement,
        [{"qualified_at": at, "decided_at": later, "source": "Webinar", "owner": people.rep}] * 10
        + [{"qualified_at": at, "decided_at": later, "reason": reading, "source": "Webinar"}] * 20
        + [{"qualified_at": at, "decided_at": later + dt.timedelta(days=25), "reason": small}] * 10
        + [{"qualified_at": at}] * 9
        + [{"qualified_at": at, "withdrawn_at": later}],
    )


def run(capsys, *args):
    call_command("audit", *args)
    return capsys.readouterr().out


def as_json(capsys, *args):
    return json.loads(run(capsys, *args, "--json"))


def test_the_month_as_json_has_the_agreed_shape(march, capsys):
    found = as_json(capsys, "2026-03", "--by", "source")
    assert set(found) == SHAPE
    assert (found["month"], found["time_zone"], found["basis"]) == ("2026-03", "Europe/Berlin", "period")
    assert [found[name] for name in ("mqls", "sqls", "rejected", "undecided", "withdrawn")] == [50, 10, 20, 9, 1]
    assert found["rate"] == {
        "value": 0.2,
        "low": pytest.approx(0.1124, abs=1e-4),
        "high": pytest.approx(0.3304, abs=1e-4),
    }
    assert found["tier"] == "misaligned to good"
    assert found["reasons"] == [
        {"category": "scoring", "code": "41", "label": "Content-only interest", "n": 20, "share": 1.0,
         "low": pytest.approx(0.8389, abs=1e-4), "high": 1.0}
    ]  # fmt: skip
    assert found["top_reason"]["code"] == "41"
    assert found["breakdown"][0] == {
        "key": "Webinar", "mqls": 30, "sqls": 10, "rejected": 20, "undecided": 0,
        "rate": {"value": 1 / 3, "low": pytest.approx(0.1923, abs=1e-4), "high": pytest.approx(0.5122, abs=1e-4)},
    }  # fmt: skip


def test_the_cohort_follows_the_months_own_mqls_into_later_months(march, capsys):
    found = as_json(capsys, "2026-03", "--basis", "cohort")
    assert [found[name] for name in ("mqls", "sqls", "rejected", "undecided")] == [50, 10, 30, 9]
    assert as_json(capsys, "2026-04")["rejected"] == 10


def test_an_owner_is_named(march, capsys):
    keys = {row["key"]: row["mqls"] for row in as_json(capsys, "2026-03", "--by", "owner")["breakdown"]}
    assert keys == {"Rena Rep": 10, "": 40}


def test_a_range_is_a_list_and_a_month_without_mqls_has_no_rate(march, capsys):
    found = as_json(capsys, "--from", "2026-02", "--to", "2026-04")
    assert [audit["month"] for audit in found] == ["2026-02", "2026-03", "2026-04"]
    assert [audit["rate"] and audit["rate"]["value"] for audit in found] == [None, 0.2, None]
    assert found[1]["change"] == {"since": "2026-02", "value": None, "low": None, "high": None, "verdict": None}
    assert (found[0]["tier"], found[0]["top_reason"], found[0]["breakdown"]) == (None, None, [])


def test_a_closed_month_is_told_as_it_was_signed_and_live_only_when_asked(march, people, capsys, now):
    zone = get_default_timezone()
    asked = ("2026-03", "--by", "source")
    before = as_json(capsys, *asked)
    closing = close_audit(month=Month.parse("2026-03"), by=people.marketing_leader, at=now, zone=zone)
    frozen = as_json(capsys, *asked)
    assert frozen["closed"] == {"number": 1, "fingerprint": closing.fingerprint, "signed_at": None}
    later = now + dt.timedelta(hours=2)
    for party, by in (("marketing", people.marketing_leader), ("sales", people.sales_leader)):
        sign_audit(closing_id=closing.pk, party=party, fingerprint=closing.fingerprint, by=by, at=later)
    late = cast.open_handoff(owner=people.rep, at=march[0].qualified_at, source="Webinar")
    accept_handoff(handoff_id=late.pk, by=people.rep, at=late.qualified_at + dt.timedelta(days=1))
    frozen, live = as_json(capsys, *asked), as_json(capsys, *asked, "--live")
    assert dt.datetime.fromisoformat(frozen["closed"]["signed_at"]) == later
    assert dt.datetime.fromisoformat(frozen["as_of"]) == now
    apart = {"as_of": "", "closed": None}
    assert frozen | apart == before | apart
    assert (frozen["mqls"], live["mqls"], live["closed"]) == (50, 51, None)
    assert live["breakdown"][0]["mqls"] == frozen["breakdown"][0]["mqls"] + 1
    assert as_json(capsys, "2026-03")["breakdown"] == []
    closed = [audit["closed"] for audit in as_json(capsys, "--from", "2026-02", "--to", "2026-04")]
    assert closed == [None, frozen["closed"], None]
    assert f"closed, no. 1, fingerprint {closing.fingerprint}" in run(capsys, "2026-03")


def test_the_table_says_the_same_in_words(march, capsys):
    text = run(capsys, "2026-03", "--by", "source")
    assert "MQLs 50   SQLs 10   rejected 20   undecided 9   withdrawn 1" in text
    assert "rate 20.0% (11.2–33.0)   tier misaligned to good   change –" in text
    assert "top reason: Content-only interest" in text


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "Name one month, as 2026-10, or a range with --from and --to."),
        (["2026-03", "--from", "2026-01", "--to", "2026-02"], "Name one month"),
        (["--from", "2026-01"], "Name one month"),
        (["March"], "March is not a month such as 2026-10."),
        (["2026-03", "--by", "age"], "--by age is unknown: take one of source, campaign"),
        (["2026-03", "--basis", "best"], "--basis best is unknown: take one of period, cohort."),
        (["--from", "2026-03", "--to", "2026-02"], "--to 2026-02 lies before --from 2026-03."),
    ],
)
def test_a_mistake_is_answered_in_one_line(db, args, sentence):
    with pytest.raises(CommandError) as refused:
        call_command("audit", *args)
    assert str(refused.value).startswith(sentence)
    assert "\n" not in str(refused.value)
