"""The import scores leads by the thousand; what it keeps is what the scorer says of each lead alone."""

import datetime as dt
import json
import random
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from leads.intake.imports.scores import Scores
from sla import scoring
from sla.scoring import Rule, Tier

AT = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
ZONE = ZoneInfo("Europe/Berlin")
RULES = (
    Rule("size", "Company size", "fit", {"field": "employees", "op": "between", "min": 200, "max": 5000}, 20),
    Rule("seen", "Visited", "behaviour", {"event": "page_viewed"}, 10, window_days=14),
    Rule("shut", "Free mail", "disqualifier", {"field": "email", "op": "matches", "value": r"@free\.example$"}),
    Rule("small", "Too small", "fit", {"field": "employees", "op": "between", "max": 20}, -15),
    Rule("role", "Leads “operations”", "fit", {"field": "title", "op": "contains", "value": "lead"}, 15),
    Rule("both", "Demo, with a plan", "behaviour", {"all": [
        {"field": "source", "op": "equals", "value": "Demo"},
        {"field": "attributes.plan", "op": "present"}]}, 35),
)  # fmt: skip
TIERS = (Tier("warm", "Warm", 2, 30), Tier("hot", "Hot", 1, 50, behaviour=20))


def lead(chance):
    return {
        "email": chance.choice(["", "a@free.example", f"p{chance.random()}@firm.example"]),
        "employees": chance.choice([None, 5, 250, 9000]),
        "title": chance.choice(["", "Team lead", "Leiter « \\ \t × »", "Clerk"]),
        "source": chance.choice(["Demo", "Guide", ""]),
        "attributes": chance.choice([{}, {"plan": "pro"}, {"plan": 'a "quoted" one'}]),
    }


def test_an_imported_lead_has_the_score_and_the_breakdown_that_it_would_have_alone():
    chance = random.Random(3)
    definition = scoring.Definition(4, RULES, TIERS)
    scorer = scoring.compile(definition, zone=ZONE)
    scores = Scores(SimpleNamespace(scorer=scorer, tiers={"hot": 11, "warm": 12}), zone=ZONE, at=AT)
    leads = [lead(chance) for _ in range(500)]
    texts = {name: [str(facts[name] or "") for facts in leads] for name in ("email", "employees", "title", "source")}
    plans = {"plan": [facts["attributes"].get("plan", "") for facts in leads]}
    reached = set()
    for facts, *found in zip(leads, *scores(texts, plans, len(leads)), strict=True):
        alone = scorer.evaluate(facts, (), AT)
        reached.add(alone.tier)
        if alone.tier is None:
            assert found == [""] * 6
        else:
            tier = {"hot": "11", "warm": "12"}[alone.tier]
            assert found[:4] == [tier, str(alone.fit), str(alone.behaviour), str(alone.total)]
            assert json.loads(found[4]) == json.loads(json.dumps(alone.as_json()))
    assert reached == {None, "warm", "hot"}
