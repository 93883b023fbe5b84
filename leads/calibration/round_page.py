"""What the page of a round shows: what was drawn, who has come how far, and, when both are done, what it says."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from leads.calibration import as_known, offers, readiness
from leads.calibration.annotation import finished_at
from leads.calibration.models import Mark, Round
from leads.calibration.readiness import FEWEST, Item, Said
from leads.models.deal import TIMING
from sla.models import SLAVersion

ENOUGH = 20  # items before kappa says anything


@dataclass(frozen=True)
class Page:
    """One Round as of an instant."""

    round: Round
    as_of: object

    @cached_property
    def people(self):
        """[(person, how many items they have marked)]"""
        counts = Counter(
            Mark.objects.filter(item__round=self.round, supersedes=None).values_list("marked_by_id", flat=True)
        )
        return [(each.person, counts[each.person_id]) for each in self.round.annotators.select_related("person")]

    @cached_property
    def finished_at(self):
        return finished_at(self.round)

    @cached_property
    def strata(self):
        """[((source, segment), won, lost)] that were drawn, the largest first."""
        counts = Counter((item.source, item.segment, item.outcome) for item in self.rows)
        keys = {key[:2] for key in counts}
        found = [(key, counts[*key, "won"], counts[*key, "lost"]) for key in keys]
        return sorted(found, key=lambda each: (-each[1] - each[2], each[0]))

    @cached_property
    def rows(self):
        """The RoundItems in order."""
        return list(self.round.items.select_related("handoff__lead").order_by("position"))

    @property
    def labels(self):
        """{key of a question: its words}"""
        return {question["key"]: question["label"] for question in self.round.questions}

    # --- for nobody's eyes before both are done -------------------------------------------------------
    @cached_property
    def items(self):
        """readiness.Items; none while somebody is not done."""
        if self.finished_at is None:
            return []
        marks = {}
        for mark in Mark.objects.filter(item__round=self.round).order_by("marked_at", "pk"):
            marks.setdefault((mark.item_id, mark.marked_by_id), []).append(mark)
        first, second = (person.pk for person, _ in self.people)
        return [
            Item(
                row.position, row.outcome, row.loss_reason == TIMING,
                before=(_before(marks[row.pk, first], self.finished_at),
                        _before(marks[row.pk, second], self.finished_at)),
                now=(_said(marks[row.pk, first][-1]), _said(marks[row.pk, second][-1])),
            )
            for row in self.rows
        ]  # fmt: skip

    @cached_property
    def kappas(self):
        """[(question in words, its Kappa or None)]"""
        return [(label, readiness.agreement(self.items, key)) for key, label in self.labels.items()]

    @cached_property
    def disagreements(self):
        """[(position, handoff, [(question, first, second, settled)])] for a talk."""
        found = {}
        for each in readiness.disagreements(self.items, list(self.labels)):
            answer = (self.labels[each.key], each.first, each.second, each.settled)
            found.setdefault(each.position, []).append(answer)
        return [(row.position, row.handoff, found[row.position]) for row in self.rows if row.position in found]

    @cached_property
    def differences(self):
        """readiness.Differences, the largest real ones first."""
        about = {question["key"]: question["about"] for question in self.round.questions}
        return readiness.tell_apart(self.items, about)

    @property
    def findings(self):
        """[{difference, label, offer}]; an Offer only for what is real, while a definition is in force."""
        return [
            {"difference": each, "label": self.label(each.key), "offer": self.offer(each) if each.is_real else None}
            for each in self.differences
        ]

    def finding(self, key):
        """The real Difference of a key, or None."""
        return next((each for each in self.differences if each.key == key and each.is_real), None)

    def offer(self, difference):
        if self.definition is None:
            return None
        return offers.offer(difference, self.label(difference.key), self._with_facts, self.definition.as_definition())

    def label(self, key):
        """A question, signal or tag in words; a rule in a definition is called so."""
        kind, _, name = key.partition(":")
        if kind == "tag":
            return f"“{name}”"
        if kind == "signal":
            return self._signals.get(name, name)
        return SHORT.get(key) or self.labels[key]

    @property
    def level(self):
        return readiness.level(len(self.differences))

    @property
    def fewest(self):
        return FEWEST

    @property
    def enough(self):
        return ENOUGH

    @cached_property
    def definition(self):
        """The MQLDefinition in force, or None."""
        version = SLAVersion.objects.select_related("definition").in_force(at=self.as_of)
        return version and version.definition

    @cached_property
    def _with_facts(self):
        facts = {row.position: as_known.facts_at(row.handoff) for row in self.rows}
        return [(item, facts[item.position]) for item in self.items]

    @cached_property
    def _signals(self):
        found = {}
        for row in self.rows:
            row.round = self.round
            found |= as_known.shown(row).signals
        return found


SHORT = {
    "budget": "Has the budget", "authority": "Can decide", "need": "Has the need", "timeline": "Wants it soon",
    "size": "Size fits", "industry": "Industry fits", "role": "Role fits", "region": "Region fits",
}  # fmt: skip


def _said(mark):
    return Said(mark.answers, frozenset(mark.signals), frozenset(mark.tags))


def _before(marks, at):
    """The last of one person's marks of an item by an instant."""
    return _said([mark for mark in marks if mark.marked_at <= at][-1])
