"""Scores of new leads by the thousand: rules that read the same fields are judged together, once for each value."""

import json
from dataclasses import dataclass

from leads.exploring import is_near, lowest
from leads.intake.imports.cells import Seen
from sla import conditions, scoring

MOST_KEPT = 50_000  # values kept for each group of rules
_dumps = json.JSONEncoder(ensure_ascii=False).encode


class Group:
    """The rules of a definition that read the same fields, as a definition of their own."""

    def __init__(self, definition, names, places, *, zone, at):
        self.names, self.places, self.at = names, places, at
        rules = tuple(definition.rules[place] for place in places)
        self.scorer = scoring.compile(scoring.Definition(definition.number, rules, definition.tiers), zone=zone)
        self.sums = Seen(self._sums, MOST_KEPT)
        self.said = Seen(self._said, MOST_KEPT)

    def keys(self, facts, attributes, size):
        """What the rules read of each lead: tuples of texts, in the order of `names`."""
        plain = {f"{conditions.ATTRIBUTE}{name}": texts for name, texts in attributes.items()}
        columns = [(facts | plain).get(name) or [""] * size for name in self.names]
        return [*zip(*columns, strict=True)] if columns else [()] * size

    def _facts(self, key):
        facts = dict(zip(self.names, key, strict=True))
        if facts.get("employees"):
            facts["employees"] = int(facts["employees"])
        return facts | {
            "attributes": {
                name.removeprefix(conditions.ATTRIBUTE): text
                for name, text in facts.items() if name.startswith(conditions.ATTRIBUTE)
            }
        }  # fmt: skip

    def _sums(self, key):
        """(fit, behaviour, disqualified) of a lead without events under these rules alone."""
        score = self.scorer(self._facts(key), (), self.at)
        return score.fit, score.behaviour, score.disqualified

    def _said(self, key):
        """What each of these rules gave and saw, as JSON, in the order of `places`."""
        return [_dumps(result._asdict()) for result in self.scorer.evaluate(self._facts(key), (), self.at).rules]


@dataclass(frozen=True)
class Frame:
    """What leads with the same sums have in common: tier, points, and the breakdown around its rules."""

    texts: tuple
    before: str
    after: str
    explores: str


class Scores:
    """What the staging table keeps of new leads' scores; always equal to the scorer's own evaluation."""

    def __init__(self, present, *, zone, at, reach=None):
        """reach: how far below the lowest tier a lead may lie to be drawn by exploration; None without exploration."""
        definition = self.definition = present.scorer.definition
        self.reach, self.at = reach, at
        self.tiers = sorted(definition.tiers, key=lambda tier: tier.position)
        self.keys = {key: str(tier) for key, tier in present.tiers.items()}
        places = {}
        for place, rule in enumerate(definition.rules):
            names = () if rule.counts_events else tuple(conditions.fields_of(rule.condition))
            places.setdefault(names, []).append(place)
        self.groups = [Group(definition, names, found, zone=zone, at=at) for names, found in places.items()]
        self.order = [place for group in self.groups for place in group.places]
        self._frames = Seen(self._frame, MOST_KEPT)

    def __call__(self, facts, attributes, size):
        """Columns of texts: tier's id, fit, behaviour, total, breakdown, "t" where only exploration may take it.

        Blanks for nurture; one that exploration may take has the lowest tier. facts, attributes: {name: texts}.
        """
        keys = [group.keys(facts, attributes, size) for group in self.groups]
        sums = [group.sums.each(column) for group, column in zip(self.groups, keys, strict=True)]
        columns = [[""] * size for _ in range(6)]
        for place, frame in enumerate(self._frames.each(zip(*sums, strict=True))):
            if frame is not None:
                said = self._said([column[place] for column in keys])
                texts = (*frame.texts, f"{frame.before}{said}{frame.after}", frame.explores)
                for column, text in zip(columns, texts, strict=True):
                    column[place] = text
        return columns

    def _said(self, keys):
        """What the rules gave and saw of one lead, in the definition's order."""
        said = [text for group, key in zip(self.groups, keys, strict=True) for text in group.said[key]]
        return ", ".join([text for _, text in sorted(zip(self.order, said, strict=True))])

    def _frame(self, sums):
        """The Frame of a lead for which the groups gave these sums, or None for nurture."""
        fits, behaviours, shut_out = zip(*sums, strict=True)
        fit, behaviour = sum(fits), sum(behaviours)
        tier = next((tier for tier in self.tiers if tier.takes(fit, behaviour)), None)
        total, number = fit + behaviour, self.definition.number
        empty = scoring.Evaluation(number, fit, behaviour, total, tier and tier.key, None, (), self.at)
        near = self.reach is not None and is_near(self.definition, empty, self.reach)
        if any(shut_out) or not (tier or near):
            return None
        before, after = _dumps(empty.as_json() | {"rules": []}).split('"rules": []')
        texts = self.keys[(tier or lowest(self.definition)).key], str(fit), str(behaviour), str(total)
        return Frame(texts, before + '"rules": [', "]" + after, "t" if near else "")
