"""A submission of a form, evaluated in the request or left to the worker, beside plain inserts of what it writes."""

import datetime as dt
import os
from statistics import median
from time import perf_counter

from django.db import connection, transaction

ADDRESS = "203.0.113.%d"
FLOOR = """
    WITH lead AS (INSERT INTO leads_lead (email, phone, first_name, last_name, title, company, domain, industry,
            country, region, product, source, campaign, channel, attributes, created_at, updated_at)
        VALUES (%(email)s, '', 'A', 'B', '', 'C', '', '', '', '', '', '', '', '', '{}', %(at)s, %(at)s)
        RETURNING id),
    event AS (INSERT INTO leads_event (lead_id, kind, occurred_at, recorded_at, origin, origin_id, properties,
            suspected_by) SELECT id, 'form_submitted', %(at)s, %(at)s, 'bench', %(email)s, '{}', '' FROM lead)
    INSERT INTO forms_submission (version_id, token, via, answers, mailbox, known, suspected_by, lead_id, outcome,
        tier, submitted_at)
    SELECT %(version)s, %(email)s, 'hosted', '{}', %(email)s, false, '', id, 'later', '', %(at)s FROM lead
"""


def run(rows):
    """[(what, product, floor, ratio, target)]; BENCH_SUBMISSIONS sets how many of each."""
    from django.conf import settings

    count = int(os.environ.get("BENCH_SUBMISSIONS", 200))
    version, before = _form(), settings.FORMS_EVALUATE_A_SECOND
    _floor(version, 20)
    _posts(version, 5)
    try:
        floor = _floor(version, count)
        settings.FORMS_EVALUATE_A_SECOND = 10**9
        evaluated = _posts(version, count)
        settings.FORMS_EVALUATE_A_SECOND = 0
        left = _posts(version, count)
    finally:
        settings.FORMS_EVALUATE_A_SECOND = before
    return [
        _line("form: a hot submission, evaluated and routed", evaluated, floor),
        _line("form: a submission, left to the worker", left, floor),
    ]


def _line(what, product, floor):
    return (
        what, f"{product * 1e3:.1f} ms, {1 / product:,.0f}/s", f"its inserts {floor * 1e3:.1f} ms",
        f"{product / floor:.1f}", "–",
    )  # fmt: skip


def _floor(version, count):
    """Median seconds of the rows by plain SQL, each in a transaction."""
    took = []
    for n in range(count):
        said = {"email": f"floor{n}-{perf_counter()}@bench.example", "at": _now(), "version": version.pk}
        began = perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FLOOR, said)
        took.append(perf_counter() - began)
    return median(took)


def _posts(version, count):
    """Median seconds of a whole request, from visitors of many addresses."""
    from django.test import Client
    from django.urls import reverse

    from leads.intake.forms.public import tokens

    client, url, took = Client(), reverse("form_public", args=[version.form.slug]), []
    for n in range(count):
        ticket = tokens.issue(version, at=_now() - dt.timedelta(minutes=1))
        said = {
            "_token": ticket.signed(), "_page": "all", "_shown": ["email", "name", "company", "size"],
            "email": f"{ticket.visit}@bench.example", "name": "A B", "company": "C", "size": "640",
        }  # fmt: skip
        began = perf_counter()
        answer = client.post(url, said, REMOTE_ADDR=ADDRESS % (n % 250))
        took.append(perf_counter() - began)
        if answer.status_code != 302:
            raise RuntimeError(f"A submission was answered {answer.status_code}.")
    return median(took)


def _form():
    from leads.intake.forms.models import Form
    from leads.intake.forms.services.build import create_form, publish_version
    from tests import cast

    known = Form.objects.filter(slug="bench").first()
    if known:
        return known.versions.select_related("form").current()
    at = _now() - dt.timedelta(days=1)
    people = cast.people()
    cast.agreement(at=at)
    document = {
        "title": "Bench",
        "pages": [{"key": "all", "questions": [
            {"key": "email", "type": "email", "label": "E-mail", "required": True, "fills": "email"},
            {"key": "name", "type": "text", "label": "Name", "fills": "name"},
            {"key": "company", "type": "text", "label": "Company", "fills": "company"},
            {"key": "size", "type": "number", "label": "People", "fills": "employees"},
            {"key": "title", "type": "hidden", "fills": "title", "default": "Head of Operations"},
            {"key": "source", "type": "hidden", "fills": "source", "default": "Demo request"}]}],
        "thanks": [{"title": "Thank you"}],
    }  # fmt: skip
    form = create_form(name="Bench", by=people.marketer, at=at, document=document)
    Form.objects.filter(pk=form.pk).update(most_per_address=10_000, most_per_mailbox=1_000)
    version = publish_version(form_id=form.pk, by=people.marketer, at=at)
    version.form.refresh_from_db()
    return version


def _now():
    return dt.datetime.now(dt.UTC)
