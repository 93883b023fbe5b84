"""The embedded Valkey: the broker and the cache; what it has acknowledged survives a kill."""

import contextlib
import platform
import socket
from urllib.parse import quote

from kombu import Connection

from portal.embedded.folder import VALKEY
from portal.embedded.process import CannotStart, end, is_ours, pid_in, wait_until


def url(home):
    """The broker's address for BROKER_URL."""
    return f"redis+socket://{quote(str(_socket(home)))}"


def answers(home):
    """True when the server has loaded its data and answers."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(_socket(home)))
        line.sendall(b"PING\r\n")
        return line.recv(64).startswith(b"+PONG")
    return False


def start(home, *, throw_away=False):
    """Start the server unless it answers, and wait until it does. Hold the folder's lock."""
    if answers(home):
        return
    stop(home)  # one that lives but lost its socket: two must never write the same log
    data = home.make(home.path / "valkey")
    home.run(_program(home), *_options(home, data, throw_away))
    if not wait_until(lambda: answers(home), 60):
        raise CannotStart(f"Valkey does not start (see {home.path}/valkey.log)")


def stop(home):
    """End the server, which first writes out what it has; True when it ran."""
    pid = pid_in(_pid_file(home))
    if not is_ours(pid, str(_socket(home))):
        return False
    end(pid, str(_socket(home)))
    return True


def hand_back_tasks(address):
    """Put the tasks that a killed worker had taken back into their queues. Only while no worker runs at all."""
    with Connection(address, transport_options={"visibility_timeout": 0}) as broker:
        broker.default_channel.qos.restore_visible(num=10_000)


def _socket(home):
    return home.sockets / "valkey"


def _pid_file(home):
    return home.path / "valkey.pid"


def _options(home, data, throw_away):
    """Never evict, and write every command to the log before it is acknowledged: a queue is not a cache.

    The log is not forced to the disk each time: a killed server loses nothing, a power cut the last seconds.
    """
    settings = {
        "port": 0,
        "unixsocket": _socket(home),
        "unixsocketperm": 700,
        "daemonize": "yes",
        "pidfile": _pid_file(home),
        "logfile": home.path / "valkey.log",
        "dir": data,
        "save": "",
        "appendonly": "no" if throw_away else "yes",
        "appendfsync": "no",
        "maxmemory-policy": "noeviction",
    }
    return [part for key, value in settings.items() for part in (f"--{key}", value)]


def _program(home):
    machine = {"amd64": "x86_64", "x86_64": "x86_64"}.get(platform.machine().lower())
    if machine is None:
        machine = "arm64" if platform.system() == "Darwin" else "aarch64"
    return home.binary(VALKEY, "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server")
