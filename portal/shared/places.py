"""Countries and their time zones, from the tables that come with the time zone database (ISO 3166)."""

from collections import defaultdict
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones


@cache
def countries():
    """{two-letter code: name}, in the order of the names: "DE": "Germany"."""
    return dict(sorted(_rows("iso3166.tab"), key=lambda row: row[1]))


@cache
def zones():
    """Names of time zones to choose from, those of regions before the others: "Europe/Berlin"."""
    known = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))
    )
    return [*known, "UTC"]


def country_of_zone(name):
    """The two-letter code of the country in which a zone lies, or None: "Europe/Berlin" → "DE"."""
    return next((code for code, places in _zones_of().items() if name in places), None)


def zone_of_country(said, at):
    """The ZoneInfo of a country (code or English name) where all its zones show one time at `at`, else None."""
    found = [ZoneInfo(name) for name in _zones_of().get(_codes().get(said.strip().casefold()), ())]
    offsets = {at.astimezone(zone).utcoffset() for zone in found}
    return found[0] if len(offsets) == 1 else None


@cache
def _codes():
    """{code or name in lower case: code}"""
    return {said.casefold(): code for code, name in countries().items() for said in (name, code)}


@cache
def _zones_of():
    found = defaultdict(list)
    for code, _, zone, *_ in _rows("zone.tab"):
        found[code].append(zone)
    return dict(found)


def _rows(name):
    lines = (files("tzdata") / "zoneinfo" / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
