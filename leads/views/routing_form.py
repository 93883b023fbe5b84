"""The form of a routing rule: rows of field, test and value to a condition and back, and a rule in one sentence."""

from django.core.exceptions import BadRequest

from leads.models import RoutingRule
from leads.plan import said
from leads.services.routing_plan import ConditionWrong, RuleTerms
from portal.accounts.models import Role, Team, User
from sla import words
from sla.conditions import number

FIELDS = (
    ("country", "Country"), ("region", "Region"), ("attributes.segment", "Segment"), ("employees", "Company size"),
    ("industry", "Industry"), ("product", "Product"), ("source", "Source"), ("channel", "Channel"),
    ("campaign", "Campaign"), ("tier", "Tier"), ("title", "Job title"), ("domain", "E-mail domain"),
)  # fmt: skip
TESTS = (
    ("in", "is one of"), ("not_in", "is none of"), ("contains", "contains"), ("at_least", "is at least"),
    ("at_most", "is at most"), ("present", "is given"), ("absent", "is missing"),
)  # fmt: skip
BLANK = {"field": "", "test": "in", "value": ""}
ROWS, LONGEST = 6, 1000


def terms(post):
    """The RuleTerms that the form says. Refuses ConditionWrong for a row that makes no sense."""
    team, person = target(post.get("target", ""))
    condition = {} if post.get("every") else _condition(rows_of_post(post), post.get("join", "all"))
    weights = weights_of(post)
    return RuleTerms(
        name=post.get("name", "").replace("\0", ""),
        condition=condition,
        team_id=team,
        person_id=person,
        method=post.get("method", ""),
        weights={pk: int(text) if text.isdecimal() and len(text) < 9 else -1 for pk, text in weights.items() if text},
    )


def weights_of(post):
    """{person's id: the text of their weight} as the form was sent."""
    sent = {key.removeprefix("weight-"): text for key, text in post.items() if key.startswith("weight-")}
    return {int(pk): text for pk, text in sent.items() if pk.isdecimal() and len(pk) < 19}


def target(text):
    """(team's id, person's id) of "team:3" or "person:5"; one or both None."""
    kind, _, pk = text.partition(":")
    pk = int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 10 else None
    return (pk if kind == "team" else None), (pk if kind == "person" else None)


def rows_of_post(post):
    columns = [post.getlist(name) for name in ("field", "test", "value")]
    if len({len(column) for column in columns}) != 1 or len(columns[0]) > ROWS:
        raise BadRequest("The form's rows are not whole.")
    cleaned = ([text.replace("\0", "")[:LONGEST] for text in row] for row in zip(*columns, strict=True))
    return [dict(zip(("field", "test", "value"), row, strict=True)) for row in cleaned]


def _condition(rows, join):
    leaves = [_leaf(**row) for row in rows if row["field"]]
    if not leaves:
        return {}
    return leaves[0] if len(leaves) == 1 else {"any" if join == "any" else "all": leaves}


def _leaf(field, test, value):
    if test in ("present", "absent"):
        return {"field": field, "op": test}
    if not value.strip():
        raise ConditionWrong(f"Say what {words.field(field)} is compared with. Nothing was saved.")
    if test in ("at_least", "at_most"):
        bound = number(value)
        if bound is None:
            raise ConditionWrong(f"“{value}” is no number. Nothing was saved.")
        bound = bound if isinstance(bound, int) else str(bound)
        return {"field": field, "op": "between", "min" if test == "at_least" else "max": bound}
    if test == "contains":
        return {"field": field, "op": "contains", "value": value.strip()}
    return {"field": field, "op": test, "values": [part.strip() for part in value.split(",") if part.strip()]}


def rows_of(condition):
    """(rows, join) of a condition that this form can say, or None where it says more."""
    join = next((key for key in ("all", "any") if key in condition), "all")
    leaves = condition.get(join, [condition] if condition else [])
    rows = [_row(leaf) for leaf in leaves]
    if None in rows or len(rows) > ROWS:
        return None
    return rows + [BLANK] * min(2, ROWS - len(rows)), join


def _row(leaf):
    field, op = leaf.get("field"), leaf.get("op")
    if field not in dict(FIELDS) or leaf.get("case"):
        return None
    if op in ("equals", "not_equals"):
        return {"field": field, "test": "in" if op == "equals" else "not_in", "value": str(leaf["value"])}
    if op in ("in", "not_in"):
        values = [str(value) for value in leaf["values"]]
        return None if "," in "".join(values) else {"field": field, "test": op, "value": ", ".join(values)}
    if op == "between" and ("min" in leaf) != ("max" in leaf):
        test, bound = ("at_least", leaf["min"]) if "min" in leaf else ("at_most", leaf["max"])
        return {"field": field, "test": test, "value": str(bound)}
    if op in ("contains", "present", "absent"):
        return {"field": field, "test": op, "value": leaf.get("value", "")}
    return None


def choices():
    """What a target is chosen from: teams with reps, and people who can hold leads."""
    people = User.objects.active().filter(roles__overlap=[Role.REP, Role.SALES_MANAGER]).order_by("name")
    return {
        "teams": [(f"team:{team.pk}", team.name) for team in Team.objects.order_by("name")],
        "people": [(f"person:{person.pk}", person.name) for person in people],
        "fields": FIELDS,
        "tests": TESTS,
        "methods": RoutingRule.Method.choices,
    }


def members(team_id, given):
    """[(rep, weight)] of a team; given: {id: weight}, one where it says nothing."""
    reps = User.objects.reps().filter(team=team_id).order_by("name") if team_id else ()
    return [(rep, given.get(rep.pk, 1)) for rep in reps]


def sentence(rule, team):
    """A rule as one sentence; team: active reps by team id."""
    before = f"When {said(rule.condition)}" if rule.condition else "Every lead"
    if rule.person_id:
        return f"{before}: to {rule.person.name}."
    weights = {weight.person_id: weight.weight for weight in rule.weights.all()}
    reps = [(rep.name, weights.get(rep.pk, 1)) for rep in team.get(rule.team_id, ())]
    who = words.some([f"{name} ({weight})" for name, weight in reps], "and") if reps else "no rep yet"
    how = {
        RoutingRule.Method.ROUND_ROBIN: f"in turn by weight: {who}",
        RoutingRule.Method.LEAST_LOADED: "to whoever has the fewest open leads",
        RoutingRule.Method.ACCOUNT: f"to the owner of the company’s account, a new company in turn: {who}",
    }[rule.method]
    return f"{before}: to {rule.team.name}, {how}."
