"""Rules of the house that no single page can keep: who gets in where, what a template may hold, what imports what."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, reverse

from portal.accounts.models import Role
from sla.services.definition import draft_definition
from tests import cast

ROOT = Path(settings.BASE_DIR)
OWN_APPS = (
    *("accounts", "outbox", "keys", "sla", "leads", "imports", "audit", "intake", "backtest"),
    *("forms", "connectors", "calibration"),
)
ALL = frozenset(Role.values)
LEADERS = {Role.MARKETING_LEADER, Role.SALES_LEADER}
MARKETING = {Role.MARKETER, Role.MARKETING_LEADER, Role.ADMIN}
READERS = ALL - {Role.REP}
BACKTESTERS = LEADERS | MARKETING
AUTHORS = {Role.MARKETER, *LEADERS}
SALES = {Role.REP, Role.SALES_MANAGER}
ADMINS = {Role.ADMIN}
ROUTERS = {Role.SALES_MANAGER, Role.ADMIN}
CALENDARS = {Role.ADMIN, Role.SALES_MANAGER}
# without a session: sign-in and what belongs to it, health, the demo's doors (404 outside the demo)
OPEN = {
    *("account_login", "account_logout", "account_inactive", "account_signup", "account_reset_password"),
    *("account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done"),
    *("healthz", "readyz", "demo", "demo_sign_in", "kept_mails", "kept_mail"),
    *("api_docs", "api_openapi"),  # they say nothing of anybody
    # forms as visitors see them
    *("form_public", "form_public_part", "form_public_thanks", "form_embed", "form_embed_thanks", "form_embed_send"),
    "inbound",  # the secret address of a connection; who does not know it gets 404
}
API = re.compile(r"^api/v1/")  # a key opens it, and no session does
# who may open a page: the one table, beside portal.accounts.permissions
MAY_OPEN = {
    "home": ALL,
    "me": ALL,
    "theme": ALL,
    "keys": ALL,
    "inbox": SALES,
    "queue": SALES,
    "routing": ROUTERS,
    "routing_start": ROUTERS,
    "routing_publish": ROUTERS,
    "routing_discard": ROUTERS,
    "routing_terms": ROUTERS,
    "routing_dry_run": ROUTERS,
    "routing_weights": ROUTERS,
    "routing_rule_add": ROUTERS,
    "queue_claim": SALES,
    "home_breaching": {Role.SALES_MANAGER, Role.SALES_LEADER},
    "person_hand_over": {Role.SALES_MANAGER},
    "bell": ALL,
    "bell_count": ALL,
    "bell_read_all": ALL,
    "preferences": ALL,
    "preferences_quiet": ALL,
    "messages": ADMINS,
    "messages_retry_all": ADMINS,
    "message_retry": ADMINS,
    "rooms": ADMINS,
    "api_keys": ADMINS,
    "connections": ADMINS,
    "privacy": ADMINS,
    "privacy_retention": ADMINS,
    "privacy_export": ADMINS,
    "privacy_leftovers": ADMINS,
    "endpoint_add": ADMINS,
    "connection_add": ADMINS,
    "absences": ALL,
    "absence_add": ALL,
    "calendars": CALENDARS,
    "calendar_new": CALENDARS,
    "calendar_give": CALENDARS,
    "people": ADMINS,
    "person_add": ADMINS,
    "person": ADMINS,
    "person_link": ADMINS,
    "person_reactivate": ADMINS,
    "person_deactivate": ADMINS,
    "team_add": ADMINS,
    "team": ADMINS,
    "agreement": ALL,
    "agreement_version": ALL,
    "agreement_verify": ALL,
    "agreement_bundle": ALL,
    "agreement_history": ALL,
    "agreement_compare": ALL,
    "agreement_open": ALL,
    "agreement_trend": READERS,
    "agreement_sign": ALL,  # whoever is no signatory gets the page back with the reason (422)
    "agreement_withdraw": ALL,  # what is in force waits for nobody: 409, whoever asks
    "agreement_return": ALL,
    "agreement_edit": AUTHORS,
    "agreement_section": AUTHORS,
    "agreement_reason_add": AUTHORS,
    "agreement_reason": AUTHORS,
    "agreement_draft": AUTHORS,
    "agreement_propose": AUTHORS,
    "agreement_discard": AUTHORS,
    "agreement_comment": AUTHORS | {Role.SALES_MANAGER},
    "agreement_deputy": LEADERS,
    "agreement_pdf": ALL,
    "definition": ALL,
    "definition_version": ALL,
    "definition_compare": ALL,
    "definition_facts": BACKTESTERS,
    "definition_kinds": BACKTESTERS,
    "definition_values": BACKTESTERS,
    "definition_score": BACKTESTERS,
    "definition_backtest": BACKTESTERS,
    "agreement_impact": BACKTESTERS,
    "calibrations": BACKTESTERS,
    "calibration_new": AUTHORS,
    "audit_latest": READERS,
    "audit": READERS,
    "audit_review": READERS,
    "audit_closing": READERS,
    "audit_quality": READERS,
    "audit_quality_flag": READERS,
    "audit_recode": AUTHORS | {Role.SALES_MANAGER},
    "audit_sample": AUTHORS,
    "audit_json": READERS,
    "audit_table": READERS,
    "audit_pdf": READERS,
    "audit_review_pdf": READERS,
    "audit_quality_export": READERS,
    "audit_left_out": READERS,
    "audit_fix": READERS,
    "audit_trend": READERS,
    "audit_disputes": READERS,
    "audit_speed": READERS,
    "audit_scorecard": ALL,
    "audit_breaches": ALL,
    "audit_excuse": AUTHORS | {Role.SALES_MANAGER},  # nothing chosen: 422
    "audit_actions": READERS,
    "audit_action_new": AUTHORS | {Role.SALES_MANAGER},
    "leads": ALL,
    "nurture": MARKETING | LEADERS,
    "form_list": READERS,
    "leads_export": ALL,
    "disputes": READERS,
    "rounds": ALL,
    "round_start": AUTHORS,
    "deals": ALL,
    "deals_export": ALL,
    "deals_figures": READERS,
    "deals_figures_export": READERS,
    "deal_record": SALES | {Role.SALES_LEADER, Role.ADMIN},
    "handoff": ALL,  # of those who see this one: its rep, the manager of the team, everybody else but other reps
    "import_list": MARKETING,
}
ARGUMENTS = {
    "number": 1,
    "month": "2026-10",
    "role": "rep",
    "key": "a-b",
    "uidb36": "1",
    "code": "11",
    "name": "x",
    "other": 1,
    "section": "sales",
    "form": "csv",
    "flag": "hurried",
    "table": "reasons",
    "span": "2026-10-05--2026-10-18",
}


@cache
def routes():
    """(name, route) of every address of the portal."""
    return sorted(_walk(get_resolver().url_patterns, ""))


def _walk(patterns, prefix):
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield pattern.name or route, route


@cache
def views():
    """The view function of every own address, by name."""

    def walk(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns)
            else:
                yield pattern.name, pattern.callback

    return dict(walk(get_resolver().url_patterns))


def address(name, route, **given):
    """An address of the route, with any argument that fits."""
    wanted = re.findall(r"<(?:(\w+):)?(\w+)>", route)
    kwargs = {}
    for converter, argument in wanted:
        kind = 1 if converter == "int" else "00000000-0000-0000-0000-000000000001" if converter == "uuid" else "x"
        kwargs[argument] = given.get(argument, ARGUMENTS.get(argument, kind))
    return reverse(name, kwargs=kwargs)


@pytest.mark.parametrize(("name", "route"), routes())
def test_every_address_but_the_open_ones_asks_for_a_session(db, client, name, route):
    for method in ("get", "post"):
        answer = getattr(client, method)(address(name, route))
        to_sign_in = answer.status_code == 302 and answer["Location"].startswith(reverse("account_login") + "?")
        if API.match(route) and name not in OPEN:
            assert answer.status_code in (401, 404, 405, 415), f"{method} {route} answers {answer.status_code}"
        elif name in OPEN:
            assert not to_sign_in
            assert answer.status_code in (200, 302, 404, 405, 503)
        else:
            assert to_sign_in, f"{method} {route} answers {answer.status_code} to a stranger"


@pytest.mark.parametrize("role", Role.values)
def test_a_role_opens_the_pages_of_the_table_and_no_other(people, agreement, role, open_lead):
    person = next(p for p in vars(people).values() if getattr(p, "roles", None) == [role])
    handoff = open_lead()
    client = Client()
    client.force_login(person, backend=settings.AUTHENTICATION_BACKENDS[0])
    known, wrong = dict(routes()), []
    for name, allowed in MAY_OPEN.items():
        arguments = {
            "pk": people.rep.pk if name.startswith("person") else people.north.pk if name == "team" else handoff.pk
        }
        where = address(name, known[name], **arguments)
        answer = client.get(where)
        if answer.status_code == 405:
            answer = client.post(where)
        opened = answer.status_code in (200, 302, 409, 422)
        if opened is not (role in allowed) or not (opened or answer.status_code == 403):
            wrong.append((name, answer.status_code))
    assert not wrong, f"{role}: {wrong}"


def test_somebody_without_a_role_opens_only_their_own_account(db, agreement):
    from portal.accounts.models import User

    client = Client()
    nobody = User.objects.create_user("nobody@tarnwick.example", name="Nobody")
    client.force_login(nobody, backend=settings.AUTHENTICATION_BACKENDS[0])
    opened = {
        name
        for name in ("me", "people", "agreement", "definition", "audit_latest", "inbox")
        if client.get(reverse(name)).status_code == 200
    }
    assert opened == {"me"}


OWN = re.compile(r"^(me|theme|keys|account_.*|bell.*|preferences.*|absence.*)$")  # everybody has an account


def test_somebody_without_a_role_is_shown_nothing_by_sending_forms(agreement, people, open_lead, now):
    client, handoff = Client(), open_lead()
    draft = draft_definition(start_from=agreement.definition, by=people.marketer, at=now)
    client.force_login(cast.user("Nobody"), backend=settings.AUTHENTICATION_BACKENDS[0])
    tier, rule = draft.tiers.first(), draft.rules.first()
    answered = set()
    for name, route in routes():
        if name in OPEN or OWN.match(name) or API.match(route):
            continue
        of_draft = "tier" in name or "rule" in name
        pk = (tier if "tier" in name else rule).pk if of_draft else handoff.pk
        number = draft.number if name.startswith("definition_") else agreement.number
        for send in (client.get, client.post):
            status = send(address(name, route, pk=pk, number=number)).status_code
            if status not in (403, 404, 405):
                answered.add((name, status))
    assert answered == {("home", 302)}  # to their own account


def test_every_own_address_stands_in_the_table_or_is_tested_with_its_page():
    """A new page has to say who may open it: here, or where its own tests are (imports, inbox)."""
    tested_with_the_page = re.compile(
        r"^(audit_|calibration|routing_|nurture_|form$|form_|absence_|calendar|import|definition_|handoff_|dispute_|lead_|inbox_|bell_open|room_?|api_key_|bulk|reason|clock|account_|endpoint|delivery|deal_|round|connection|item|privacy_lead)"
    )
    unknown = {
        name
        for name, route in routes()
        if name not in OPEN | set(MAY_OPEN) and not (tested_with_the_page.match(name) or API.match(route))
    }
    assert not unknown


@pytest.mark.parametrize(
    "name", ["theme", "keys", "person_add", "person_link", "person_reactivate", "team_add", "team"]
)
def test_what_changes_something_is_never_reached_by_a_link(people, name):
    client = Client()
    client.force_login(people.admin, backend=settings.AUTHENTICATION_BACKENDS[0])
    assert client.get(address(name, dict(routes())[name])).status_code == 405


def test_every_own_view_says_which_methods_it_takes():
    """Django's require_GET and its kin name their wrapper; a view without one takes everything."""
    loose = [
        name
        for name, view in views().items()
        if view.__module__.split(".")[0] in ("portal", "sla", "leads") and not _is_bound_to_methods(view)
    ]
    assert not loose


