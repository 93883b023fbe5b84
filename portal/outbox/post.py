"""Posting to a chat room: what Slack and Teams take, and never a secret in an error."""

import json

from django.conf import settings

from portal.outbox.letter import absolute
from portal.outbox.mail import one_line
from portal.shared import outward
from portal.shared.outward import NotPosted
from portal.shared.sealed import SealBroken, unseal

MOST_TEXT = 3000  # characters: both chats cut longer ones
JSON = {"Content-Type": "application/json"}


def post(room, mail):
    """Post `mail` to the room. Raises NotPosted (outward.Forbidden where the address may not be posted to)."""
    content = teams(mail) if room.style == room.Style.TEAMS else slack(mail)
    try:
        address = unseal(room.address)
    except SealBroken as problem:
        raise NotPosted(str(problem)) from None
    answer = outward.post(address, json.dumps(content).encode(), JSON, private=settings.CHAT_PRIVATE_ADDRESSES)
    if not answer.is_fine:
        raise NotPosted(f"The chat server answered {answer.status}.")


def permitted(address):
    """The IP address that a room's address leads to. Raises NotPosted.

    The setting CHAT_PRIVATE_ADDRESSES also allows http and hosts inside the house.
    """
    return outward.permitted(address, private=settings.CHAT_PRIVATE_ADDRESSES)


def slack(mail):
    """What Slack's incoming webhooks take."""
    title, text = _escaped(one_line(mail.subject)), _escaped(mail.body[:MOST_TEXT])
    return {"text": f"*{title}*\n{text}\n<{absolute(mail.path)}|{_escaped(mail.link)}>"}


def teams(mail):
    """What Teams' incoming webhooks take: an adaptive card."""
    blocks = [
        {
            "type": "TextBlock",
            "text": _unlinked(one_line(mail.subject)),
            "weight": "Bolder",
            "size": "Medium",
            "wrap": True,
        },
        {"type": "TextBlock", "text": _unlinked(mail.body[:MOST_TEXT]).replace("\n", "\n\n"), "wrap": True},
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": mail.link, "url": absolute(mail.path)}],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _unlinked(text):
    """Teams reads Markdown: behind a "]" stands a space of no width, so that a lead’s name is no link to elsewhere."""
    return text.replace("]", "]\u200b")


def _escaped(text):
    """Slack's three: a lead's name must not become a link or a call to everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
