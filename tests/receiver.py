"""A receiver of webhooks: a real HTTP server in a thread that fails, delays and drips as it is told."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Heard(NamedTuple):
    """A request: its path, its headers by names in small letters, its body (bytes), and when it came (monotonic)."""

    path: str
    headers: dict
    body: bytes
    at: float


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(
            Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.monotonic())
        )
        if self.server.delay:
            self.server.let_go.wait(self.server.delay)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        try:
            self.send_response(status)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            for _ in range(self.server.drips):
                self.wfile.write(b"x")
                self.wfile.flush()
                if self.server.let_go.wait(0.2):
                    break
            self.wfile.write(self.server.answer)
        except OSError:
            return  # the portal did not wait

    def log_message(self, *args):
        pass


@contextmanager
def receiver():
    """A server with `.heard`, `.statuses` (answered in turn, then 200), `.headers`, `.delay`, `.drips`, `.answer`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.heard, server.statuses, server.headers = [], [], {}
    server.delay, server.drips, server.answer, server.let_go = 0, 0, b"", threading.Event()
    server.address = f"http://localhost:{server.server_port}/hooks/s3cr3t-XyZ9"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.let_go.set()
        server.shutdown()
        server.server_close()
