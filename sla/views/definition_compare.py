"""Two definitions side by side, field by field."""

from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from portal.accounts.permissions import May, may, require
from sla import definition_diff
from sla.models import MQLDefinition


@require_GET
def definition_compare_choose(request):
    """From the two selects to the comparison's own address."""
    require(request.user, May.READ_AGREEMENT)
    numbers = [request.GET.get(name, "") for name in ("before", "after")]
    if not all(number.isascii() and number.isdigit() and len(number) < 9 for number in numbers):
        raise Http404("There is no such comparison.")
    return redirect("definition_compare", *map(int, numbers))


@require_GET
def definition_compare(request, number, other):
    """What changes from definition `number` to definition `other`."""
    require(request.user, May.READ_AGREEMENT)
    before, after = (get_object_or_404(MQLDefinition, number=each) for each in (number, other))
    old, new = before.as_definition(), after.as_definition()
    context = {
        "before": before,
        "after": after,
        "changes": definition_diff.compare(old, new),
        "unchanged": definition_diff.unchanged(old, new),
        "definitions": MQLDefinition.objects.order_by("-number"),
        "may_backtest": may(request.user, May.BACKTEST_DEFINITION),
        "may_edit": may(request.user, May.EDIT_DEFINITION),
    }
    return render(request, "sla/definition_compare.html", context)
