"""A message as an e-mail: plain text first, the same as HTML beside it, one click to the page it is about."""

import hashlib
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from portal.accounts import links
from portal.outbox.mail import one_line
from portal.shared.time import day


def letter(message, mail):
    """The EmailMultiAlternatives to `message.recipient`.

    Its Message-ID is made from the message's key: should a worker be killed between handing the letter over and noting
    it, the copy that follows is the same letter to every mail server and program that looks. For the same reason a
    signed link lasts from when the message was written.
    """
    until = message.created_at + links.LASTS
    context = {
        "mail": mail,
        "subject": one_line(mail.subject),
        "address": absolute(mail.path),
        "preferences": absolute(reverse("preferences")),
        "documents": [
            (name, absolute(links.signed(where, person=message.recipient, until=until)))
            for name, where in mail.documents
        ],
        "until": day(until, message.created_at, message.recipient.zone),
    }
    sent = EmailMultiAlternatives(
        context["subject"],
        render_to_string("outbox/letter.txt", context),
        settings.DEFAULT_FROM_EMAIL,
        [message.recipient.email],
        headers={"Message-ID": message_id(message), "Auto-Submitted": "auto-generated"},
    )
    sent.attach_alternative(render_to_string("outbox/letter.html", context), "text/html")
    return sent


def message_id(message):
    """The same for every attempt at the message, and another for every other message of every portal."""
    digest = hashlib.sha256(f"{message.key}:{message.created_at.isoformat()}".encode()).hexdigest()[:24]
    return f"<{message.pk}.{digest}@{urlsplit(settings.PORTAL_URL).hostname or 'handoff.invalid'}>"


def absolute(path):
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"
