"""A program that speaks to the API: its key, and requests as JSON."""

import datetime as dt

from django.test import Client
from django.utils import timezone

from portal.accounts.models import Role
from portal.keys.scopes import SCOPES
from portal.keys.services import make_key
from tests import cast


def token_for(person, *scopes, at=None, days=90):
    """The token of a new key that acts as the person, with these scopes or all of them."""
    admin = cast.user("Ada Admin", Role.ADMIN)
    at = at or timezone.now() - dt.timedelta(minutes=5)
    return make_key(name="A program", person_id=person.pk, scopes=scopes or [*SCOPES], days=days, by=admin, at=at)[1]


class Program:
    """Requests with a key. `said` is the JSON of the last answer."""

    def __init__(self, person=None, *scopes, token=None, **options):
        self.client = Client(**options)
        self.token = token or (token_for(person, *scopes) if person else None)

    def get(self, address, query=None, **headers):
        return self._kept(self.client.get(f"/api/v1/{address}", query, headers=self._headers(headers)))

    def post(self, address, body, *, content_type="application/json", **headers):
        path, given = f"/api/v1/{address}", self._headers(headers)
        return self._kept(self.client.post(path, body, content_type=content_type, headers=given))

    def _headers(self, more):
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return ({"Authorization": f"Bearer {self.token}"} if self.token else {}) | named

    def _kept(self, answer):
        self.said = answer.json() if "json" in answer["Content-Type"] else None
        return answer
