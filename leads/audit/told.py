"""A month's audit for programs: what was signed where it is closed with its whole record, else counted."""

from dataclasses import dataclass, replace

from leads.audit.models import Closing
from leads.audit.report import Audit, audits
from leads.audit.signed import answers


@dataclass(frozen=True)
class Told:
    """`closing`: of the record that the figures are read out of; None where they were counted."""

    audit: Audit
    closing: Closing | None

    def as_json(self):
        """As Audit.as_json, and `closed`: number, fingerprint and when the second side signed, ISO, or null."""
        return self.audit.as_json() | {"closed": self.closing and _closed(self.closing, self.audit.zone)}


def told(first, last, *, basis, by=None, as_of, zone, live=False):
    """A Told of each figures.Month from `first` to `last`, both included; `live`: all are counted as of `as_of`."""
    months = [first.plus(i) for i in range(first.until(last) + 1)]
    kept = {} if live else {month: found for month in months if (found := _frozen(month, basis, by, as_of, zone))}
    if len(kept) == len(months):
        return list(kept.values())
    counted = audits(first, last, basis=basis, by=by, as_of=as_of, zone=zone)
    return [kept.get(month) or Told(audit, None) for month, audit in zip(months, counted, strict=True)]


def _frozen(month, basis, by, as_of, zone):
    asked = answers(month, basis=basis, by=by or "source", as_of=as_of, zone=zone, person=None)
    if not asked.is_signed:
        return None
    found = asked.page.audit
    return Told(found if by else replace(found, by=None, breakdown=()), asked.closing)


def _closed(closing, zone):
    signed = [row.signed_at for row in closing.signatures.all()]
    return {
        "number": closing.number,
        "fingerprint": closing.fingerprint,
        "signed_at": max(signed).astimezone(zone).isoformat() if closing.is_signed else None,
    }
