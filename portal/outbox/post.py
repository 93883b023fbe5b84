"""Posting to a chat room: only to public addresses, never along a redirect, and never a secret in an error."""

import ipaddress
import socket
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from portal.outbox.letter import absolute
from portal.outbox.mail import one_line

TIMEOUT = (3.05, 10)  # seconds to connect, seconds between two bytes of the answer
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # stands for the IPv4 address in its last four bytes
MOST_TEXT = 3000  # characters: both chats cut longer ones


class NotPosted(Exception):
    """What went wrong, in words that do not hold the room's address."""


class Forbidden(NotPosted):
    """The address is one that the portal does not post to."""


def post(room, mail):
    """Post `mail` to the room. Raises NotPosted (Forbidden where the address may not be posted to)."""
    content = teams(mail) if room.style == room.Style.TEAMS else slack(mail)
    address = permitted(room.address)
    try:
        with requests.Session() as session:
            session.trust_env = False  # a proxy of the environment would look the name up again, past the check
            session.mount("https://", Pinned(urlsplit(room.address), address))
            session.mount("http://", Pinned(urlsplit(room.address), address))
            answer = session.post(room.address, json=content, timeout=TIMEOUT, allow_redirects=False, stream=True)
            status = answer.status_code
            answer.close()
    except (requests.RequestException, OSError) as problem:
        raise NotPosted(f"The chat server did not answer ({type(problem).__name__}).") from None
    if not 200 <= status < 300:
        raise NotPosted(f"The chat server answered {status}.")


def permitted(address):
    """The IP address to post to: of an https address whose host has public addresses only. Raises NotPosted.

    The setting CHAT_PRIVATE_ADDRESSES also allows http and hosts inside the house.
    """
    parts = checked(address)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotPosted("The chat server’s name is not known.") from None
    addresses = [ipaddress.ip_address(each[4][0].partition("%")[0]) for each in found]
    if not settings.CHAT_PRIVATE_ADDRESSES and not all(map(public, addresses)):
        raise Forbidden("The address leads to a computer inside the house, not to a chat server.")
    return str(addresses[0])


def public(address):
    """Whether it is one of the internet's own: not loopback, private, link-local, shared, mapped, multicast …"""
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if address in NAT64:
        mapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return public(mapped) if mapped else address.is_global and not address.is_multicast


def checked(address):
    """The parts of an address of the right form. Raises Forbidden."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise Forbidden("This is not a web address.") from None
    schemes = {"https", "http"} if settings.CHAT_PRIVATE_ADDRESSES else {"https"}
    if parts.scheme not in schemes or not parts.hostname:
        raise Forbidden("The address must begin with https://.")
    if parts.username or parts.password:
        raise Forbidden("The address must not hold a name and password.")
    return parts


class Pinned(HTTPAdapter):
    """Connects to the IP address that was checked, whatever the name says by now; TLS still checks the name."""

    def __init__(self, parts, address):
        self.parts, self.address = parts, address
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        if self.parts.scheme == "https":
            kwargs |= {"server_hostname": self.parts.hostname, "assert_hostname": self.parts.hostname}
        super().init_poolmanager(*args, **kwargs)

    def send(self, request, **kwargs):
        host = f"[{self.address}]" if ":" in self.address else self.address
        port = f":{self.parts.port}" if self.parts.port else ""
        request.headers["Host"] = f"{self.parts.hostname}{port}"
        request.url = self.parts._replace(netloc=f"{host}{port}").geturl()
        return super().send(request, **kwargs)


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
