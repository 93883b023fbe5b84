"""What a webhook says: a stable JSON of ids and what happened, without names or addresses (docs/webhooks.md)."""

import datetime as dt
import json

from django.conf import settings
from django.urls import reverse

from leads.connectors.outgoing.topics import PING
from leads.models import Decision, Handoff, Lead, Touch
from sla.models import SLAVersion


def body(delivery):
    """The delivery's JSON as text. Raises ObjectDoesNotExist or KeyError where the fact is not what it should be."""
    data = WRITERS[delivery.topic](delivery.fact)
    said = {"type": delivery.topic, "timestamp": _time(delivery.happened_at), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _captured(fact):
    return {"lead": _lead(Lead.objects.get(pk=fact["lead"]))}


def _opened(fact):
    handoff, said = _case(fact)
    return said | {
        "total": handoff.total,
        "contact_due_at": _time(handoff.contact_due_at),
        "decision_due_at": _time(handoff.decision_due_at),
    }


def _touched(fact):
    touch = Touch.objects.get(pk=fact["touch"])
    said = {"id": touch.pk, "kind": touch.kind, "outcome": touch.outcome, "occurred_at": _time(touch.occurred_at)}
    return _case(fact)[1] | {"touch": said | {"by": _person(touch.touched_by_id)}}


def _decided(fact):
    decision = Decision.objects.select_related("reason").get(pk=fact["decision"])
    reason = decision.reason and {"code": decision.reason.code, "category": decision.reason.category}
    said = {
        "id": decision.pk,
        "outcome": decision.outcome,
        "decided_at": _time(decision.decided_at),
        "by": _person(decision.decided_by_id),
        "reason": reason,
        "recycle_on": decision.recycle_on and decision.recycle_on.isoformat(),
        "supersedes": decision.supersedes_id,
    }
    return _case(fact)[1] | {"decision": said}


def _breached(fact):
    handoff, said = _case(fact)
    breach = handoff.breaches.get(clock=fact["clock"])
    return said | {"breach": {"id": breach.pk, "clock": breach.clock, "due_at": _time(breach.due_at)}}


def _signed(fact):
    version = SLAVersion.objects.get(number=fact["version"])
    return {
        "agreement": {"number": version.number, "fingerprint": version.fingerprint},
        "signature": {"party": fact["party"]},
    }


def _closed(fact):
    return {"audit": {"month": fact["month"], "closing": fact["closing"], "fingerprint": fact["fingerprint"]}}


def _ping(fact):
    return {"endpoint": fact["endpoint"]}


WRITERS = {
    "lead.captured": _captured,
    "lead.erased": _captured,
    "handoff.opened": _opened,
    "handoff.touched": _touched,
    "handoff.accepted": _decided,
    "handoff.rejected": _decided,
    "handoff.breached": _breached,
    "agreement.signed": _signed,
    "audit.closed": _closed,
    PING: _ping,
}


def _case(fact):
    """(the handoff, what every message about it says: the law it carries, and whose it is by id)"""
    related = ("lead", "tier", "sla_version", "definition")
    handoff = Handoff.objects.select_related(*related).defer("breakdown").get(pk=fact["handoff"])
    said = {
        "id": handoff.pk,
        "url": f"{settings.PORTAL_URL.rstrip('/')}{reverse('handoff', args=[handoff.pk])}",
        "qualified_at": _time(handoff.qualified_at),
        "tier": handoff.tier and handoff.tier.key,
        "exploration": handoff.exploration,
        "agreement": handoff.sla_version.number,
        "definition": handoff.definition.number,
    }
    return handoff, {"handoff": said, "lead": _lead(handoff.lead)}


def _lead(lead):
    return {"id": lead.pk, "external_id": lead.external_id}


def _person(pk):
    return pk and {"id": pk}


def _time(moment):
    """ "2026-10-15T08:00:00Z"; None stays None."""
    return moment and moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
