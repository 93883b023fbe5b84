"""X Education's definition, edited from v1 to v2 to v3 in the editor: the backtest shows the very moves."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from leads.intake.imports.engine import import_leads
from sla import condition_tree as tree
from sla.models import MQLDefinition
from sla.services import definition as verbs
from tests.condition_fields import fields

DOCUMENTS = json.loads((Path(__file__).parent.parent / "data" / "xeducation_definitions.json").read_text("utf-8"))
READ = (
    "Do Not Email", "TotalVisits", "Total Time Spent on Website", "Last Activity",
    "What is your current occupation",
)  # fmt: skip


@pytest.fixture
def marketer(people):
    client = Client()
    client.force_login(people.marketer, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


@pytest.fixture
def handed_over_last_month(db, shared_data, tmp_path):
    """The 9,240 leads as history, all qualified twenty days ago, decided where their tag says so."""
    folder, now = shared_data / "xeducation", timezone.now()
    attributes = {f"attributes.{name}": name for name in READ}
    mapping = {
        "columns": {"external_id": "Prospect ID", "source": "Lead Source", "campaign": "Lead Origin", **attributes},
        "defaults": {"qualified_at": (now - dt.timedelta(days=20)).date().isoformat()},
    }
    import_leads(
        path=folder / "Leads.csv", document=mapping, historical=True, at=now, errors_path=tmp_path / "errors.csv"
    )
    return json.loads((folder / "expected.json").read_text())


def start(marketer, before=None):
    """Begin a draft by its button; returns it."""
    data = {} if before is None else {"start_from": before.number}
    where = marketer.post(reverse("definition_draft"), data)["Location"]
    return MQLDefinition.objects.get(number=int(re.search(r"\d+", where)[0]))


def edit_into(marketer, draft, document):
    """Bring a draft to what a document says, by the editor's forms alone."""
    wanted = {rule["label"]: rule for rule in document["rules"]}
    kept = {}
    for rule in draft.rules.all():
        if rule.label in wanted and rule.condition == wanted[rule.label]["condition"]:
            kept[rule.label] = rule
        else:
            done(marketer, "definition_rule_delete", draft, rule.pk, seen=verbs.seen_of(rule))
    for label, document_rule in wanted.items():
        if label not in kept:
            done(marketer, "definition_rule_add", draft, axis=document_rule["axis"])
        write_rule(marketer, draft, kept.get(label) or draft.rules.order_by("position").last(), document_rule)
    tier, asked = draft.tiers.get(), document["tiers"][0]
    done(
        marketer, "definition_tier", draft, tier.pk, name=asked["name"], total=asked["total"], seen=verbs.seen_of(tier)
    )


def write_rule(marketer, draft, rule, wanted):
    data = fields(tree.draw(wanted["condition"])).dict() | {
        "node": fields(tree.draw(wanted["condition"])).getlist("node"), "about": "facts", "of": "facts",
        "label": wanted["label"], "axis": wanted["axis"], "points": wanted["points"], "seen": verbs.seen_of(rule),
    }  # fmt: skip
    data |= {name: fields(tree.draw(wanted["condition"])).getlist(name) for name in data if name.endswith(".values")}
    done(marketer, "definition_rule", draft, rule.pk, **data)


def done(marketer, door, draft, *args, **data):
    answer = marketer.post(reverse(door, args=[draft.number, *args]), data)
    assert answer.status_code == 302, answer.content.decode()


def same(draft, document):
    """Whether the draft says what the document says, keys apart."""
    said = draft.as_definition().as_json()
    for rule in (*said["rules"], *document["rules"]):
        rule.pop("key", None)
    strip = {"window_days": None, "minimum_count": 1, "per_event": False, "cap": None, "decay_days": None}
    rules = sorted((strip | rule for rule in document["rules"]), key=lambda rule: rule["label"])
    return sorted(said["rules"], key=lambda rule: rule["label"]) == rules


def moves(marketer, before, after):
    """(out, in, kept) as the backtest's page tells them."""
    html = marketer.get(
        reverse("definition_backtest", args=[after.number]), {"against": before.number}
    ).content.decode()
    found = {
        move: int(re.search(rf'id="move-{move}">([\d,]+)<', html)[1].replace(",", ""))
        for move in ("dropped", "admitted", "kept")
    }
    return {
        "newly_qualified": found["admitted"], "no_longer_qualified": found["dropped"],
        "unchanged_qualified": found["kept"],
    }  # fmt: skip


def test_editing_v1_to_v2_to_v3_shows_the_very_moves(marketer, handed_over_last_month):
    versions = [start(marketer)]
    edit_into(marketer, versions[0], DOCUMENTS["v1"])
    for name in ("v2", "v3"):
        versions.append(start(marketer, versions[-1]))
        edit_into(marketer, versions[-1], DOCUMENTS[name])
    first, second, third = versions
    assert all(same(draft, DOCUMENTS[name]) for draft, name in zip(versions, ("v1", "v2", "v3"), strict=True))
    expected = handed_over_last_month["mql_definition_changes"]
    assert moves(marketer, first, second) == expected["v1->v2"]
    assert moves(marketer, second, third) == expected["v2->v3"]
    html = marketer.get(reverse("definition_compare", args=[first.number, second.number])).content.decode()
    assert "two changes" in html
    assert "Does not want e-mail" in html
