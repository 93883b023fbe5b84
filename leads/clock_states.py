"""The state of each clock of a handoff, in two forms of one rule: for a row in Python, for a queryset in SQL.

None where there is no clock; `kept`, `late`, `done` as in leads.clocks; `warn` and `ok` while it runs. The contact
clock is stopped by the first touch; a decision or a withdrawal ends what still runs. As of a past instant: what came
later has not happened yet.
"""

from django.db.models import Case, CharField, DateTimeField, DurationField, ExpressionWrapper, F, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThan, IsNull, LessThan, LessThanOrEqual

from leads.clocks import HOUR, state


def contact_state(row, now):
    """State of a handoff's contact clock at `now`."""
    ended = _by(now, row.decided_at) or _by(now, row.withdrawn_at)
    stopped = _by(now, row.first_touch_at)
    return _state(row, row.contact_due_at, row.contact_warn_at, now, stopped=stopped, ended=ended)


def decision_state(row, now):
    """State of a handoff's decision clock at `now`."""
    stopped, ended = _by(now, row.decided_at), _by(now, row.withdrawn_at)
    return _state(row, row.decision_due_at, row.decision_warn_at, now, stopped=stopped, ended=ended)


def contact_state_sql(at):
    """The expression that `contact_state` is in SQL, over handoffs."""
    ended = Coalesce(_by_sql(at, "decided_at"), _by_sql(at, "withdrawn_at"))
    return _state_sql("contact", at, stopped=_by_sql(at, "first_touch_at"), ended=ended)


def decision_state_sql(at):
    """The expression that `decision_state` is in SQL, over handoffs."""
    return _state_sql("decision", at, stopped=_by_sql(at, "decided_at"), ended=_by_sql(at, "withdrawn_at"))


def _by(now, moment):
    return moment if moment is not None and moment <= now else None


def _by_sql(at, name):
    return Case(When(**{f"{name}__lte": at}, then=F(name)), output_field=DateTimeField())


def _state(row, due, warn_at, now, *, stopped, ended):
    if due is None:
        return None
    if stopped is None and ended is not None:
        return "done" if ended <= due else "late"
    return state(row.qualified_at, due, now, stopped, warn_at=warn_at)


def _state_sql(clock, at, *, stopped, ended):
    due, now = F(f"{clock}_due_at"), Value(at, DateTimeField())
    quarter = ExpressionWrapper((due - F("qualified_at")) / Value(4), output_field=DurationField())
    little = ExpressionWrapper(due - Greatest(Value(HOUR, DurationField()), quarter), output_field=DateTimeField())
    cases = (
        (IsNull(due, True), None),
        (LessThanOrEqual(stopped, due), "kept"),
        (GreaterThan(stopped, due), "late"),
        (LessThanOrEqual(ended, due), "done"),
        (GreaterThan(ended, due), "late"),
        (LessThan(due, now), "late"),
        (LessThanOrEqual(Coalesce(f"{clock}_warn_at", little), now), "warn"),
    )
    whens = [When(condition, then=Value(name)) for condition, name in cases]
    return Case(*whens, default=Value("ok"), output_field=CharField(null=True))