def _is_bound_to_methods(view):
    while view is not None:
        cells = [c.cell_contents for c in (getattr(view, "__closure__", None) or ())]
        if any(isinstance(c, list | tuple) and c and set(c) <= {"GET", "HEAD", "POST"} for c in cells):
            return True
        view = getattr(view, "__wrapped__", None)
    return False


# --- records ----------------------------------------------------------------------------------------
PERSON_ACTS = re.compile(r"^(assigned|touched|decided|signed|proposed|withdrawn|created|cancelled|closed)_at$")
# rows that come from a system, a file or a lead: nobody in the house did it, or the field repeats another row's
NOBODY_ACTED = {
    ("leads", "Lead", "created_at"),  # captured
    ("leads", "Handoff", "decided_at"),  # repeats its standing decision, which names the person
    ("leads", "Deal", "closed_at"),  # the customer decided; who recorded it stands in recorded_by
    ("outbox", "Notice", "created_at"),  # shown by the worker
    ("outbox", "Message", "created_at"),  # written by a verb, which names the person in the payload
    ("accounts", "User", "created_at"),  # logged with the admin's id
    ("sla", "Calendar", "created_at"),  # part of a version, which names who drafted it
}


def test_where_a_person_acts_the_row_says_who_beside_when():
    missing = []
    for model in apps.get_models():
        if model._meta.app_label not in OWN_APPS:
            continue
        names = {field.name for field in model._meta.get_fields()}
        for name in names:
            key = (model._meta.app_label, model.__name__, name)
            if PERSON_ACTS.match(name) and name.replace("_at", "_by") not in names and key not in NOBODY_ACTED:
                missing.append(key)
    assert not missing


