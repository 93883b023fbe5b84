"""What people are written about the agreement: that it waits for them, that it was signed, returned or withdrawn."""

from django.urls import reverse
from django.utils import timezone

from portal.accounts.models import Role
from portal.outbox.mail import Mail, kind, writes
from sla.models import Party, SLAVersion
from sla.models.state import standing

AGREEMENT = kind(
    "agreement",
    "The agreement",
    hint="It waits for my signature, or what I proposed was returned.",
    roles=(Role.MARKETER, Role.MARKETING_LEADER, Role.SALES_LEADER, Role.SALES_MANAGER),
    chat=True,
)
LINK = "Open the agreement"


@writes("agreement.proposed", AGREEMENT, chat=True)
def proposed(payload):
    return _about(payload, "Agreement v{number} was proposed", "Both sides read it and sign it, or send it back.")


@writes("agreement.signed", AGREEMENT, chat=True)
def signed(payload):
    side = Party(payload["party"]).label.lower()
    return _about(payload, f"Agreement v{{number}} was signed for {side}", f"{payload['name']} signed it for {side}.")


@writes("agreement.waits", AGREEMENT)
def waits(payload):
    return _to_sign(payload, "Agreement v{number} waits for your signature", "{proposer} proposed it.")


@writes("agreement.signature_missing", AGREEMENT)
def signature_missing(payload):
    return _to_sign(payload, "Still waiting: your signature under agreement v{number}", "{proposer} proposed it.")


@writes("agreement.returned", AGREEMENT)
def returned(payload):
    words = f"{payload['by']} returned it:\n\n{payload['comment']}\n\nEdit it as a new draft."
    return _about(payload, "Agreement v{number} was returned", words)


@writes("agreement.withdrawn", AGREEMENT)
def withdrawn(payload):
    why = f":\n\n{payload['comment']}" if payload["comment"] else "."
    return _about(payload, "Agreement v{number} was withdrawn", f"{payload['by']} withdrew it{why}")


@writes("agreement.deputy", AGREEMENT)
def deputy(payload):
    side = Party(payload["party"]).label.lower()
    words = f"{payload['by']} appointed you: you may sign the agreement for {side} in their place."
    return Mail(f"You are a deputy for {side}", words, reverse("agreement"), LINK)


def _to_sign(payload, subject, words):
    """None when it was signed or ended meanwhile."""
    version = SLAVersion.objects.select_related("proposed_by").filter(number=payload["version"]).first()
    if version is None:
        return None
    stands = standing(version, at=timezone.now())
    if not stands.waits or payload["party"] not in stands.missing:
        return None
    proposer = version.proposed_by.name if version.proposed_by else "The portal"
    return _about(payload, subject, words.format(proposer=proposer) + f" Fingerprint: {version.fingerprint}")


def _about(payload, subject, words):
    number = payload["version"]
    return Mail(subject.format(number=number), words, reverse("agreement_version", args=[number]), LINK)
