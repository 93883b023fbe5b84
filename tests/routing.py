"""Routing plans that tests speak of, made by the verbs."""

from leads.services.routing_plan import RuleTerms, add_rule, delete_rule, publish_plan, set_terms, start_draft

DACH = {"field": "country", "op": "in", "values": ["Germany", "Austria", "Switzerland"]}


def draft(people, *rules, at, **terms):
    """A draft with these rules (dicts of RuleTerms) and terms of `set_terms`. Returns the plan."""
    plan = start_draft(by=people.manager, at=at)
    for rule in plan.rules.all():  # copied from the plan before
        delete_rule(rule_id=rule.pk, by=people.manager)
    for rule in rules:
        add_rule(terms=RuleTerms(**rule), by=people.manager)
    told = {"queue_owner_id": people.manager.pk, "claim_within": plan.claim_within, "most_open": None,
            "capacities": {}, "accounts": {}}  # fmt: skip
    set_terms(by=people.manager, **told | terms)
    plan.refresh_from_db()
    return plan


def plan(people, *rules, at, **terms):
    """The same, published at `at`."""
    draft(people, *rules, at=at, **terms)
    return publish_plan(by=people.manager, at=at)
