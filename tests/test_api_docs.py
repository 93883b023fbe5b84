"""docs/api.md is true: its examples run, and its table of problems is the one of the code."""

import re
import shlex
from inspect import unwrap
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

import portal.api  # noqa: F401 (every door registers what it refuses)
from leads.models import Decision, Lead
from leads.services.capture import take_in_events, take_in_lead
from leads.services.deal import record_deal
from leads.services.decide import accept_handoff, reject_handoff
from leads.services.touch import log_touch
from portal.accounts.models import Role
from portal.keys.problem import KNOWN
from portal.shared.refusal import Refusal
from tests import cast
from tests.api import token_for

DOCS = Path(settings.BASE_DIR) / "docs" / "api.md"


def curl(command, **variables):
    """What a line of curl asks, asked of the portal in this process."""
    for name, value in variables.items():
        command = command.replace(f"${name}", str(value))
    program, *words = shlex.split(command.replace("\\\n", " "))
    headers, body, address = {}, None, None
    words = iter(words)
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        else:
            address = urlsplit(word)
    assert (program, address.hostname) == ("curl", "handoff.example")
    where = f"{address.path}?{address.query}" if address.query else address.path
    client = Client()
    if body is None:
        return client.get(where, headers=headers)
    return client.post(where, body, content_type=headers.pop("Content-Type"), headers=headers)


def test_the_three_examples_do_what_they_say(agreement, people):
    send, read, reject = re.findall(r"```sh\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    key = token_for(cast.user("Crm Bridge", Role.MARKETER, Role.REP, Role.SALES_MANAGER))
    sent = curl(send, KEY=key)
    assert (sent.status_code, sent.json()["outcome"], sent.json()["new_events"]) == (201, "handed_over", 1)
    assert curl(send, KEY=key)["Idempotent-Replayed"] == "true"
    assert Lead.objects.count() == 1
    held = cast.open_handoff(owner=people.rep, at=timezone.now())
    listed = curl(read, KEY=key).json()["items"]
    assert held.pk in {row["id"] for row in listed}
    assert {row["owner"]["name"] for row in listed} == {"Rena Rep"}
    assert curl(reject, KEY=key, HANDOFF=held.pk).status_code == 201
    assert (Decision.objects.get().decided_by, Decision.objects.get().reason.code) == (people.rep, "11")


def test_the_table_of_problems_is_that_of_the_code():
    table = DOCS.read_text(encoding="utf-8").partition("<!-- problems -->\n")[2].strip()
    rows = sorted((status, code, sentence) for code, (status, sentence) in KNOWN.items())
    lines = ["| status | code | what it says |", "|---|---|---|"]
    lines += [f"| {status} | `{code}` | {sentence} |" for status, code, sentence in rows]
    assert table == "\n".join(lines)


@pytest.mark.parametrize(
    "verb", [take_in_lead, take_in_events, log_touch, accept_handoff, reject_handoff, record_deal]
)
def test_whatever_a_verb_refuses_has_its_row(verb):
    named = re.search(r"Refuses: (.*?)\.$", unwrap(verb).__doc__, re.DOTALL | re.MULTILINE)
    classes = {one.__name__: one for one in refusals()}
    for name in re.findall(r"\b[A-Z]\w+", named.group(1)) if named else ():
        assert classes[name].code in KNOWN, name


def refusals(of=Refusal):
    for one in of.__subclasses__():
        yield one
        yield from refusals(one)


@pytest.mark.parametrize("code", sorted(KNOWN))
def test_a_code_means_one_thing_in_the_whole_house(code):
    """The API's sentence is the one that the class of this code says on pages."""
    said = {one.sentence for one in refusals() if one.code == code}
    assert KNOWN[code][1] in said
