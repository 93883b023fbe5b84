"""`manage.py audit 2026-10`: the figures of the audit page, as a table or as JSON; of a closed month as signed."""

import json

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from leads import figures
from leads.audit.told import told
from portal.shared import text, time


class Command(BaseCommand):
    help = "Print the MQL audit of a month, or of each month of a range."

    def add_arguments(self, parser):
        parser.add_argument("month", nargs="?", help="the month, as 2026-10")
        parser.add_argument("--from", dest="first", metavar="MONTH", help="first month of a range")
        parser.add_argument("--to", dest="last", metavar="MONTH", help="last month of the range")
        parser.add_argument("--basis", default=figures.PERIOD, help="period (default) or cohort")
        parser.add_argument("--by", help=f"break down by {', '.join(figures.DIMENSIONS)}")
        parser.add_argument("--live", action="store_true", help="count closed months, too, as of now")
        parser.add_argument("--json", action="store_true", help="print JSON and nothing else")

    def handle(self, *, month, first, last, basis, by, **options):
        if bool(month) == bool(first or last) or bool(first) != bool(last):
            raise CommandError("Name one month, as 2026-10, or a range with --from and --to.")
        _one_of(basis, figures.BASES, "--basis")
        if by is not None:
            _one_of(by, figures.DIMENSIONS, "--by")
        start, end = _month(first or month), _month(last or month)
        if end < start:
            raise CommandError(f"--to {end} lies before --from {start}.")
        when = {"as_of": timezone.now(), "zone": timezone.get_default_timezone()}
        found = told(start, end, basis=basis, by=by, live=options["live"], **when)
        if options["json"]:
            values = [each.as_json() for each in found]
            self.stdout.write(json.dumps(values[0] if month else values, indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n\n".join(_table(each.audit, each.closing) for each in found))


def _month(key):
    try:
        return figures.Month.parse(key)
    except ValueError:
        raise CommandError(f"{key} is not a month such as 2026-10.") from None


def _one_of(value, allowed, option):
    if value not in allowed:
        raise CommandError(f"{option} {value} is unknown: take one of {', '.join(allowed)}.")


def _table(audit, closing):
    """The audit for people to read in a terminal."""
    counts = audit.now.counts
    lines = [
        f"MQL audit, {time.month(audit.now.month.first)} ({audit.zone.key}, {audit.basis} basis)",
        *([f"  closed, no. {closing.number}, fingerprint {closing.fingerprint}"] if closing else []),
        f"  MQLs {counts.mqls}   SQLs {counts.sqls}   rejected {counts.rejected}   undecided {counts.undecided}"
        f"   withdrawn {counts.withdrawn}",
        f"  rate {_rate(audit.rate)}   tier {audit.tier or '–'}   change {_change(audit.change)}",
    ]
    top = " or ".join(reason.label for reason in audit.top_reasons)
    lines += [f"  top reason: {top}{' (two candidates)' if len(audit.top_reasons) == 2 else ''}"] if top else []
    lines += [f"    {r.code} {r.label:<32} {r.n:>7}  {_rate_of(r.share, r.low, r.high)}" for r in audit.now.reasons]
    if audit.by:
        lines.append(f"  by {audit.by:<34} {'MQLs':>7} {'SQLs':>7} {'rejected':>9} {'undecided':>10}  rate")
        lines += [
            f"    {row.label or '(none)':<33} {row.counts.mqls:>7} {row.counts.sqls:>7} {row.counts.rejected:>9}"
            f" {row.counts.undecided:>10}  {_rate(row.rate)}"
            for row in audit.breakdown
        ]
    return "\n".join(lines)


def _rate(rate):
    return "–" if rate is None else _rate_of(rate.value, rate.low, rate.high)


def _rate_of(value, low, high):
    return text.percent(value) + (f" ({text.interval(low, high)})" if low is not None else "")


def _change(change):
    if change.value is None:
        return "–"
    return f"{text.points(change.value)} since {change.since}{f', {change.verdict}' if change.verdict else ''}"
