"""`manage.py create_admin EMAIL`: the first person of a new portal."""

import getpass
import os

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from portal.accounts.models import Role, User


class Command(BaseCommand):
    """Nobody can sign up, so the first admin is made here; every other person under People."""

    help = "Add an admin who can sign in. Asks for a password, or takes it from ADMIN_PASSWORD."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="the person's name; the address when left out")

    def handle(self, *args, email, name, **options):
        email = email.strip().lower()
        try:
            validate_email(email)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        if User.objects.filter(email__iexact=email).exists():
            raise CommandError(f"{email} exists already. Another admin can change their roles under People.")
        user = User(email=email, name=name or email)
        password = os.environ.get("ADMIN_PASSWORD") or self._ask()
        try:
            validate_password(password, user)
        except ValidationError as problem:
            raise CommandError(f"{' '.join(problem.messages)} Nothing was saved.") from None
        User.objects.create_user(email, password, name=user.name, roles=[Role.ADMIN])
        self.stdout.write(
            f"{email} can sign in as admin.\n"
            "Next: add both leaders, reps and marketers under People, then run\n"
            "  manage.py start_agreement --signed-by-marketing E-MAIL --signed-by-sales E-MAIL"
        )

    def _ask(self):
        password = getpass.getpass("Password: ")
        if password != getpass.getpass("Once more: "):
            raise CommandError("The two passwords differ. Nothing was saved.")
        return password
