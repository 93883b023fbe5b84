"""The routing rules: read, write as a draft, try on last month's leads, publish."""

from collections import defaultdict

from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads.dry_run import MOST, dry_run
from leads.figures import Month
from leads.models import RoutingPlan, RoutingRule
from leads.services import routing_plan as verbs
from leads.views import routing_form as form
from leads.views.routing_terms import terms_said
from portal.accounts.models import User
from portal.accounts.permissions import May, require
from portal.shared.htmx import answer, go, invalid, wants_part
from portal.shared.refusal import NotPermitted, Refusal

PAGE, RULE = "leads/routing.html", "leads/routing_rule.html"
SHOWN = 100


@require_GET
def routing(request):
    """The draft where there is one, else the plan in force."""
    require(request.user, May.CHANGE_ROUTING)
    now = timezone.now()
    plan = RoutingPlan.objects.draft() or RoutingPlan.objects.in_force(at=now)
    return answer(request, PAGE, _context(plan, now), part="rules")


@require_GET
def routing_plan(request, number):
    """One plan at its own address, as it was published."""
    require(request.user, May.CHANGE_ROUTING)
    return answer(request, PAGE, _context(get_object_or_404(RoutingPlan, number=number), timezone.now()))


@require_POST
def start(request):
    """Open a draft that says what is in force."""
    require(request.user, May.CHANGE_ROUTING)
    verbs.start_draft(by=request.user, at=timezone.now())
    return redirect("routing")


@require_POST
def publish(request):
    require(request.user, May.CHANGE_ROUTING)
    try:
        plan = verbs.publish_plan(by=request.user, at=timezone.now(), summary=request.POST.get("summary", ""))
    except verbs.NoDraft as refusal:
        return _refused(request, refusal)
    messages.success(request, f"Routing plan {plan.number} is in force: every lead from now on follows it.")
    return redirect("routing")


@require_POST
def discard(request):
    require(request.user, May.CHANGE_ROUTING)
    try:
        verbs.discard_draft(by=request.user)
    except verbs.NoDraft as refusal:
        return _refused(request, refusal)
    messages.success(request, "The draft is gone; the plan in force stays as it is.")
    return redirect("routing")


@require_http_methods(["GET", "POST"])
def rule_add(request):
    """GET: an empty rule. POST: the draft has one more."""
    require(request.user, May.CHANGE_ROUTING)
    return _rule(request, None, lambda terms: verbs.add_rule(terms=terms, by=request.user))


@require_http_methods(["GET", "POST"])
def rule(request, pk):
    """GET: what the rule says, to change. POST: it says that now."""
    require(request.user, May.CHANGE_ROUTING)
    row = get_object_or_404(RoutingRule.objects.filter(plan__published_at=None), pk=pk)
    return _rule(request, row, lambda terms: verbs.change_rule(rule_id=pk, terms=terms, by=request.user))


@require_POST
def rule_move(request, pk):
    require(request.user, May.CHANGE_ROUTING)
    return _act(request, lambda: verbs.move_rule(rule_id=pk, up=request.POST.get("up") == "1", by=request.user))


@require_POST
def rule_duplicate(request, pk):
    require(request.user, May.CHANGE_ROUTING)
    return _act(request, lambda: verbs.duplicate_rule(rule_id=pk, by=request.user))


@require_POST
def rule_delete(request, pk):
    require(request.user, May.CHANGE_ROUTING)
    return _act(request, lambda: verbs.delete_rule(rule_id=pk, by=request.user))


@require_GET
def weights(request):
    """The weights of the team that was chosen, for the form."""
    require(request.user, May.CHANGE_ROUTING)
    team, _ = form.target(request.GET.get("target", ""))
    return answer(request, f"{RULE}#weights", {"members": form.members(team, {})})


