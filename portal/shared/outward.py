"""Posting to addresses that people typed in: only to public ones, never along a redirect, bounded in time and size."""

import ipaddress
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple
from urllib.parse import quote, urlsplit

CONNECT_WITHIN = 5.0  # seconds
MOST_READ = 2048  # bytes of an answer
UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that is routed in the internet
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # stands for the IPv4 address in its last four bytes
SAFE = "/?:@!$&'()*+,;=%~-._[]"  # of a path and a query: what a browser leaves as it is


class NotPosted(Exception):
    """What went wrong, in words that do not hold the address: it may be a secret."""


class Forbidden(NotPosted):
    """The address is one that the portal does not post to."""


class Answer(NamedTuple):
    """What the server said: its status, the beginning of its text, and the seconds that it wants to be left alone."""

    status: int
    text: str
    retry_after: int | None

    @property
    def is_fine(self):
        return 200 <= self.status < 300


def post(address, body, headers, *, private=False, within=15.0):
    """POST `body` (bytes) and return the Answer, whatever its status; at most `within` seconds from here to its end.

    The host's name is looked up once; every address that it has must be public, and the first of them is connected to,
    so that a name which changes its mind leads nowhere else. private: http and addresses inside the house are allowed.
    Raises NotPosted (Forbidden where the address may not be posted to).
    """
    parts, ip = checked(address, private=private), permitted(address, private=private)
    connection = (_Tls if parts.scheme == "https" else _Plain)(parts, ip, min(CONNECT_WITHIN, within))
    end = threading.Timer(within, connection.cut)
    end.daemon = True
    began = time.monotonic()
    end.start()
    try:
        connection.request("POST", _target(parts), body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read(MOST_READ).decode("utf-8", "replace").replace("\0", "")
        return Answer(answer.status, text, _seconds(answer.headers.get("Retry-After", "")))
    except (OSError, HTTPException, ValueError) as problem:
        if time.monotonic() - began >= within:
            raise NotPosted(f"The server did not answer within {within:.0f} seconds.") from None
        raise NotPosted(f"The server did not answer ({type(problem).__name__}).") from None
    finally:
        end.cancel()
        connection.close()


def permitted(address, *, private=False):
    """The IP address to connect to: of a host that has public addresses only, or any with `private`.

    Raises NotPosted. However the host is written (decimal, octal, mapped, by a name): what it leads to is looked at.
    """
    parts = checked(address, private=private)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotPosted("The server’s name is not known.") from None
    addresses = [ipaddress.ip_address(each[4][0].partition("%")[0]) for each in found]
    if not private and not all(map(public, addresses)):
        raise Forbidden("The address leads to a computer inside the house.")
    return str(addresses[0])


def public(address):
    """Whether it is one of the internet's own: not loopback, private, link-local, shared, mapped, multicast …"""
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if address in NAT64:
        mapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if mapped:
        return public(mapped)
    return address.is_global and not address.is_multicast and (address.version == 4 or address in UNICAST)


def checked(address, *, private=False):
    """The parts of an address of the right form. Raises Forbidden."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise Forbidden("This is not a web address.") from None
    if parts.scheme not in ({"https", "http"} if private else {"https"}) or not parts.hostname:
        raise Forbidden("The address must begin with https://.")
    if parts.username or parts.password:
        raise Forbidden("The address must not hold a name and password.")
    return parts


class _Plain(HTTPConnection):
    """Connects to the IP address that was checked, whatever the name says by now."""

    def __init__(self, parts, ip, timeout):
        super().__init__(parts.hostname, parts.port or self.default_port, timeout=timeout)
        self.ip, self.wire, self.was_cut = ip, None, False

    def connect(self):
        self.sock = self.wire = socket.create_connection((self.ip, self.port), self.timeout)
        if self.was_cut:
            raise TimeoutError

    def cut(self):
        """End it now, from another thread: a server that answers a byte at a time does not hold the portal up."""
        self.was_cut = True
        if self.wire is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.wire, socket.SHUT_RDWR)


class _Tls(_Plain):
    """TLS checks the certificate against the name."""

    default_port = 443

    def connect(self):
        super().connect()
        self.sock = self.wire = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _target(parts):
    path = quote(parts.path or "/", safe=SAFE)
    return f"{path}?{quote(parts.query, safe=SAFE)}" if parts.query else path


def _seconds(text):
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
