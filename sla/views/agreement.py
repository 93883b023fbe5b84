"""The agreement to read, each version at its own address, as a contract; any two of them side by side."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.accounts.permissions import May, may, require
from sla import comparison
from sla.models import SLAVersion
from sla.views import _version as shown


@require_GET
def agreement(request):
    """The version in force, or how to get one where there is none."""
    require(request.user, May.READ_AGREEMENT)
    return _agreement(request, shown.versions().in_force(at=timezone.now()))


@require_GET
def agreement_version(request, number):
    require(request.user, May.READ_AGREEMENT)
    return _agreement(request, get_object_or_404(shown.versions(), number=number))


@require_GET
def agreement_compare(request, number, other):
    """What changes from version `other` to version `number`."""
    require(request.user, May.READ_AGREEMENT)
    rows = SLAVersion.objects.select_related("definition", "calendar")
    after, before = (get_object_or_404(rows, number=one) for one in (number, other))
    found = comparison.compare(shown.said_by(before), shown.said_by(after), people=shown.names())
    numbers = SLAVersion.objects.order_by("-number").values_list("number", flat=True)
    context = {"before": before, "after": after, "comparison": found, "numbers": numbers, "now": timezone.now()}
    return render(request, "sla/agreement_compare.html", context)


def _agreement(request, version):
    return render(request, "sla/agreement.html", page(request, version, at=timezone.now()))


def page(request, version, *, at):
    """Everything the page of a version shows; without a version what there is before the first one."""
    history = shown.everything(at)
    listed = [{"stands": one, "chip": shown.chip(one)} for one in history]
    context = {"version": version, "now": at, "versions": listed, "may_draft": may(request.user, May.DRAFT_AGREEMENT)}
    if version is None:
        return context
    stands = shown.of(version, history)
    base, found = shown.changes(version, history)
    return context | shown.contract(version) | {
        "stands": stands,
        "status": (stands.state, shown.chip(stands)),
        "title": shown.title(stands),
        "base": base,
        "comparison": found,
        "changed": {change.name for change in found.changes} if found else (),
        "may": shown.allowed(stands, request.user, at=at),
        "signatures": shown.signatures(stands, at=at),
        "deputies": shown.deputies(request.user, at=at),
        "comments": _by_section(version),
        "moments": moments(stands),
        "steps": steps(stands),
        "sections": comparison.SECTIONS,
        "typed_name": request.user.name,
        "may_backtest": may(request.user, May.BACKTEST_DEFINITION),
    }  # fmt: skip


def _by_section(version):
    found = {}
    for comment in version.comments.select_related("commented_by"):
        found.setdefault(comment.section, []).append(comment)
    return found


def moments(stands):
    """What happened to the version, newest first: (when, words, note, whether it is one of its turns)."""
    version, rows = stands.version, []
    start = f"Drafted from v{version.started_from.number}" if version.started_from else "Drafted"
    rows.append((version.created_at, f"{start}{_by(version.created_by)}", "", False))
    for comment in version.comments.select_related("commented_by"):
        rows.append((comment.commented_at, f"{comment.commented_by.name} commented", comment.text, False))
    if version.proposed_at:
        rows.append((version.proposed_at, f"Proposed{_by(version.proposed_by)}", "", True))
    for row in stands.signatures.values():
        stead = f", deputy for {row.deputy_for.name}" if row.deputy_for else ""
        rows.append((row.signed_at, f"Signed for {row.get_party_display().lower()} by {row.name}{stead}", "", True))
    if stands.withdrawal:
        end = stands.withdrawal
        rows.append((end.withdrawn_at, f"{end.get_kind_display()} by {end.name}", end.comment, True))
    if stands.begins_at:
        rows.append((stands.begins_at, "Begins" if stands.state == "signed" else "Came into force", "", True))
    return sorted(rows, key=lambda row: row[0], reverse=True)


def steps(stands):
    """The five steps of a version's life as (words, when, who, done, current)."""
    version, signed = stands.version, sorted(stands.signatures.values(), key=lambda row: row.signed_at)
    first, second = [*signed, None, None][:2]
    ended = stands.withdrawal or stands.state == "overtaken"
    rows = [("Draft", version.created_at, version.created_by and version.created_by.name)]
    rows.append(("Proposed", version.proposed_at, version.proposed_by and version.proposed_by.name))
    label = f"Signed by {first.get_party_display().lower()}" if first else "Signed by one side"
    rows.append((label, first and first.signed_at, first and first.name))
    rows.append(("Signed by both", second and second.signed_at, second and second.name))
    begun = stands.state in ("in_force", "succeeded")
    dated = version.effective_from and (not version.proposed_at or version.effective_from > version.proposed_at)
    rows.append(("In force", stands.begins_at or (version.effective_from if dated else None), None))
    done = [version.created_at, version.proposed_at, first, second, begun]
    current = next((i for i, one in enumerate(done) if not one), None) if not ended else None
    return [(*row, bool(done[i]), i == current) for i, row in enumerate(rows)]


def _by(person):
    return f" by {person.name}" if person else ""
