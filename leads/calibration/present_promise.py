"""What the page says of a promise and what came of it: sentences and the chart; wording only."""

import datetime as dt
from math import ceil

from leads.calibration import follow
from leads.calibration.forecast import Range
from portal.shared import text, time
from portal.shared.charts import trend
from portal.shared.plot import MonthRate


def said(proposal, found) -> dict:
    """The context of the page: title, verdict, what was promised, the chart of the months since."""
    promise = proposal.promise
    hours = f"{proposal.hours_per_lead.normalize():f}"
    context = {"title": _title(proposal, found), "verdict": _verdict(found), "hours": hours}
    if promise:
        rate, volume = Range(*promise["rate"]), Range(*promise["mqls"])
        context |= {
            "rate": rate, "volume": [round(each) for each in volume], "k": promise["k"], "n": promise["n"],
            "first": _month(promise["first"]), "last": _month(promise["last"]),
            "unknown": promise["unseen"] / promise["leads"],
        }  # fmt: skip
        if found.verdict == follow.NOT_YET and found.before[1]:
            context["until"] = _until(found, volume.expected)
    if found.months:
        context["chart"] = trend(
            [MonthRate(month.first, month.rate, *month.ends, month.decided) for month in found.months],
            limits=[month.promised for month in found.months], label=context["title"],
        )  # fmt: skip
    return context


def _title(proposal, found):
    number, promise, (k, n) = f"v{proposal.definition.number}", proposal.promise, found.before
    fewer = promise and n and promise["k"] / promise["n"] < k / n
    worse = "as it promised: fewer" if fewer else "it did not work: fewer"
    return {
        follow.NOT_YET: f"What {number} promises",
        follow.NO_PROMISE: f"{number} promised nothing that could be judged",
        follow.TOO_FEW: f"Too little was seen of {number} to judge it",
        follow.WORKED: f"{number} worked: more of its leads are accepted",
        follow.WORSE: f"{number} in force, {worse} of its leads are accepted",
        follow.NO_CHANGE: f"{number} did not work: acceptance did not change beyond noise",
    }[found.verdict]


def _verdict(found):
    """Before and after in a sentence, and how much is still to be seen."""
    if found.verdict in (follow.NOT_YET, follow.NO_PROMISE):
        return ""
    sentences = []
    if found.change:
        (k0, n0), (k1, n1) = found.before, found.after
        sentences.append(
            f"{text.percent(k0 / n0)} of {text.thousands(n0)} decided leads were accepted in the year before,"
            f" {text.percent(k1 / n1)} of {text.thousands(n1)} since: {text.points(found.change.difference)}"
            f" ({text.interval(found.change.low, found.change.high)}){', noise' if found.change.is_noise else ''}."
        )
    if found.needed is None:
        sentences.append("It promised too small a change of the acceptance for any number of leads to show.")
    elif found.after[1] < found.needed:
        sentences.append(
            f"A change of the promised size shows in {text.thousands(found.needed)} decided leads, four times in five;"
            f" {text.thousands(found.after[1])} were decided so far."
        )
    return " ".join(sentences)


def _until(found, volume):
    """When enough will have been seen to judge it, before it is in force."""
    accepted, decided = found.before
    rate = text.percent(accepted / decided)
    now = f"In the year until now {rate} of {text.thousands(decided)} decided leads were accepted."
    if found.needed is None:
        return f"{now} Too small a change from that for any number of leads to show: judge it by its volume."
    months = max(1, ceil(found.needed / volume)) if volume else 0
    wait = f": {text.in_words(months)} month{'s' * (months > 1)} of its MQLs, if all are decided" if months else ""
    return (
        f"{now} A change from that to the promise shows, four times in five, in {text.thousands(found.needed)} decided"
        f" leads{wait}. Before that this page judges nothing."
    )


def _month(number):
    return time.month(dt.date(number // 100, number % 100, 1))
