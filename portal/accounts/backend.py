"""Who is signed in: allauth's backend; the question of every request is made once."""

from allauth.account.auth_backends import AuthenticationBackend

from portal.accounts.models import User
from portal.shared.prepared import AN_ID, Prepared


@Prepared.of(AN_ID)
def _person(pk):
    return User.objects.filter(pk=pk)


class PortalBackend(AuthenticationBackend):
    def get_user(self, user_id):
        person = _person.one(user_id)
        return person if person and self.user_can_authenticate(person) else None
