"""Each kind of tampering is found and named; the database itself counts what was proposed, whoever wrote it."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.chain import Head, Kind, Link, first_difference, sha256, signed_text
from sla.models import ChainHead, Party, Signature, SLAVersion
from sla.services.version import propose_version, sign_version
from sla.starter import REASONS, RULES, draft_version
from sla.verification import verify
from tests import cast

START = dt.datetime(2024, 1, 1, 8, 30, 15, 123456, tzinfo=dt.UTC)
MONTH = dt.timedelta(days=30)


@pytest.fixture
def three(db):
    """Versions 1, 2 and 3, each signed by both sides."""
    return [cast.agreement(at=START + MONTH * i, summary=f"Year {i}") for i in range(3)]


@pytest.fixture
def tamper(three):
    """Runs SQL as the tables' owner with every trigger off; {v1}, {v2}, {v3} stand for the versions' ids."""

    def run(*statements):
        ids = {f"v{version.number}": version.pk for version in three}
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement.format(**ids))
                assert cursor.rowcount, f"changed nothing: {statement}"
            cursor.execute("SET LOCAL session_replication_role = origin")

    return run


def found(now):
    return verify(at=now).difference


def test_an_untouched_chain_agrees(three, now):
    result = verify(at=now)
    assert result.difference is None
    assert (result.versions, result.signatures, result.fingerprint) == (3, 6, three[2].fingerprint)
    assert result.sentence == "three versions, six signatures, no break."


def test_nothing_proposed_is_nothing_to_verify(db, now):
    assert verify(at=now).sentence == "No version was proposed yet: there is nothing to verify."


def test_the_fingerprint_survives_the_round_trip_through_the_database(three, now):
    version = SLAVersion.objects.get(number=2)
    assert version.effective_from.microsecond == 123456
    assert sha256(signed_text(version.content(), three[0].fingerprint)) == version.fingerprint
    assert sha256(version.canonical) == version.fingerprint
    assert Signature.objects.first().signed_at.microsecond == 123456
    assert found(now) is None


HOT = "tier_id IN (SELECT id FROM sla_tier WHERE key = 'hot')"
DEFINITION = "definition_id = (SELECT definition_id FROM sla_slaversion WHERE id = {v2})"


@pytest.mark.parametrize(
    ("sql", "field", "sentence"),
    [
        (
            "UPDATE sla_commitment SET within = '15 minutes'"
            f" WHERE version_id = {{v2}} AND kind = 'decision' AND {HOT}",
            "commitments[decision hot].within_seconds",
            "v2 was altered: commitment decision hot, within was 86400 seconds when signed, is 900 seconds now.",
        ),
        (
            "DELETE FROM sla_commitment WHERE version_id = {v2} AND kind = 'acceptance'",
            "commitments[acceptance]",
            "v2 was altered: commitment acceptance is gone.",
        ),
        (
            "UPDATE sla_reasoncode SET label = 'Wrong number' WHERE version_id = {v2} AND code = '31'",
            "reasons[31].label",
            "v2 was altered: reason 31, label was “Wrong contact details” when signed, is “Wrong number” now.",
        ),
        (
            "UPDATE sla_reasoncode SET code = '35' WHERE version_id = {v2} AND code = '34'",
            "reasons[34]",
            "v2 was altered: reason 34 is gone.",
        ),
        (
            "INSERT INTO sla_reasoncode (version_id, code, category, label, meaning, is_general, detail,"
            " detail_default, detail_required, note_required, unreachable, next_step, retired)"
            " VALUES ({v2}, '44', 'scoring', 'New', 'New', false, '', '', false, false, false, 'nurture', false)",
            "reasons[44]",
            "v2 was altered: reason 44 was added.",
        ),
        (
            f"UPDATE sla_scoringrule SET points = 36 WHERE key = 'asked_demo' AND {DEFINITION}",
            "definition.rules[asked_demo].points",
            "v2 was altered: scoring rule asked demo, points was 35 when signed, is 36 now.",
        ),
        (
            "UPDATE sla_scoringrule SET condition = jsonb_set(condition, '{{sponsor}}', '1')"
            f" WHERE key = 'roi' AND {DEFINITION}",
            None,  # a condition with unknown keys cannot be read at all
            "v2 was altered: its definition, its calendar or one of its tiers is gone or cannot be read.",
        ),
        (
            f"UPDATE sla_tier SET total = 79 WHERE key = 'hot' AND {DEFINITION}",
            "definition.tiers[hot].total",
            "v2 was altered: tier hot, total was 80 when signed, is 79 now.",
        ),
        (
            "UPDATE sla_calendar SET exceptions = '{{\"2026-12-25\": []}}'"
            " WHERE id = (SELECT calendar_id FROM sla_slaversion WHERE id = {v2})",
            "calendar.exceptions.2026-12-25",
            "v2 was altered: calendar, exceptions, 2026-12-25 was added: [].",
        ),
        (
            "UPDATE sla_slaversion SET undo_within = '1 day' WHERE id = {v2}",
            "undo_within_seconds",
            "v2 was altered: undo within was 900 seconds when signed, is 86400 seconds now.",
        ),
        (
            "UPDATE sla_slaversion SET effective_from = effective_from + interval '1 microsecond' WHERE id = {v2}",
            "effective_from",
            "v2 was altered: effective from was “2024-01-31T08:30:15.123456Z” when signed,"
            " is “2024-01-31T08:30:15.123457Z” now.",
        ),
        (
            "DELETE FROM sla_calendar WHERE id = (SELECT calendar_id FROM sla_slaversion WHERE id = {v2})",
            None,
            "v2 was altered: its definition, its calendar or one of its tiers is gone or cannot be read.",
        ),
    ],
)
def test_altered_content_is_found_and_its_field_named(tamper, now, sql, field, sentence):
    tamper(sql)
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.ALTERED_CONTENT, 2)
    assert (difference.field, difference.sentence) == (field, sentence)


TEXT_CHECK = "ALTER TABLE sla_slaversion DROP CONSTRAINT sla_version_text_has_fingerprint"


def drop(statement):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)


def test_the_kept_text_cannot_be_altered_even_with_the_triggers_off(tamper):
    with pytest.raises(IntegrityError, match="sla_version_text_has_fingerprint"):
        tamper("UPDATE sla_slaversion SET canonical = replace(canonical, '900', '901') WHERE id = {v2}")


def test_a_kept_text_altered_without_its_rows_is_told_apart(tamper, now):
    drop(TEXT_CHECK)
    old, new = '"undo_within_seconds":900', '"undo_within_seconds":901'
    tamper(f"UPDATE sla_slaversion SET canonical = replace(canonical, '{old}', '{new}') WHERE id = {{v2}}")
    difference = found(now)
    assert (difference.version, difference.field) == (2, "undo_within_seconds")
    assert difference.sentence.startswith("The kept text of v2 was altered, not its rows: undo within was 900 seconds")


def test_rows_altered_together_with_their_text_still_miss_the_fingerprint(tamper, now):
    drop(TEXT_CHECK)
    old, new = '"undo_within_seconds":900', '"undo_within_seconds":901'
    tamper(
        f"UPDATE sla_slaversion SET undo_within = '901 seconds', canonical = replace(canonical, '{old}', '{new}')"
        " WHERE id = {v2}"
    )
    difference = found(now)
    assert (difference.kind, difference.version, difference.field) == (Kind.ALTERED_CONTENT, 2, None)
    assert "its kept text no longer has its fingerprint" in difference.sentence


def test_a_version_altered_with_its_text_and_fingerprint_is_missed_by_its_signatures(tamper, now):
    old, new = '"undo_within_seconds":900', '"undo_within_seconds":901'
    text = f"replace(canonical, '{old}', '{new}')"
    tamper(
        f"UPDATE sla_slaversion SET undo_within = '901 seconds', canonical = {text},"
        f" fingerprint = encode(sha256(convert_to({text}, 'UTF8')), 'hex') WHERE id = {{v2}}"
    )
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.ALTERED_SIGNATURE, 2)
    assert "covers another fingerprint" in difference.sentence


@pytest.mark.parametrize(
    "change",
    [
        "name = 'Somebody Else'",
        "role = 'admin'",
        "signed_at = signed_at - interval '1 microsecond'",
        "signed_by_id = signed_by_id + 1000",
    ],
)
def test_an_altered_signature_is_found_and_named(tamper, now, change):
    tamper(f"UPDATE sla_signature SET {change} WHERE version_id = {{v2}} AND party = 'sales'")
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.ALTERED_SIGNATURE, 2)
    assert (difference.field, difference.sentence[:39]) == (
        "signatures[sales]",
        "The signature for sales under v2 was al",
    )


def test_signatures_that_changed_sides_are_found(tamper, now):
    tamper(
        "DELETE FROM sla_signature WHERE version_id = {v2} AND party = 'marketing'",
        "UPDATE sla_signature SET party = 'marketing' WHERE version_id = {v2}",
    )
    assert found(now).kind == Kind.ALTERED_SIGNATURE


def test_a_removed_signature_is_missed(tamper, now):
    tamper("DELETE FROM sla_signature WHERE version_id = {v2} AND party = 'sales'")
    difference = found(now)
    assert difference.kind == Kind.MISSING_SIGNATURE
    assert difference.sentence == ("A signature is missing: 6 were given, 5 are here. Not signed by both sides: v2.")


def test_a_missing_middle_is_found(tamper, now):
    tamper("DELETE FROM sla_slaversion WHERE id = {v2}")
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.MISSING_MIDDLE, 3)
    assert difference.sentence == "A version is missing after v1: v3 follows a version that is not here any more."


def test_a_middle_taken_out_with_its_neighbours_joined_is_found(tamper, three, now):
    tamper(
        "DELETE FROM sla_signature WHERE version_id = {v2}",
        "DELETE FROM sla_slaversion WHERE id = {v2}",
        "UPDATE sla_slaversion SET predecessor_id = {v1} WHERE id = {v3}",
    )
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.MISSING_MIDDLE, 3)
    assert difference.sentence == (
        "A version is missing or was replaced between v1 and v3: v3 was signed as following the fingerprint"
        f" {three[1].fingerprint[:12]}…, which no version has."
    )


def test_a_missing_beginning_is_found(tamper, now):
    tamper("DELETE FROM sla_slaversion WHERE id = {v1}")
    assert found(now).sentence == (
        "A version is missing at the beginning: v2 follows a version that is not here any more."
    )


def test_a_beginning_taken_out_with_the_link_to_it_is_found(tamper, now):
    tamper(
        "DELETE FROM sla_slaversion WHERE id = {v1}", "UPDATE sla_slaversion SET predecessor_id = NULL WHERE id = {v2}"
    )
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.MISSING_MIDDLE, 2)
    assert difference.sentence.startswith("The beginning is missing")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM sla_slaversion WHERE id = {v3}",
        "UPDATE sla_slaversion SET proposed_at = NULL, proposed_by_id = NULL, fingerprint = NULL, canonical = NULL,"
        " predecessor_id = NULL WHERE id = {v3}",
    ],
)
def test_a_tail_cut_off_is_missed(tamper, now, sql):
    tamper("DELETE FROM sla_signature WHERE version_id = {v3}", sql)
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.TRUNCATED_TAIL, 2)
    assert difference.sentence == (
        "The end of the chain is missing: 3 versions were proposed, 2 are here; the last one here is v2."
    )


def test_a_whole_chain_removed_is_missed(tamper, now):
    tamper("DELETE FROM sla_signature", "DELETE FROM sla_slaversion")
    difference = found(now)
    assert (difference.kind, difference.version) == (Kind.TRUNCATED_TAIL, None)
    assert difference.sentence.endswith("3 versions were proposed, 0 are here; none is here.")


def test_a_forked_chain_is_found(tamper, now):
    drop("DROP INDEX sla_version_no_fork")
    columns = (
        ", ".join(field.column for field in SLAVersion._meta.local_fields if field.column not in {"id", "number"})
        .replace("effective_from", "{effective}")
        .replace("canonical", "{text}")
        .replace("fingerprint", "{print}")
    )
    into = columns.format(effective="effective_from", text="canonical", print="fingerprint")
    out = columns.format(
        effective="effective_from + interval '1 day'",
        text="canonical || ' '",
        print="encode(sha256(convert_to(canonical || ' ', 'UTF8')), 'hex')",
    )
    tamper(f"INSERT INTO sla_slaversion (number, {into}) SELECT 4, {out} FROM sla_slaversion WHERE number = 3")
    difference = found(now)
    assert (difference.kind, difference.sentence) == (Kind.FORKED, "The chain forks: v3 and v4 both follow v2.")


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("DELETE FROM sla_chainhead", "The head record, which counts the proposed versions, is missing."),
        ("UPDATE sla_chainhead SET versions = 2", "The head record does not fit the chain: it counts 2 versions"),
        ("UPDATE sla_chainhead SET signatures = 5", "The head record counts fewer signatures (5) than there are (6)."),
    ],
)
def test_an_altered_head_record_is_found(tamper, now, sql, sentence):
    tamper(sql)
    difference = found(now)
    assert difference.kind == Kind.ALTERED_HEAD
    assert difference.sentence.startswith(sentence)


def test_triggers_switched_off_table_by_table_change_nothing(three, now):
    drop("ALTER TABLE sla_reasoncode DISABLE TRIGGER USER")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sla_reasoncode SET recycle_days = 1 WHERE version_id = %s AND code = '21'", [three[0].pk]
        )
    assert found(now).field == "reasons[21].recycle_days"


def test_only_the_first_difference_is_named(tamper, now):
    tamper(
        "UPDATE sla_slaversion SET bulk_limit = 1 WHERE id = {v3}",
        "UPDATE sla_slaversion SET bulk_limit = 2 WHERE id = {v1}",
        "DELETE FROM sla_chainhead",
    )
    assert (found(now).version, found(now).found) == (1, "2")


# --- what the database refuses --------------------------------------------------------------------
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sla_chainhead SET versions = 2",
        "INSERT INTO sla_chainhead (id, versions, fingerprint, signatures) VALUES (2, 1, 'a', 0)",
        "DELETE FROM sla_chainhead",
        "TRUNCATE sla_chainhead",
    ],
)
def test_the_head_is_counted_by_the_database_alone(three, sql):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert ChainHead.objects.get().versions == 3


def propose_by_sql(version, predecessor):
    text = signed_text(version.content(), predecessor.fingerprint)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sla_slaversion SET proposed_at = now(), effective_from = now(), predecessor_id = %s,"
            " canonical = %s, fingerprint = %s WHERE id = %s",
            [predecessor.pk, text, sha256(text), version.pk],
        )


def test_a_proposal_in_plain_sql_is_counted_too(three, people):
    draft = draft_version(by=people.marketer, at=START)
    propose_by_sql(draft, three[2])
    draft.refresh_from_db()
    assert (ChainHead.objects.get().versions, ChainHead.objects.get().fingerprint) == (4, draft.fingerprint)


def test_a_proposal_in_plain_sql_must_follow_the_end_of_the_chain(three, people):
    draft = draft_version(by=people.marketer, at=START)
    drop("DROP INDEX sla_version_no_fork")
    with pytest.raises(IntegrityError, match="follows the end of the chain"):
        propose_by_sql(draft, three[0])


def test_a_draft_with_a_lower_number_may_be_proposed_later(three, people, now):
    older, newer = (draft_version(by=people.marketer, at=START) for _ in range(2))
    for version, at in ((newer, now), (older, now + MONTH)):
        propose_version(version_id=version.pk, effective_from=at, by=people.marketer, at=now)
    older.refresh_from_db()
    assert older.predecessor == newer
    assert found(now) is None


@pytest.mark.django_db(transaction=True)
def test_fifty_proposals_at_the_same_time_make_one_chain(now):
    people = cast.people()
    drafts = [draft_version(by=people.marketer, at=START, rules=RULES[:1], reasons=REASONS[:1]).pk for _ in range(50)]
    together = Barrier(10)

    def propose_and_sign(numbered):
        order, pk = numbered
        together.wait(timeout=30)
        try:
            propose_version(version_id=pk, effective_from=now + MONTH * order, by=people.marketer, at=now)
            sign_version(version_id=pk, party=Party.SALES, role="sales_leader", by=people.sales_leader, at=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(propose_and_sign, enumerate(drafts)))
    result = verify(at=now)
    assert (result.versions, result.signatures, result.difference) == (50, 50, None)
    assert SLAVersion.objects.filter(predecessor=None).count() == 1


# --- the law, without a database ------------------------------------------------------------------
def chain_of(contents):
    links, before = [], None
    for number, content in enumerate(contents, 1):
        text = signed_text(content, before and before.fingerprint)
        before = Link(number, number, before and before.id, text, content, sha256(text))
        links.append(before)
    return links, Head(len(links), before.fingerprint, 0)


laws = settings(max_examples=100, deadline=None)  # a busy machine breaks no law
contents = st.lists(st.dictionaries(st.text("abc", min_size=1), st.integers()), min_size=1, max_size=6)


@laws
@given(contents)
def test_every_untouched_chain_agrees_in_any_order_of_its_rows(contents):
    links, head = chain_of(contents)
    assert first_difference(list(reversed(links)), head) is None


@laws
@given(contents, st.data())
def test_no_version_can_leave_a_chain_unnoticed(contents, data):
    links, head = chain_of(contents)
    gone = data.draw(st.sampled_from(links))
    difference = first_difference([link for link in links if link is not gone], head)
    assert difference.kind == (Kind.TRUNCATED_TAIL if gone is links[-1] else Kind.MISSING_MIDDLE)


def test_a_term_that_came_with_a_later_release_was_not_signed_and_is_not_compared():
    links, head = chain_of([{"undo": 900, "calendar": {"week": {"mon": []}}}])
    link = links[0]
    grown = {"undo": 900, "new_term": 1, "calendar": {"week": {"mon": []}, "new_column": "x"}}
    assert first_difference([Link(1, 1, None, link.text, grown, link.fingerprint)], head) is None
    altered = {"undo": 900, "calendar": {"week": {"mon": [], "sun": []}}}
    assert (
        first_difference([Link(1, 1, None, link.text, altered, link.fingerprint)], head).field == "calendar.week.sun"
    )
