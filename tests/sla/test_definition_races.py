"""Two people on one draft at one moment, on two connections: one change is kept, the other is told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from portal.shared.refusal import Refusal
from sla.models import MQLDefinition
from sla.services import definition as verbs

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works):
    """Run the works at the same moment, each on its own connection; what each returned, or its refusal's code."""
    start = Barrier(len(works))

    def run(work):
        try:
            connection.ensure_connection()
            start.wait(10)
            return work()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_changes_of_one_rule_one_is_kept_and_the_other_refused(agreement, people, now):
    draft = verbs.draft_definition(start_from=agreement.definition, by=people.marketer, at=now)
    rule = draft.rules.get(key="guide")
    seen = verbs.seen_of(rule)

    def change(by, points):
        return lambda: verbs.change_rule(number=2, rule_id=rule.pk, seen=seen, points=points, by=by, at=now).points

    outcomes = at_once(change(people.marketer, 3), change(people.sales_leader, 4))
    rule.refresh_from_db()
    assert sorted(map(str, outcomes)) == sorted([str(rule.points), "draft_changed"])


def test_drafts_begun_at_one_moment_get_numbers_of_their_own(agreement, people, now):
    def begin():
        return verbs.draft_definition(start_from=agreement.definition, by=people.marketer, at=now).number

    assert sorted(at_once(begin, begin, begin)) == [2, 3, 4]
    assert MQLDefinition.objects.count() == 4