# --- text of the house ------------------------------------------------------------------------------
TEMPLATES = sorted(path.relative_to(ROOT) for path in (ROOT / "templates").rglob("*.html"))
INLINE = re.compile(
    r"<style|\sstyle\s*=|\shx-on|\son[a-z]+\s*=\s*[\"']|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE
)


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_a_template_holds_no_inline_script_or_style(path):
    found = INLINE.search((ROOT / path).read_text(encoding="utf-8"))
    assert found is None, f"{path}: {found.group()}"


def test_inline_code_would_be_found():
    for text in ('<p style="x">', "<script>", '<a onclick="x">', '<div hx-on::load="x">', '<a href="javascript:x">'):
        assert INLINE.search(text), text
    assert not INLINE.search('<script src="/static/js/keys.js" defer></script>')


def _sources(*parts):
    return [
        p
        for p in ROOT.rglob("*.py")
        if p.relative_to(ROOT).parts[0] in ("portal", "sla", "leads") and set(p.parts) & set(parts)
    ]


def test_views_change_nothing_themselves():
    """They call verbs: no .save(), .create(), .update(), .delete() on records."""
    files = [
        *_sources("views"),
        *ROOT.glob("*/views.py"),
        *ROOT.glob("*/*/views.py"),
        ROOT / "portal/accounts/people.py",
    ]
    files = [f for f in files if ".venv" not in f.parts]
    writes = re.compile(
        r"\.(save|delete|bulk_create|get_or_create|update_or_create)\(|\.objects\.create\(|\.update\(\w+="
    )
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if writes.search(line) and "form.save(request)" not in line
    ]
    assert len(files) > 5
    assert not found


def test_the_layers_import_downwards_only():
    program = Path(sys.executable).with_name("lint-imports")
    if not (program.exists() or shutil.which("lint-imports")):
        pytest.skip("import-linter is not installed")
    done = subprocess.run([str(program)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
