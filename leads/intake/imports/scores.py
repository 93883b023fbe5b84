"""Scores of new leads by the thousand: rules that read the same fields are judged together, once for each value."""

import json

from sla import conditions, scoring

MOST_KEPT = 50_000  # values kept for each group of rules
_dumps = json.JSONEncoder(ensure_ascii=False).encode


class Group:
    """The rules of a definition that read the same fields, as a definition of their own."""

    def __init__(self, definition, names, places, *, zone, at):
        self.places, self.at = places, at
        rules = tuple(definition.rules[place] for place in places)
        self.read = [conditions.lead_field(name) for name in names]
        self.scorer = scoring.compile(scoring.Definition(definition.number, rules, definition.tiers), zone=zone)
        self._sums, self._said = {}, {}

    def sums(self, facts):
        """(fit, behaviour, disqualified) of a lead without events under these rules alone."""
        key = tuple([str(read(facts)) for read in self.read])
        found = self._sums.get(key)
        if found is None:
            if len(self._sums) >= MOST_KEPT:
                self._sums.clear()
            score = self.scorer(facts, (), self.at)
            found = self._sums[key] = (score.fit, score.behaviour, score.disqualified)
        return found

    def said(self, facts):
        """What each of these rules gave and saw, as JSON, in the order of `places`."""
        key = tuple([str(read(facts)) for read in self.read])
        found = self._said.get(key)
        if found is None:
            if len(self._said) >= MOST_KEPT:
                self._said.clear()
            rules = self.scorer.evaluate(facts, (), self.at).rules
            found = self._said[key] = [_dumps(result._asdict()) for result in rules]
        return found


class Scores:
    """What the staging table keeps of a new lead's score; always equal to the scorer's own evaluation."""

    def __init__(self, present, *, zone, at):
        definition = present.scorer.definition
        self.number, self.at = definition.number, at
        self.tiers = sorted(definition.tiers, key=lambda tier: tier.position)
        self.keys = {key: str(tier) for key, tier in present.tiers.items()}
        places = {}
        for place, rule in enumerate(definition.rules):
            names = () if rule.counts_events else tuple(conditions.fields_of(rule.condition))
            places.setdefault(names, []).append(place)
        self.groups = [Group(definition, names, found, zone=zone, at=at) for names, found in places.items()]
        self.rules = len(definition.rules)
        self._reached = {}

    def __call__(self, facts):
        """(tier's id, fit, behaviour, total, breakdown) as text for COPY; blanks for nurture."""
        fit = behaviour = 0
        shut_out = False
        for group in self.groups:
            more_fit, more_behaviour, disqualified = group.sums(facts)
            fit += more_fit
            behaviour += more_behaviour
            shut_out = shut_out or disqualified
        if shut_out:
            return BLANK
        sums = fit, behaviour
        if sums not in self._reached:
            self._reached[sums] = self._frame(*sums)
        frame = self._reached[sums]
        if frame is None:
            return BLANK
        said = [""] * self.rules
        for group in self.groups:
            for place, text in zip(group.places, group.said(facts), strict=True):
                said[place] = text
        texts, before, after = frame
        return (*texts, before + ", ".join(said) + after)

    def _frame(self, fit, behaviour):
        """(the texts, the breakdown before its rules, and after) of these sums, or None for nurture."""
        tier = next((tier for tier in self.tiers if tier.takes(fit, behaviour)), None)
        if tier is None:
            return None
        total = fit + behaviour
        empty = scoring.Evaluation(self.number, fit, behaviour, total, tier.key, None, (), self.at)
        before, after = _dumps(empty.as_json() | {"rules": []}).split('"rules": []')
        return (self.keys[tier.key], str(fit), str(behaviour), str(total)), before + '"rules": [', "]" + after


BLANK = ("", "", "", "", "")
