"""Any two dimensions against each other, recounted in plain Python; each cell lists exactly the leads it counts."""

import datetime as dt
import re
from collections import defaultdict
from html import unescape
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import get_default_timezone

from leads import figures, figures_pairs
from leads.figures import Counts, Month
from leads.models import Handoff
from leads.services.rollup import fold_rollup, rebuild_rollup
from tests import kept
from tests.history import random_cases, write

UTC, ZONE, MARCH = dt.UTC, get_default_timezone(), Month.parse("2026-03")
CUTS = {"now": dt.datetime(2026, 11, 1, tzinfo=UTC), "a cut in April": dt.datetime(2026, 4, 2, 5, tzinfo=UTC)}
LINK = re.compile(r'<a (?:class="figure" )?href="(/leads/[^"]+)"[^>]*>([\d,]+)</a>')
PAIRS = [(r, c) for r, c in product(figures_pairs.ROWS, figures_pairs.COLUMNS) if r != c]


@pytest.fixture
def past(agreement, people):
    cases = random_cases(
        160, seed=21, version=agreement, owners=[people.rep, people.other_rep, people.south_rep],
        start=dt.datetime(2026, 2, 10, tzinfo=UTC), end=dt.datetime(2026, 4, 12, tzinfo=UTC),
    )  # fmt: skip
    return kept.once(
        lambda: write(agreement, cases), "past of the pairs", agreement.pk, people.rep.pk, empty="leads_lead"
    )


@pytest.fixture
def marketer(client, people):
    client.force_login(people.marketer)
    return client


def values(row):
    return {
        "reason": (row.reason.category, row.reason.code) if row.reason else None,
        "category": (row.reason.category, "") if row.reason else None,
        "source": row.source, "campaign": row.campaign, "channel": row.channel, "industry": row.industry,
        "segment": row.segment, "owner": str(row.owner_id or ""), "tier": row.tier.key if row.tier else "",
        "definition": str(row.definition.number),
    }  # fmt: skip


def recount(rows, columns, basis, as_of):
    """{(line, head): [mqls, sqls, rejected, undecided, withdrawn]} in plain Python."""
    start, end = MARCH.begins(ZONE), MARCH.ends(ZONE)
    found = defaultdict(lambda: [0] * 5)
    for row in Handoff.objects.select_related("reason", "tier", "definition"):
        late = any(at and at > as_of for at in (row.decided_at, row.withdrawn_at))
        status = "open" if late else row.status
        mql = start <= row.qualified_at < end and row.qualified_at <= as_of
        decided = row.decided_at and not late and start <= row.decided_at < end
        judged = decided if basis == "period" else mql
        held = values(row)
        if not (mql or judged):
            continue
        counted = [
            mql, judged and status == "accepted", judged and status == "rejected", mql and status == "open",
            mql and status == "withdrawn",
        ]  # fmt: skip
        if rows in ("reason", "category"):
            if not counted[2]:
                continue
            counted = [0, 0, 1, 0, 0]
        cell = found[held[rows], held[columns]]
        for i, n in enumerate(counted):
            cell[i] += bool(n)
    return {key: Counts(*numbers) for key, numbers in found.items()}


def asked(rows, columns, basis="period", as_of=CUTS["now"]):
    return figures_pairs.pair(MARCH, rows, columns, basis=basis, as_of=as_of, zone=ZONE)


def told(pair):
    """The cells by the keys of their line and head."""
    return {(pair.lines[i].key, pair.heads[j].key): counts for (i, j), counts in pair.cells.items()}


@pytest.mark.parametrize("basis", figures.BASES)
@pytest.mark.parametrize("as_of", CUTS.values(), ids=CUTS)
def test_every_pair_equals_a_recount_of_the_rows(past, basis, as_of):
    for rows, columns in PAIRS:
        pair = asked(rows, columns, basis, as_of)
        assert told(pair) == recount(rows, columns, basis, as_of), (rows, columns)


def test_the_cells_sum_to_the_lines_the_heads_and_the_month(past):
    (month,) = figures.series(MARCH, 1, basis="period", as_of=CUTS["now"], zone=ZONE)
    for rows, columns in PAIRS:
        pair = asked(rows, columns)
        assert pair.total == month.counts
        for i, line in enumerate(pair.lines):
            assert total(pair.cell(i, j) for j in range(len(pair.heads))) == line.counts
        assert total(head.counts for head in pair.heads) == month.counts
        if not pair.is_of_reasons:
            for j, head in enumerate(pair.heads):
                assert total(pair.cell(i, j) for i in range(len(pair.lines))) == head.counts


def total(counts):
    found = Counts()
    for each in counts:
        found = figures_pairs.add(found, each)
    return found


