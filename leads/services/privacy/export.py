"""Everything that is known of a person, as plain JSON: what the person may ask for."""

import json

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from leads.models import Lead
from leads.services.capture import mailbox
from leads.services.privacy.erase import NobodyKnown, known
from leads.services.privacy.holders import HOLDERS
from leads.services.privacy.spellings import spellings
from portal.accounts.permissions import May, require

log = structlog.get_logger(__name__)


@transaction.atomic
def export_person(*, at, by=None, lead_id=None, email=""):
    """{section: what is held} of a lead, or of an e-mail address, as JSON text; colleagues are not named.

    by: None for a command. Refuses: NotPermitted, NobodyKnown.
    """
    if by is not None:
        require(by, May.FORGET_PEOPLE)
    person = known(find(lead_id=lead_id, email=email), email)
    given = {holder.section: told for holder in HOLDERS if (told := holder.give(person))}
    if not given:
        raise NobodyKnown
    log.info("person_exported", lead=person.lead and person.lead.pk, by=by and by.pk)
    said = {"exported_at": at, "person": person.lead.pk if person.lead else person.mailbox, **given}
    return json.dumps(said, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)


def find(*, lead_id=None, email=""):
    """The Lead of a number or an address; None for an address that no lead has. Refuses: NobodyKnown."""
    if lead_id is not None:
        lead = Lead.objects.filter(pk=lead_id).first()
        if lead is None:
            raise NobodyKnown
        return lead
    if "@" not in email:
        raise NobodyKnown
    spelt = (mailbox(email), *spellings(email))
    leads = {lead.email_key: lead for lead in Lead.objects.filter(email_key__in=spelt)}
    return next((leads[each] for each in spelt if each in leads), None)
