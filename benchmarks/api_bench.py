"""A lead by the API, scored and routed, beside a bare view that inserts its JSON; and a thousand in one request.

In one process and in turns, through the whole stack of middleware on both sides, so that the ratios hold on a busy
machine. The leads that were taken in are withdrawn from sight at the end by taking the benchmark's people away.
"""

import itertools
import json
import logging
import os
import time
from statistics import median

from django.http import JsonResponse
from django.test import Client, override_settings
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from benchmarks.pages_bench import line, pairs, seconds
from leads.models import Lead
from portal.accounts.models import Role, Team, User
from portal.keys.scopes import LEADS_WRITE
from portal.keys.services import make_key
from sla.models import Party, SLAVersion
from sla.services.version import propose_version, sign_version
from sla.starter import draft_version

REPS, TIMES, BATCHES, BATCH, SINGLES = 10, 60, 5, 1000, 30
LEAD = {"first_name": "Henrike", "last_name": "Solvang", "title": "Head of Operations", "company": "Corvane Foods",
        "employees": 640, "industry": "Food", "country": "Netherlands", "source": "Demo request"}  # fmt: skip
numbers = itertools.count(time.time_ns())


@csrf_exempt
def insert(request):
    """The floor: what the JSON says becomes one row."""
    lead = Lead.objects.create(created_at=timezone.now(), updated_at=timezone.now(), **json.loads(request.body))
    return JsonResponse({"lead": lead.pk}, status=201)


insert.login_required = False
urlpatterns = [path("bench/insert", insert), path("", include("portal.urls"))]


@override_settings(ROOT_URLCONF="benchmarks.api_bench", API_REQUESTS_A_MINUTE=10**9)
def run(rows):
    """[(what, product, floor, ratio, target)]; BENCH_BATCH sets how many leads a batch has."""
    logging.disable(logging.INFO)  # a line per request would bury the table
    token = company()
    try:
        return measure(Client(headers={"Authorization": f"Bearer {token}"}))
    finally:
        logging.disable(logging.NOTSET)
        User.objects.filter(email__endswith="@api-bench.example").update(is_active=False)


def measure(client):
    single = pairs(lambda: send(client, "/api/v1/leads", hot()), lambda: send(client, "/bench/insert", hot()), TIMES)
    found = [line("API: a lead taken in, scored and routed, beside a bare insert of its JSON", single, "≤ 3 ×")]
    cold = pairs(lambda: send(client, "/api/v1/leads", quiet()), lambda: send(client, "/bench/insert", quiet()), TIMES)
    found.append(line("API: a lead that stays in nurture, beside the same", cold, "≤ 3 ×"))
    return [*found, batch(client, "handed over", hot), batch(client, "in nurture", quiet)]


def batch(client, what, fact):
    """One line: leads a second in batches beside one request a lead, in turns."""
    count = int(os.environ.get("BENCH_BATCH", BATCH))
    many, single = [], []
    for _ in range(BATCHES):
        body = {"leads": [fact() for _ in range(count)]}
        many.append(seconds(lambda body=body: taken(send(client, "/api/v1/leads:batch", body), count)) / count)
        single.append(seconds(lambda: [send(client, "/api/v1/leads", fact()) for _ in range(SINGLES)]) / SINGLES)
    ratio = median(one / two for one, two in zip(single, many, strict=True))
    product, floor = f"{1 / median(many):,.0f} leads/s", f"{1 / median(single):,.0f} leads/s"
    return f"API: a batch of {count:,}, {what}, beside one request a lead", product, floor, f"{ratio:.1f} ×", "≥ 10 ×"


def taken(said, count):
    assert said["taken"] == count, said["rows"][:2]


def send(client, where, body):
    answer = client.post(where, json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def hot():
    """Facts of a new person who reaches a tier."""
    return LEAD | {"email": f"api{next(numbers)}@corvane.example"}


def quiet():
    return {"email": f"api{next(numbers)}@quiet.example", "company": "Quiet"}


def company():
    """Ten reps, a marketer's key, an agreement in force. Returns the key's token."""
    now = timezone.now()
    team = Team.objects.get_or_create(name="API bench")[0]
    people = {
        role: User.objects.filter(email=f"{role}@api-bench.example").first()
        or User.objects.create_user(f"{role}@api-bench.example", name=f"Bench {role}", roles=[role])
        for role in (Role.ADMIN, Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER)
    }
    for n in range(REPS):
        email = f"rep{n}@api-bench.example"
        if not User.objects.filter(email=email).exists():
            User.objects.create_user(email, name=f"API rep {n}", roles=[Role.REP], team=team)
    User.objects.filter(email__endswith="@api-bench.example").update(is_active=True)
    if SLAVersion.objects.in_force(at=now) is None:
        marketing, sales = people[Role.MARKETING_LEADER], people[Role.SALES_LEADER]
        version = draft_version(by=marketing, at=now)
        propose_version(version_id=version.pk, effective_from=now, by=marketing, at=now)
        sign_version(version_id=version.pk, party=Party.MARKETING, role=Role.MARKETING_LEADER, by=marketing, at=now)
        sign_version(version_id=version.pk, party=Party.SALES, role=Role.SALES_LEADER, by=sales, at=now)
    return make_key(
        name="Bench", person_id=people[Role.MARKETER].pk, scopes=[LEADS_WRITE], days=30, by=people[Role.ADMIN], at=now
    )[1]
