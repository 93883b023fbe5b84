"""Owners of a file: matched to people by e-mail or name; whom nobody knows becomes a person without sign-in."""

from portal.accounts.models import Role, User

UNUSABLE = "!"


def settle(spellings):
    """Find or make the person of every spelling. Returns ([(number, user id, may hold leads, name)], names made)."""
    if not spellings:
        return [], []
    people = _by_spelling()
    unknown = {text.casefold(): text for text in spellings if text.casefold() not in people}
    if unknown:
        User.objects.bulk_create(
            [User(email=None, name=text, is_active=False, password=UNUSABLE) for text in unknown.values()],
            ignore_conflicts=True,
        )
        people = _by_spelling()
    found = [(number, people[text.casefold()]) for text, number in spellings.items()]
    rows = [(number, person.pk, _may_hold(person), person.name) for number, person in found]
    return rows, sorted(unknown.values())


def _by_spelling():
    """{e-mail or name, case folded: the person}; an active one before one who left, an address before a name."""
    people = list(User.objects.order_by("is_active", "-id"))
    named = {person.name.casefold(): person for person in people}
    return named | {person.email.casefold(): person for person in people if person.email}


def _may_hold(person):
    return person.is_active and person.holds(Role.REP, Role.SALES_MANAGER)