@require_GET
def try_out(request):
    """The draft, or the plan in force, over last month's leads: who would have got what. Writes nothing."""
    require(request.user, May.CHANGE_ROUTING)
    now, zone = timezone.now(), timezone.get_default_timezone()
    plan, month = RoutingPlan.objects.draft() or RoutingPlan.objects.in_force(at=now), Month.of(now, zone).plus(-1)
    found = plan and dry_run(plan, month, at=now, zone=zone)
    context = {"plan": plan, "month": month.first, "run": found, "most": MOST, "shown": SHOWN, "now": now}
    if found:
        context["rows"] = (found.moved + [one for one in found.outcomes if one.same])[:SHOWN]
    return answer(request, "leads/routing_dry_run.html", context)


def _rule(request, row, verb):
    context = {"rule": row, "inline": wants_part(request), **form.choices()}
    if request.method == "GET":
        return answer(request, RULE, context | _given(row), part="form")
    try:
        terms = form.terms(request.POST)
        if row is not None and request.POST.get("keep"):
            terms = verbs.RuleTerms(**vars(terms) | {"condition": row.condition})
        verb(terms)
    except NotPermitted:
        raise
    except Refusal as refusal:
        context |= _posted(request, row) | {"refusal": refusal}
        where = f"#rule-{row.pk if row else 'new'}"
        return invalid(request, RULE, context, part="form", HX_Retarget=where, HX_Reswap="innerHTML")
    if not wants_part(request):
        return redirect("routing")
    return _rules(request)


def _given(row):
    """What the form shows of a rule, or of none."""
    said = form.rows_of(row.condition) if row else form.rows_of({})
    known = {weight.person_id: weight.weight for weight in row.weights.all()} if row else {}
    return {
        "rows": said and said[0],
        "join": said and said[1],
        "kept": None if said else form.said(row.condition),
        "name": row.name if row else "",
        "target": (f"team:{row.team_id}" if row.team_id else f"person:{row.person_id}") if row else "",
        "method": row.method if row else RoutingRule.Method.ROUND_ROBIN,
        "members": form.members(row and row.team_id, known),
    }


def _posted(request, row):
    """The form as it was sent."""
    post, (team, _) = request.POST, form.target(request.POST.get("target", ""))
    rows = form.rows_of_post(post)
    return {
        "rows": rows if not post.get("keep") else None,
        "join": post.get("join", "all"),
        "kept": form.said(row.condition) if row is not None and post.get("keep") else None,
        "name": post.get("name", ""),
        "target": post.get("target", ""),
        "method": post.get("method", ""),
        "members": form.members(team, form.weights_of(post)),
    }


def _act(request, verb):
    try:
        verb()
    except NotPermitted:
        raise
    except Refusal as refusal:
        return _refused(request, refusal)
    return _rules(request) if wants_part(request) else redirect("routing")


def _refused(request, refusal):
    if not wants_part(request):
        messages.error(request, refusal.sentence)
        return redirect("routing")
    now = timezone.now()
    plan = RoutingPlan.objects.draft() or RoutingPlan.objects.in_force(at=now)
    return invalid(request, PAGE, _context(plan, now) | {"refusal": refusal}, part="rules")


def _rules(request):
    now = timezone.now()
    draft = RoutingPlan.objects.draft()
    if draft is None:
        return go(request, "routing")
    return answer(request, PAGE, _context(draft, now), part="rules")


def _context(plan, now):
    in_force = RoutingPlan.objects.in_force(at=now)
    context = {"plan": plan, "plan_in_force": in_force, "now": now}
    context["plans"] = RoutingPlan.objects.select_related("published_by").order_by("-number")
    if plan is None:
        return context
    team = defaultdict(list)
    for rep in User.objects.reps().order_by("name"):
        team[rep.team_id].append(rep)
    rules = list(plan.rules.select_related("team", "person").prefetch_related("weights"))
    return context | {
        "editing": plan.published_at is None,
        "rules": [{"row": row, "sentence": form.sentence(row, team)} for row in rules],
        **terms_said(plan),
    }
