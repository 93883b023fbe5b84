"""The state of each clock of a handoff, in two forms of one rule: for a row in Python, for a queryset in SQL.

None where there is no clock; `kept`, `late`, `done` as in leads.clocks; `warn` and `ok` while it runs. The contact
clock is stopped by the first touch; a decision or a withdrawal ends what still runs.
"""

from django.db.models import Case, CharField, DateTimeField, DurationField, ExpressionWrapper, F, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThan, IsNull, LessThan, LessThanOrEqual

from leads.clocks import HOUR, state


def contact_state(row, now):
    """State of a handoff's contact clock at `now`."""
    ended = row.decided_at or row.withdrawn_at
    return _state(row, row.contact_due_at, row.contact_warn_at, now, stopped=row.first_touch_at, ended=ended)


def decision_state(row, now):
    """State of a handoff's decision clock at `now`."""
    return _state(row, row.decision_due_at, row.decision_warn_at, now, stopped=row.decided_at, ended=row.withdrawn_at)


def contact_state_sql(at):
    """The expression that `contact_state` is in SQL, over handoffs."""
    return _state_sql("contact", at, stopped=F("first_touch_at"), ended=Coalesce("decided_at", "withdrawn_at"))


def decision_state_sql(at):
    """The expression that `decision_state` is in SQL, over handoffs."""
    return _state_sql("decision", at, stopped=F("decided_at"), ended=F("withdrawn_at"))


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
