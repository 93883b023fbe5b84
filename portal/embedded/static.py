"""Static files for the web server, collected again only when their sources changed."""

import hashlib
from pathlib import Path

from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command


def collect_when_changed(settings):
    """Run collectstatic unless it ran on exactly these files; True when it ran."""
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    state = _state()
    if stamp.exists() and stamp.read_text() == state:
        return False
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state)
    return True


def _state():
    """A fingerprint of the sources: each file's name, size and time of change."""
    files = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            files.update(f"{storage.path(name)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return files.hexdigest()
