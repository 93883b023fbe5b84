"""Company size bands, the segments of figures and of the fix: one rule in Python and in SQL."""

from django.db.models import Case, CharField, Value, When

BANDS = ((1, 49), (50, 199), (200, 999), (1000, None))  # the upper end belongs to the band


def segment_of(employees):
    """The key of the band of a number of employees: "50-199", "1000+"; "" where it is not known, or 0."""
    if not employees:
        return ""
    return next(key(low, high) for low, high in BANDS if high is None or employees <= high)


def key(low, high):
    return f"{low}-{high}" if high else f"{low}+"


def segment_sql(field):
    """The expression that `segment_of` is in SQL, over a field of numbers."""
    bands = [When(**{f"{field}__gte": low}, then=Value(key(low, high), CharField())) for low, high in reversed(BANDS)]
    return Case(*bands, default=Value("", CharField()), output_field=CharField())


def label(key):
    """ "50–199 employees"; "" where the size is not known."""
    return f"{key.replace('-', '–').replace('000', ',000')} employees" if key else ""


def label_sql(key):
    """The SQL that `label` is, over the SQL of a key."""
    return f"NULLIF(replace(replace({key}, '-', '–'), '000', ',000'), '') || ' employees'"
