"""Public holidays as proposals: what the `holidays` library knows of a country and a year. Nothing is closed by it."""

from datetime import date
from typing import NamedTuple

import holidays
from holidays.constants import HALF_DAY, PUBLIC

LANGUAGES = ("en_GB", "en_US", "en")


class Proposal(NamedTuple):
    """One day that may be a holiday; half: only its second half is."""

    day: date
    name: str
    half: bool


def known_countries():
    """{two-letter code: (subdivision codes)} of the countries that have holidays here."""
    return {code: tuple(parts) for code, parts in holidays.list_supported_countries(include_aliases=False).items()}


def propose(country, subdivision, year):
    """Proposals of a country (code), one of its subdivisions (code or "") and a year, in order of days."""
    whole = _days(country, subdivision, year, PUBLIC)
    half = _days(country, subdivision, year, HALF_DAY)
    found = {day: Proposal(day, name, True) for day, name in half.items()}
    found |= {day: Proposal(day, name, False) for day, name in whole.items()}
    return [found[day] for day in sorted(found)]


def _days(country, subdivision, year, category):
    kind = getattr(holidays, country)
    if category not in kind.supported_categories:
        return {}
    language = next((one for one in LANGUAGES if one in (kind.supported_languages or ())), None)
    found = kind(years=year, subdiv=subdivision or None, language=language, categories=(category,))
    return {day: name for day, name in found.items() if day.year == year}
