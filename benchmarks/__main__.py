"""Runs every benchmark on throw-away services and prints one table: product, floor, ratio, target.

BENCH_ROWS is the number of rows in the database and in the imported file: 100000 by default, and for the audit, whose
cost must not grow with it, 10000, 100000, 1000000 and 5000000. It may name several, parted by commas. Names of
benchmarks as arguments run only those. Results are kept as JSON under benchmarks/results/. Absolute times drift with
the machine's load; the ratio to the floor, measured in the same run, is what counts.
"""

import importlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
SIZES = {"audit_bench": (10_000, 100_000, 1_000_000, 5_000_000)}
USUAL = (100_000,)
BENCHES = (
    "clock_bench",
    "import_bench",
    "pages_bench",
    "decisions_bench",
    "audit_bench",
    "routing_bench",
    "sweep_bench",
    "backtest_bench",
    "calibration_bench",
    "forms_bench",
    "api_bench",
)


def main():
    asked = [int(size) for size in os.environ.get("BENCH_ROWS", "").split(",") if size]
    only = sys.argv[1:] or [name for name in BENCHES if (Path(__file__).parent / f"{name}.py").exists()]
    table = []
    with services():
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command

        settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]  # all else is as the portal serves it
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)  # pages name their files by content
        for name in only:
            for rows in asked or SIZES.get(name, USUAL):
                print(f"· {name} with {rows:,} rows", file=sys.stderr, flush=True)
                table += importlib.import_module(f"benchmarks.{name}").run(rows)
    show(table)
    keep(table)


class services:
    """Throw-away PostgreSQL and Valkey unless addresses are given; the folder is removed at the end."""

    def __enter__(self):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
        os.environ.setdefault("LOG_LEVEL", "WARNING")  # the table is the output
        from portal import embedded

        self.folder = None
        if embedded.in_use():
            self.folder = tempfile.TemporaryDirectory(prefix="handoff-bench-")
            data = Path(self.folder.name)
            data.chmod(0o711)
            embedded.start(data)
            os.environ["DATABASE_URL"] = embedded.database_url(data, "postgres")  # who may fill past the triggers
            os.environ["BROKER_URL"] = embedded.broker_url(data)
        return self

    def __exit__(self, *_):
        if self.folder:
            from portal import embedded

            embedded.stop(Path(self.folder.name))
            self.folder.cleanup()


def show(table):
    head = ("what", "product", "floor", "ratio", "target")
    lines = [head, *[tuple(str(cell) for cell in row) for row in table]]
    widths = [max(len(line[i]) for line in lines) for i in range(5)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def keep(table):
    RESULTS.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = ("what", "product", "floor", "ratio", "target")
    document = {"results": [dict(zip(names, map(str, row), strict=True)) for row in table]}
    (RESULTS / f"{stamp}.json").write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
