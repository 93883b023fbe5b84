"""Sessions in the database, as Django keeps them; the question of every request is made once."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.shared.prepared import A_MOMENT, A_TEXT, Prepared


@Prepared.of(A_TEXT, A_MOMENT)
def _kept(key, now):
    return Session.objects.filter(session_key=key, expire_date__gt=now)


class SessionStore(db.SessionStore):
    def _get_session_from_db(self):
        session = _kept.one(self.session_key, timezone.now())
        if session is None:
            self._session_key = None
        return session
