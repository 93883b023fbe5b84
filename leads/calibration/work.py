"""What the worker does for a calibration: reads the handoffs, weighs the rules, judges all leads of the past."""

import datetime as dt
from dataclasses import replace

import numpy as np
from django.db.models import Max, Min
from django.utils import timezone

from leads.backtest import load as backtest
from leads.backtest.columns import score
from leads.backtest.events import EPOCH, MICROSECOND
from leads.calibration import history, load
from leads.calibration.conclude import concluded
from leads.calibration.draft import proposed
from leads.calibration.models import Calibration
from leads.calibration.points import Weight
from leads.calibration.provenance import refused
from leads.intake.imports.told import told_by_files
from leads.models import Deal, Handoff, Lead
from sla.models import SLAVersion

STEP = 20_000  # ids of leads that the worker reads between two looks at its job


class Stopped(Exception):
    """Somebody asked to stop."""


def worked_off(job, step):
    """The result of a calibration, plain JSON. Raises Stopped where somebody asked to stop."""
    rules, against = job.candidate_rules(), job.against.as_definition()
    scored = [rule for rule in rules if rule.axis != "disqualifier"]
    out = refused(scored, told_by_files=told_by_files(), declared=job.declared, from_files=job.with_files)
    tried = [rule for rule in scored if rule.key not in out]
    span = {"since": job.since, "at": job.until}
    steps = _Steps(job, step)
    found = load.Labelled.joined(
        [
            steps.told(load.load(tried, against, question=job.question, declared=job.declared,
                                 with_files=job.with_files, **span, **ids))
            for ids in steps("Reading the handoffs and what became of them")
        ]
    )  # fmt: skip
    result = {"refused": out, "counted": load.counted(job.question, **span)}
    result |= concluded(found, [r.key for r in tried], job.signs, most=job.most_points, seed=job.seed)
    weights = [Weight(**weight) for weight in result["weights"]]
    if not any(weight.points for weight in weights):
        return result
    return result | _over_the_past(job, proposed(rules, against, weights), against, steps)


def _over_the_past(job, definition, against, steps):
    """What the definition would have done to all leads until the end of the span."""
    ages = [Lead.objects.aggregate(x=Min("created_at"))["x"], Handoff.objects.aggregate(x=Min("qualified_at"))["x"]]
    window = job.until - min(filter(None, ages), default=job.since) + dt.timedelta(days=1)
    parts = [
        steps.told(_past(definition, job.against, job.until, window, ids))
        for ids in steps("Judging all leads of the past")
    ]
    past = history.Past.joined(parts)
    definition = replace(definition, tiers=history.rescaled(against.tiers, past))
    months = [int(past.months.min()), int(past.months.max())] if len(past) else [0, -1]
    moved, sweeps = history.compared(definition, against, past), history.sweeps(definition, past)
    return {
        "definition": definition.as_json(),
        "tally": moved.as_json(),
        "missed_won": _missed_won(definition, against, past),
        "at_target": _at_target(job, definition, against, past, sweeps),
        "sweeps": sweeps,
        "below": history.below(against, past),
        "monthly": history.monthly(definition, past),
        "past": months,
    }


def _missed_won(definition, against, past):
    """The handoffs with a won deal that the definition would not have made any more."""
    missed = history.dropped(definition, against, past)
    won = Deal.objects.standing().filter(outcome=Deal.Outcome.WON, handoff__in=missed)
    return sorted(set(won.values_list("handoff_id", flat=True)))


def _at_target(job, definition, against, past, sweeps):
    """What it would have done where the joint target is reached; None where none is agreed, or nothing reaches it."""
    version = SLAVersion.objects.in_force(at=job.created_at)
    target = version.target_rate / 1000 if version and version.target_rate else None
    lowest = min(definition.tiers, key=lambda tier: tier.total)
    entry = history.reaching(sweeps[lowest.key], target)
    if entry is None:
        return None
    wanted = history.beginning_at(definition, entry)
    moved = history.compared(wanted, against, past)
    return {
        "target": target, "entry": entry, "moves": moved.moves, "lost": moved.lost,
        "missed_won": _missed_won(wanted, against, past),
    }  # fmt: skip


def _past(definition, in_force, at, window, ids):
    against = in_force.as_definition()
    loaded = backtest.load((definition, against), at=at, window=window, **ids)
    explored = loaded.explored == in_force.pk
    sides = (score(each, loaded.panel) for each in (against, definition))
    sums = [
        history.Sums(side.fit.astype(np.int32), side.behaviour.astype(np.int32), load.shut_out(each, side))
        for each, side in zip((against, definition), sides, strict=True)
    ]
    months = _months(loaded.panel.moments)
    return history.Past(*sums, loaded.outcomes.astype(np.int8), loaded.handoffs, months, explored)


def _months(moments):
    """The months (202610), in the organisation's zone, of instants in microseconds from EPOCH."""
    if not len(moments):
        return np.zeros(0, dtype=np.int32)
    zone = timezone.get_default_timezone()
    first, last = (timezone.localtime(EPOCH + int(m) * MICROSECOND, zone) for m in (moments.min(), moments.max()))
    numbers = history.months_of(first.year * 100 + first.month, last.year * 100 + last.month)
    begins = [dt.datetime(number // 100, number % 100, 1, tzinfo=zone) for number in numbers]
    borders = np.array([(begin.astimezone(dt.UTC) - EPOCH) // MICROSECOND for begin in begins])
    return np.array(numbers, dtype=np.int32)[np.searchsorted(borders, moments, side="right") - 1]


class _Steps:
    """Goes through the ids of all leads, twice in one calibration, and tells how far it is."""

    def __init__(self, job, step):
        ids = Lead.objects.aggregate(first=Min("pk"), last=Max("pk"))
        self.first, self.last = (ids["first"] or 1) - 1, ids["last"] or 0
        self.job, self.step, self.done, self.leads = job, step, 0, 0

    def __call__(self, stage):
        """{after, until} of each step. Raises Stopped where somebody asked to."""
        mine = Calibration.objects.filter(pk=self.job.pk)
        mine.update(stage=stage, total=2 * (self.last - self.first))
        for after in range(self.first, max(self.last, self.first + 1), self.step):
            if mine.filter(cancel_asked_at__isnull=False).exists():
                raise Stopped
            yield {"after": after, "until": min(after + self.step, max(self.last, self.first + 1))}

    def told(self, part):
        """Tell that a step is done, and hand on what it read."""
        self.done = min(self.done + self.step, 2 * (self.last - self.first))
        self.leads += len(part)
        Calibration.objects.filter(pk=self.job.pk).update(done=self.done, leads=self.leads)
        return part
