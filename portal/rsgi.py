"""The entrance that the web server calls: Django in a few threads, none of which a slow body can hold for ever.

Through WSGI a thread waits for a body as long as its sender likes, so that a handful of senders stop everybody. Here a
small body is awaited before a thread begins; a larger one, which a view may refuse unread, must keep coming, and has
threads of its own to wait in, so that it stops no page.
"""

import asyncio
import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from granian.rsgi import ProtocolClosed

from portal.wsgi import application as portal

THREADS, LARGE = int(os.environ.get("WEB_THREADS", "4")), 4  # for requests; for those with a large body
AHEAD = 256 * 1024  # bytes of a body that are awaited before a thread begins
PATIENCE, SLOWEST = float(os.environ.get("WEB_PATIENCE", "15")), 32 * 1024  # seconds; and then bytes a second
LONGEST = float(os.environ.get("WEB_LONGEST", "900"))  # seconds for a body in all, however fast it comes
TOO_SLOW = b"The body of this request came too slowly. Nothing was saved."
CHUNK = 64 * 1024


class TooSlow(OSError):
    """The body did not come in time."""


class Body(io.RawIOBase):
    """A body as it comes, read by a thread: whoever waits for it waits PATIENCE in all, and longer the more has come.

    What its sender says of its length counts for nothing: it would buy days. The end is LONGEST after the first look.
    """

    def __init__(self, protocol, loop):
        self.pieces, self.loop, self.rest = aiter(protocol), loop, b""
        self.patience, self.end, self.is_late = PATIENCE, None, False

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.rest:
            self.rest = asyncio.run_coroutine_threadsafe(self.piece(), self.loop).result()
        taken = self.rest[: len(buffer)]
        buffer[: len(taken)], self.rest = taken, self.rest[len(taken) :]
        return len(taken)

    async def piece(self):
        """The next piece, b"" at the end. Raises TooSlow."""
        began = self.loop.time()
        self.end = self.end or began + LONGEST
        try:
            async with asyncio.timeout(min(self.patience, self.end - began)):
                found = bytes(await self.pieces.__anext__())  # `anext` cannot be cut off here
        except StopAsyncIteration:
            return b""
        except TimeoutError:
            self.is_late = True
            raise TooSlow from None
        self.patience = min(PATIENCE, self.patience - (self.loop.time() - began) + len(found) / SLOWEST)
        return found

    async def whole(self):
        """All of it. Raises TooSlow."""
        found = b""
        while piece := await self.piece():
            found += piece
        return found


class Entrance:
    """Calls a WSGI application for each request of Granian's RSGI."""

    def __init__(self, application):
        self.application = application
        self.threads, self.for_large = ThreadPoolExecutor(THREADS, "web"), ThreadPoolExecutor(LARGE, "large")
        sys.setswitchinterval(0.0005)  # the loop takes its turn between threads that work, ten times as often as usual

    async def __rsgi__(self, scope, protocol):
        """Answer a request."""
        loop, environ = asyncio.get_running_loop(), environment(scope)
        length = environ.get("CONTENT_LENGTH", "0")
        length = int(length) if length.isascii() and length.isdigit() and len(length) < 16 else 0
        body = Body(protocol, loop)
        environ["wsgi.input"] = io.BufferedReader(body, CHUNK)
        if 0 < length <= AHEAD:
            try:
                environ["wsgi.input"] = io.BytesIO(await loop.create_task(body.whole()))
            except TooSlow:
                return _late(protocol)
        threads = self.for_large if length > AHEAD else self.threads
        return await loop.run_in_executor(threads, self._work, environ, protocol, body)

    def _work(self, environ, protocol, body):
        told = []
        answer = self.application(environ, lambda status, headers, exc_info=None: told.append((status, headers)))
        [(status, headers)] = told
        status = int(status.partition(" ")[0])
        try:
            if body.is_late:
                _late(protocol)
            elif getattr(answer, "streaming", False):
                stream = protocol.response_stream(status, headers)
                for piece in _gathered(answer):
                    asyncio.run_coroutine_threadsafe(_sent(stream, piece), body.loop).result()
            else:
                protocol.response_bytes(status, headers, b"".join(answer))
        except ProtocolClosed:  # whoever asked has gone
            pass
        finally:
            answer.close()


def environment(scope):
    """The request as PEP 3333 has it, without its body. A header with an underscore may pass for another: dropped."""
    host, _, port = scope.server.rpartition(":")
    environ = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string, "SERVER_NAME": host, "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}", "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0), "wsgi.url_scheme": scope.scheme, "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    for name, value in scope.headers.items():
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        between = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{between}{value}" if key in environ else value
    return environ


def _gathered(pieces):
    """The same bytes in pieces of CHUNK at least, but for the last one."""
    held = []
    for piece in pieces:
        held.append(piece)
        if sum(map(len, held)) >= CHUNK:
            yield b"".join(held)
            held = []
    if held:
        yield b"".join(held)


async def _sent(stream, piece):
    await stream.send_bytes(piece)


def _late(protocol):
    headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
    return protocol.response_bytes(408, headers, TOO_SLOW)


application = Entrance(portal)
