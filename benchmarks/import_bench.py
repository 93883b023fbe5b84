"""The import beside COPY of the same rows to a bare heap, in the same run; and the memory of the importing process."""

import csv
import datetime as dt
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

HEADINGS = (
    *("id", "email", "first_name", "last_name", "phone", "title", "company", "domain", "employees", "industry"),
    *("country", "region", "product", "source", "campaign", "channel", "owner", "note"),
    *("a1", "a2", "a3", "a4", "a5", "a6", "a7"),
)
TITLES = ("Head of Operations", "Engineer", "Student", "Plant manager", "Buyer", "Consultant")
INDUSTRIES = ("Food", "Packaging", "Retail", "Automotive", "Software", "Health")
COUNTRIES = ("Netherlands", "France", "Belgium", "Spain", "Germany", "Italy")
SOURCES = ("Demo request", "Webinar", "Guide", "Trade fair", "Search", "Search", "Guide", "Webinar")
WISHES = ("Better prospects", "Fewer hours lost between marketing and sales", "Somebody calls back within the day")
MANAGE = Path(__file__).parent.parent / "manage.py"


def run(rows):
    """[(what, product, floor, ratio, target)]; BENCH_IMPORT_ROWS sets the number of rows."""
    rows = int(os.environ.get("BENCH_IMPORT_ROWS", rows))
    _people_and_law()
    with tempfile.TemporaryDirectory(prefix="handoff-bench-") as folder:
        path, mapping = Path(folder) / "leads.csv", Path(folder) / "mapping.json"
        write_file(path, rows)
        mapping.write_text(json.dumps(mapping_document()))
        floors, runs = [copy_seconds(path)], []
        for _ in range(2):
            runs.append(_import(path, mapping))
            floors.append(copy_seconds(path))
        indexed = [leads_seconds(path) for _ in range(2)]
        size = f"{path.stat().st_size // 1_000_000:,} MB"
    first, again = runs
    floor = rows / median(floors)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    product = rows / first["seconds"]
    return [
        (f"import: {rows:,} rows, 25 columns, {size}", f"{product:,.0f} rows/s", f"COPY {floor:,.0f} rows/s",
         f"{product / floor:.3f}", "≥ 0.20"),
        (
            "import: COPY to the leads alone, with their indexes, no trigger",
            f"{rows / min(indexed):,.0f} rows/s",
            f"COPY {floor:,.0f} rows/s",
            f"{rows / min(indexed) / floor:.3f}",
            "what any import stays below",
        ),
        ("import: the same file again, nothing changes", f"{rows / again['seconds']:,.0f} rows/s",
         f"COPY {floor:,.0f} rows/s", f"{rows / again['seconds'] / floor:.3f}", "–"),
        ("import: memory of the importing process", f"{memory:,.0f} MB", "–", "–", "≤ 300 MB"),
    ]  # fmt: skip


def write_file(path, rows):
    """A file of invented leads: about one in seven reaches a tier, one in a hundred has a broken address."""
    chance = random.Random(7)  # noqa: S311 a spread of leads, no secret
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        for n in range(rows):
            email = "broken" if n % 101 == 0 else f"person{n}@company{n % 5000}.example"
            writer.writerow(
                (f"L{n:07d}", email, f"First{n % 300}", f"Last{n % 900}", f"+49 30 {n:07d}", chance.choice(TITLES),
                 f"Company {n % 5000}", f"company{n % 5000}.example", chance.choice((12, 80, 250, 900, 7000)),
                 chance.choice(INDUSTRIES), chance.choice(COUNTRIES), "North", "Planning", chance.choice(SOURCES),
                 f"Campaign {n % 12}", "Web", "", "", f"v{n % 7}", "yes", n % 50, chance.choice(WISHES),
                 f"https://www.handoff.example/planning/{n % 300}?utm_source=search&utm_campaign={n % 12}",
                 f"{n * 7919 % 10**9:09d}", "newsletter;webinars")
            )  # fmt: skip


def mapping_document():
    columns = {name: name for name in HEADINGS[1:18]} | {"external_id": "id"}
    return {"columns": columns | {f"attributes.{name}": name for name in HEADINGS[18:]}}


def copy_seconds(path):
    """The floor: COPY of the file to a table of text without index or constraint."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE bench_heap ({', '.join(f'{name} text' for name in HEADINGS)})")
        began = time.monotonic()
        with cursor.copy("COPY bench_heap FROM STDIN WITH (FORMAT csv, HEADER)") as copy, path.open("rb") as file:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
        seconds = time.monotonic() - began
        cursor.execute("DROP TABLE bench_heap")
    return seconds


def leads_seconds(path):
    """COPY of the file's leads, ready made, to an empty copy of the table of leads with its indexes."""
    from django.db import connection

    plain = HEADINGS[1:16]
    columns = ("external_id", *plain, "attributes", "created_at", "updated_at")
    ready, at = path.with_suffix(".leads"), dt.datetime.now(dt.UTC).isoformat()
    with path.open(newline="") as file, ready.open("w", newline="") as out:
        writer = csv.writer(out)
        for row in csv.DictReader(file):
            if row["email"] == "broken":
                continue
            attributes = json.dumps({name: row[name] for name in HEADINGS[18:]})
            writer.writerow([row["id"], *(row[name] for name in plain), attributes, at, at])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_leads (LIKE leads_lead INCLUDING ALL)")
        began = time.monotonic()
        statement = f"COPY bench_leads ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv)"
        with cursor.copy(statement) as copy, ready.open("rb") as file:
            while chunk := file.read(1 << 20):
                copy.write(chunk)
        seconds = time.monotonic() - began
        cursor.execute("DROP TABLE bench_leads")
    return seconds


def _import(path, mapping):
    command = [sys.executable, str(MANAGE), "import_leads", str(path), "--mapping", str(mapping), "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 our own command
    return json.loads(done.stdout)


def _people_and_law():
    from portal.accounts.models import Role, User
    from sla.models import Party, SLAVersion
    from sla.services.version import propose_version, sign_version
    from sla.starter import draft_version

    at = dt.datetime(2022, 1, 1, tzinfo=dt.UTC)
    if not User.objects.reps().exists():
        for n in range(6):
            User.objects.create_user(f"rep{n}@bench.example", name=f"Rep {n}", roles=[Role.REP])
    if SLAVersion.objects.in_force(at=at) is None:
        marketing = User.objects.create_user("m@bench.example", name="M", roles=[Role.MARKETING_LEADER])
        sales = User.objects.create_user("s@bench.example", name="S", roles=[Role.SALES_LEADER])
        version = draft_version(by=marketing, at=at)
        propose_version(version_id=version.pk, effective_from=at, by=marketing, at=at)
        for party, role, by in (
            (Party.MARKETING, Role.MARKETING_LEADER, marketing), (Party.SALES, Role.SALES_LEADER, sales),
        ):  # fmt: skip
            sign_version(version_id=version.pk, party=party, role=role, by=by, at=at)
