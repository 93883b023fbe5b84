"""`manage.py start_agreement`: the first agreement of a new company, from the starter terms."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.accounts.models import Role, User
from portal.shared.refusal import Refusal
from sla.models import Party, SLAVersion
from sla.services.version import propose_version, sign_version
from sla.starter import IN_BUSINESS_HOURS, draft_version

SIDES = (
    ("signed_by_marketing", Party.MARKETING, Role.MARKETING_LEADER),
    ("signed_by_sales", Party.SALES, Role.SALES_LEADER),
)


class Command(BaseCommand):
    """Draft, propose and, with both signers named, sign: in force at once."""

    help = "Propose the starter agreement with its definition and reason catalogue; sign it for the leaders named."

    def add_arguments(self, parser):
        parser.add_argument("--signed-by-marketing", metavar="EMAIL", help="a marketing leader who has agreed")
        parser.add_argument("--signed-by-sales", metavar="EMAIL", help="a sales leader who has agreed")

    def handle(self, *args, **options):
        signers = [(party, role, _leader(options[key], role)) for key, party, role in SIDES if options[key]]
        if len({leader.pk for _, _, leader in signers}) < len(signers):
            raise CommandError("One person never signs for both sides. Nothing was saved.")
        version = self._proposed()
        for party, role, leader in signers:
            if not version.signatures.filter(party=party).exists():
                _sign(version, party, role, leader)
        missing = [party.label for _, party, _ in SIDES if not version.signatures.filter(party=party).exists()]
        if missing:
            self.stdout.write(
                f"Agreement v{version.number} is proposed and waits for: {', '.join(missing)}.\n"
                "Run this again with --signed-by-marketing E-MAIL and --signed-by-sales E-MAIL to sign it."
            )
        else:
            self.stdout.write(
                f"Agreement v{version.number} with definition v{version.definition.number} is signed by both sides "
                f"and in force since {version.effective_from:%Y-%m-%d %H:%M} UTC. Leads can be imported."
            )

    def _proposed(self):
        """The one version there is, proposed; or a fresh one. A portal past its first version is left alone."""
        if SLAVersion.objects.in_force(at=timezone.now()) or SLAVersion.objects.count() > 1:
            raise CommandError("This portal has an agreement already. Nothing was done.")
        now = timezone.now()
        version = SLAVersion.objects.select_related("definition").first() or draft_version(
            by=None, at=now, **IN_BUSINESS_HOURS
        )
        if not version.proposed_at:
            version = propose_version(version_id=version.pk, effective_from=now, by=None, at=now)
        return version


def _leader(email, role):
    leader = User.objects.active().holding(role).filter(email__iexact=email.strip()).first()
    if leader is None:
        raise CommandError(f"No active {role.label.lower()} has the address {email}. Add one under People.")
    return leader


def _sign(version, party, role, leader):
    try:
        sign_version(version_id=version.pk, party=party, role=role, by=leader, at=timezone.now())
    except Refusal as refusal:
        raise CommandError(refusal.sentence) from None
