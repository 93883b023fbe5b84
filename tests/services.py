"""Throw-away embedded services where no addresses are configured: for pytest, and for any command after `-m`."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from portal import embedded
from portal.embedded import folder

PREFIX = "handoff-test-"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items):
    """In CI, what hangs on a browser or on processes beside ours is tried once more; elsewhere it fails at once."""
    for item in items if os.environ.get("CI") else ():
        database = item.get_closest_marker("django_db")
        if item.get_closest_marker("journey") or (database and database.kwargs.get("transaction")):
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter):
    """Say plainly what the tests ran without, and which of them passed only when they were tried again."""
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.write_line(f"Failed, and was tried again: {report.nodeid}\n{report.longrepr}", yellow=True)
    if not any(map(shutil.which, BROWSERS)):
        terminalreporter.write_line("No Chromium found: the journeys in a browser were skipped.", yellow=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    """Start the services before the settings are read; workers of `-n` find the addresses in their environment."""
    os.environ.setdefault("TESTING", "1")
    if embedded.in_use():
        _sweep()
        early_config.add_cleanup(_start())
    return (yield)


def _start():
    data = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp")).resolve()
    data.chmod(0o711)  # the services' user passes through to its own folder
    held = (data / "held").open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    missing = embedded.in_use()
    embedded.start(data, database="DATABASE_URL" in missing, broker="BROKER_URL" in missing, throw_away=True)
    addresses = {"DATABASE_URL": embedded.database_url(data, "postgres"), "BROKER_URL": embedded.broker_url(data)}
    os.environ |= {name: addresses[name] for name in missing}

    def clean():
        _discard(data)
        held.close()

    return clean


def _sweep():
    """Remove what a killed test run left behind: its folder is there, but nobody holds it."""
    for data in Path("/tmp").glob(f"{PREFIX}*"):
        try:
            with (data / "held").open("a") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _discard(data)
        except OSError:
            continue


def _discard(data):
    embedded.stop(data)
    folder.discard(data)
    shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    end = _start() if embedded.in_use() else lambda: None
    try:
        sys.exit(subprocess.run(sys.argv[1:]).returncode)
    finally:
        end()
