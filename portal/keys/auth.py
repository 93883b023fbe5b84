"""Who asks: the key that a request bears, whether it is for this, and the person it acts as."""

import datetime as dt

from django.conf import settings
from django.utils import timezone
from ninja.security import HttpBearer

from portal.accounts.models import User
from portal.keys import limits, problem, secrets
from portal.keys.models import ApiKey
from portal.keys.scopes import ACT_FOR, SCOPES
from portal.keys.services import note_use
from portal.shared import large
from portal.shared.prepared import A_TEXT, Prepared

WHO = [f"person__{name}" for name in ("name", "email", "roles", "team", "is_active", "time_zone")]
NOTED = dt.timedelta(minutes=1)  # how exact "last used" is


class Bearer(HttpBearer):
    """Lets in whose key has `scope`; then `request.user` is the person it acts as, `request.key` the ApiKey.

    cost: how many requests of the minute's quota one costs.
    """

    def __init__(self, scope, *, cost=1):
        self.scope, self.cost = scope, cost
        super().__init__()

    def __call__(self, request):
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise problem.KeyMissing
        return self.authenticate(request, token.strip())

    def authenticate(self, request, token):
        now = timezone.now()
        key = live_key(token, at=now)
        request.rate = limits.spend(f"key:{key.pk}", quota=settings.API_REQUESTS_A_MINUTE, at=now, cost=self.cost)
        if key.last_used_at is None or now - key.last_used_at >= NOTED:
            note_use(key_id=key.pk, at=now)
        self._check(key, self.scope)
        request.key, request.user = key, self._person(request, key)
        if large.is_large(request):
            self._receive(request, key)
        return key

    def _receive(self, request, key):
        """A large body is read here, while it is counted as one that is on its way."""
        try:
            with large.receiving(f"key:{key.pk}"):
                request.body  # noqa: B018
        except large.TooManyAtOnce:
            refusal = problem.TooManyRequests("Two large bodies of this key are on their way already.")
            refusal.headers = {"Retry-After": "1"}
            raise refusal from None

    def _check(self, key, scope):
        if scope not in key.scopes:
            raise problem.ScopeMissing(f"This key was not made for that: it lacks {scope} ({SCOPES[scope].lower()}).")

    def _person(self, request, key):
        """The key's own person, or whom the request names where the key may act for others."""
        named = request.headers.get("On-Behalf-Of")
        if named is None:
            return key.person
        self._check(key, ACT_FOR)
        person = User.objects.active().filter(email__iexact=named).first() if "\0" not in named else None
        if person is None:
            raise problem.PersonUnknown
        return person


@Prepared.of(A_TEXT)
def _with_prefix(prefix):
    keys = ApiKey.objects.select_related("person").filter(prefix=prefix)
    return keys.only("name", "digest", "scopes", "expires_at", "last_used_at", "revoked_at", *WHO)


def live_key(token, *, at):
    """The ApiKey of a token. Refuses: KeyUnknown, KeyRevoked, KeyExpired, PersonLeft."""
    parts = secrets.taken_apart(token)
    if parts is None:
        raise problem.KeyUnknown
    prefix, secret = parts
    key = _with_prefix.one(prefix)
    if not secrets.matches(secret, key and key.digest):
        raise problem.KeyUnknown
    if (state := key.state(at)) != "live":
        raise {"revoked": problem.KeyRevoked, "expired": problem.KeyExpired}[state]
    if not key.person.is_active:
        raise problem.PersonLeft
    return key