@pytest.mark.parametrize("basis", figures.BASES)
@pytest.mark.parametrize("rows", ["reason", "category"])
def test_reasons_by_source_out_of_the_roll_up_are_the_same_pair(past, basis, rows):
    rebuild_rollup(at=CUTS["now"], zone=ZONE)
    fold_rollup()
    span = {"basis": basis, "as_of": CUTS["now"], "zone": ZONE}
    (month,) = figures.series(MARCH, 1, **span)
    cut = figures.slices(MARCH, "owner", **span)
    assert figures_pairs.of_slices(cut, month.labels, rows, month.counts) == asked(rows, "source", basis)


def test_smaller_values_share_a_line_and_nothing_is_lost(past, monkeypatch):
    monkeypatch.setattr(figures_pairs, "SHOWN", {"rows": 2, "columns": 2})
    pair = asked("segment", "source")
    assert (len(pair.lines), len(pair.heads)) == (3, 3)
    assert pair.lines[-1].filters == {"not_segment": [line.key for line in pair.lines[:2]]}
    whole = recount("segment", "source", "period", CUTS["now"])
    assert total(pair.cells.values()) == total(whole.values())
    for (i, j), counts in pair.cells.items():
        filters = figures.counted("mqls", MARCH, "period") | pair.lines[i].filters | pair.heads[j].filters
        assert figures.rows(filters, as_of=CUTS["now"], zone=ZONE).count() == counts.mqls


def test_one_alone_is_no_others(past, monkeypatch):
    monkeypatch.setattr(figures_pairs, "SHOWN", {"rows": 15, "columns": 3})
    assert [head.key for head in asked("reason", "source").heads].count("others") == 0


def test_a_dimension_is_not_set_against_itself(past, marketer):
    with pytest.raises(ValueError, match="against itself"):
        asked("owner", "owner")
    text = marketer.get("/audit/2026-03/?rows=owner&columns=owner").text
    assert "Choose two different dimensions" in text


@pytest.mark.parametrize("address", ["rows=age", "columns=age", "columns=reason"])
def test_a_pair_that_does_not_exist_is_not_found(past, marketer, address):
    assert marketer.get(f"/audit/2026-03/?{address}").status_code == 404


def section(client, query):
    text = client.get(f"/audit/2026-03/?{query}").text
    return text[text.index('id="sources"') : text.index('id="breakdown"')]


@pytest.mark.parametrize(
    "query",
    ["rows=reason&columns=industry", "rows=segment&columns=owner&basis=cohort", "rows=tier&columns=definition",
     "rows=category&columns=segment"],
)  # fmt: skip
def test_each_cell_of_the_page_lists_exactly_the_leads_it_counts(past, marketer, query):
    links = LINK.findall(section(marketer, query))
    assert len(links) > 8
    for address, number in sorted(set(links))[::3]:
        assert marketer.get(unescape(address)).context["count"] == int(number.replace(",", "")), address


def test_the_others_of_the_page_list_exactly_their_leads(past, marketer, monkeypatch):
    monkeypatch.setattr(figures_pairs, "SHOWN", {"rows": 2, "columns": 1})
    links = [link for link in LINK.findall(section(marketer, "rows=segment&columns=owner")) if "not_owner" in link[0]]
    assert len(links) > 3
    for address, number in links:
        assert marketer.get(unescape(address)).context["count"] == int(number), address


def test_small_cells_are_grey_and_unshaded(past, marketer):
    few = section(marketer, "rows=segment&columns=owner")
    assert "is-few" in few
    assert 'data-rate="' not in re.sub(r"<tfoot>.*", "", few, flags=re.S), "no cell has forty MQLs"
    assert re.search(r'<td data-heat="0" class="is-few">', section(marketer, "rows=reason&columns=owner"))


def test_another_pair_costs_one_more_question(past, marketer):
    def questions(query):
        with CaptureQueriesContext(connection) as found:
            section(marketer, query)
        return len(found)

    usual = questions("")
    assert questions("rows=category") == usual
    assert questions("rows=owner&columns=campaign") == usual + 1


def test_the_selects_work_as_a_plain_form_and_keep_basis_and_breakdown(past, marketer):
    text = section(marketer, "rows=segment&columns=owner&basis=cohort&by=tier")
    assert '<form class="row row-end no-print" method="get" action="/audit/2026-03/#sources"' in text
    for name, value in (("basis", "cohort"), ("by", "tier")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in text
    assert '<option value="segment" selected>Segment</option>' in text
    assert '<option value="owner" selected>Owner</option>' in text


@pytest.mark.parametrize("basis", figures.BASES)
def test_all_pairs_at_once_are_each_pair_by_itself_in_one_question(past, basis):
    span = {"basis": basis, "as_of": CUTS["now"], "zone": ZONE}
    with CaptureQueriesContext(connection) as queries:
        found = figures_pairs.pairs(MARCH, PAIRS, **span)
    assert len(queries) == 1
    assert list(found) == PAIRS
    for rows, columns in PAIRS:
        assert found[rows, columns] == asked(rows, columns, basis)
