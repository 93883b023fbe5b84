"""A request with an Idempotency-Key is worked once: its answer is written in the transaction of the work.

Two at once wait for each other; after a crash either both work and answer are there, or neither.
"""

import hashlib
import json
import re
from inspect import unwrap

from django.db import connection, transaction
from django.http import Http404, HttpResponse
from django.utils import timezone

from portal.keys import problem
from portal.keys.models import KeptAnswer
from portal.keys.services import KEPT_FOR
from portal.shared.refusal import Refusal

NAME = re.compile(r"[!-~]{1,200}")
JSON = "application/json; charset=utf-8"


def once(request, work):
    """The response to `work(do)` → (status, dict): a refusal becomes its problem, and is kept as well.

    work calls its verb as do(verb, **arguments): within one transaction with the answer where the request has an
    Idempotency-Key. Raises IdempotencyKeyInvalid, IdempotencyKeyReused; without that header whatever the work refuses.
    """
    name = request.headers.get("Idempotency-Key")
    if name is None:
        status, said = work(lambda verb, **arguments: verb(**arguments))
        return HttpResponse(json.dumps(said), status=status, content_type=JSON)
    if not NAME.fullmatch(name):
        raise problem.IdempotencyKeyInvalid
    fingerprint, now = _fingerprint(request), timezone.now()
    with transaction.atomic(durable=True):
        kept = _kept(request.key.pk, name, now)
        if kept is None:
            status, body = _worked(work)
            KeptAnswer.objects.create(
                key=request.key, name=name, request=fingerprint, status=status, body=body, kept_at=now
            )
        elif kept.request != fingerprint:
            raise problem.IdempotencyKeyReused
    if kept is None:
        return _response(status, body)
    response = _response(kept.status, kept.body)
    response["Idempotent-Replayed"] = "true"
    return response


def _worked(work):
    """(status, text) of the work; what a refused one wrote is taken back, and the refusal is the answer."""
    try:
        with transaction.atomic():
            status, said = work(lambda verb, **arguments: unwrap(verb)(**arguments))
    except (Refusal, Http404) as refusal:
        said = problem.document(refusal if isinstance(refusal, Refusal) else problem.NotFound())
        status = said["status"]
    return status, json.dumps(said)


def _response(status, body):
    kind = problem.MEDIA_TYPE if status >= 400 else JSON
    return HttpResponse(body, status=status, content_type=kind)


def _kept(key, name, now):
    """The answer kept under this name, once whoever works under it has finished; an old one is forgotten."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"answer:{key}:{name}"])
    kept = KeptAnswer.objects.filter(key=key, name=name).first()
    if kept and kept.kept_at <= now - KEPT_FOR:
        kept.delete()
        return None
    return kept


def _fingerprint(request):
    told = f"{request.method} {request.get_full_path()} {request.user.pk}\n".encode() + request.body
    return hashlib.sha256(told).hexdigest()
