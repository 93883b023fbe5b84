"""The real web server on the tests' database, as `make run` starts it; it may be killed."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from portal.embedded.management.commands.up import WEB
from portal.embedded.process import wait_until

PATIENCE = 60  # seconds; a machine can be busy
CLONE = Path(__file__).resolve().parent.parent


class WebServer:
    """Granian with one process; `port` is where it answers. The caller's tests are transaction=True."""

    def __init__(self, folder, **more):
        self.log, self.more = folder / "web.log", more
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        self.start()

    def start(self):
        address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        env = os.environ | {"DATABASE_URL": address, "DEBUG": "1"} | self.more
        command = [sys.executable, "-m", "granian", *WEB, "--port", str(self.port), "portal.rsgi:application"]
        command[command.index("--workers") + 1] = "1"
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                command, cwd=CLONE, env=env, stdout=said, stderr=said, start_new_session=True
            )
        assert wait_until(self.answers, PATIENCE), self.log.read_text()

    def answers(self):
        try:
            return b" 200 " in self.ask(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        except OSError:
            return False

    def ask(self, request):
        """The whole answer to the bytes of one request that asks for the connection to be closed."""
        with closing(self.open(request)) as one:
            said = b""
            while more := one.recv(65536):
                said += more
            return said

    def open(self, request):
        """A connection on which these bytes were sent, and nothing is read yet. Keep it: one that closes is gone."""
        one = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        one.sendall(request)
        return one

    def heard(self, one):
        """What a connection has answered by now."""
        one.settimeout(1)
        try:
            return one.recv(65536)
        except TimeoutError:
            return b"nothing"

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
