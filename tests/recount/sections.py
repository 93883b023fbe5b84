"""The audit's sections a second time: trend, speed, disputes, promises, quality, what rejections have in common."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from statistics import median

from tests.recount.statistics import (
    corrected,
    first_time,
    kappa,
    lift,
    newcombe,
    p_chart,
    still_waiting,
    wilson,
)

MICROSECOND = dt.timedelta(microseconds=1)
LONGEST = {"5min": 5 * 60, "1h": 3600, "24h": 86400}
STATUS = {"accepted": "sqls", "rejected": "rejected", "open": "undecided", "withdrawn": "withdrawn"}
CLOCKS = {"first_contact": "contact", "decision": "decision"}


# --- trend --------------------------------------------------------------------------------------------
def begun(recount):
    """(begins, number, definition's number) of the versions in force by the cut-off, in order of time."""
    found = []
    for version in recount.tables["sla_slaversion"]:
        signed = [s for s in recount.tables["sla_signature"] if s["version_id"] == version["id"]]
        if {s["party"] for s in signed} == {"marketing", "sales"}:
            begins = max(version["effective_from"], *(s["signed_at"] for s in signed))
            definition = recount.by_id["sla_mqldefinition"][version["definition_id"]]["number"]
            found.append((begins, version["number"], definition))
    return sorted(each for each in found if each[0] <= recount.as_of)


def trend(recount, months, basis):
    """[(definition, (average, factor), [(month, limits or None)])] of consecutive months."""
    known, judged = begun(recount), {}
    for month in months:
        year, number = month
        end = dt.datetime(year + number // 12, number % 12 + 1, 1, tzinfo=recount.zone)
        of = next((definition for at, _, definition in reversed(known) if at < end), None)
        counts = recount.counts(month, basis)
        fair = recount.is_over(month) and counts["mqls"] and counts["sqls"] <= counts["mqls"]
        judged[month] = of, (counts["sqls"], counts["mqls"]) if fair else (0, 0)
    found = []
    for definition, inside in groupby(months, key=lambda month: judged[month][0]):
        inside = list(inside)
        pairs = [judged[month][1] for month in inside]
        average, factor, limits = p_chart(pairs) or (None, None, [None] * len(inside))
        found.append((definition, (average, factor), list(zip(inside, limits, strict=True)), pairs))
    return found


# --- aging and speed ------------------------------------------------------------------------------------
def _waits(recount, month):
    """Of each MQL: status, whether of the past, and in microseconds its contact, its end of watch, its first owner."""
    for h in recount.delivered(month):

        def since(at, h=h):
            return None if at is None else max(0, (at - h["qualified_at"]) // MICROSECOND)

        touched = h["first_touch_at"] if h["first_touch_at"] and h["first_touch_at"] <= recount.as_of else None
        ends = [at for at in (h["decided_at"], h["withdrawn_at"]) if at]
        given = [
            a["assigned_at"] for a in recount.tables["leads_assignment"]
            if a["handoff_id"] == h["id"] and not a["to_queue"] and a["assigned_at"] <= recount.as_of
        ]  # fmt: skip
        routed = min(given) if given and not h["is_historical"] else None
        watched = min([*ends, recount.as_of])
        yield recount.status(h), h["is_historical"], since(touched), since(watched), since(routed)


def speed(recount, month):
    """Bands with their counts, the three waits as (steps, median, median of those done), and the split of the sum."""
    rows = list(_waits(recount, month))
    bands = {key: Counter() for key in (*LONGEST, "later", "none")}
    for status, _, touched, *_ in rows:
        key = "none" if touched is None else next((k for k, s in LONGEST.items() if touched <= s * 10**6), "later")
        bands[key].update(["mqls", STATUS[status]])
    live = [(touched, watched, routed) for _, past, touched, watched, routed in rows if not past]
    routing, owner, sums = [], [], [0, 0]
    for touched, watched, routed in live:
        end, done = (watched, False) if touched is None else (touched, True)
        first = end if routed is None or routed > end else routed
        had = routed is not None and routed <= end
        routing.append((first, had or done))
        if had or done:
            owner.append((end - first, done))
        sums = [sums[0] + first * done, sums[1] + (end - first) * done]
    contact = [(watched if touched is None else touched, touched is not None) for _, _, touched, watched, _ in rows]
    return bands, [_wait(cases) for cases in (contact, routing, owner)], sums


def _wait(cases):
    steps, known = still_waiting(cases), [at for at, done in cases if done]
    return {"n": len(cases), "steps": steps, "median": first_time(steps), "known": median(known) if known else None}


def done_within(wait, microseconds):
    """(share, low, high) that is done after so long."""
    last = [ends for at, ends in wait["steps"].items() if at <= microseconds]
    return tuple(1 - end for end in (last[-1][0], last[-1][2], last[-1][1])) if last else (0, 0, 0)


# --- disputes, and what is left out -----------------------------------------------------------------------
def disputes(recount, month, basis):
    """{(how it stands, category, code, who rejected): disputes}, and how many rejections and MQLs wait."""
    rulings = {r["dispute_id"]: r for r in recount.tables["leads_ruling"]}
    later = {d["supersedes_id"]: d for d in recount.tables["leads_decision"] if d["supersedes_id"]}
    found, waiting = Counter(), set()
    for each in recount.tables["leads_dispute"]:
        decision, ruling = recount.by_id["leads_decision"][each["decision_id"]], rulings.get(each["id"])
        ruled = ruling if ruling and ruling["ruled_at"] <= recount.as_of else None
        if each["disputed_at"] <= recount.as_of and not ruled:
            waiting.add(each["decision_id"])
        if recount.month_of(each["disputed_at"]) == month:
            reason, over = recount.by_id["sla_reasoncode"][decision["reason_id"]], later.get(decision["id"])
            gone = over is not None and over["recorded_at"] <= recount.as_of
            state = ruled["outcome"] if ruled else "settled" if gone else "waiting"
            found[state, reason["category"], reason["code"], decision["decided_by_id"]] += 1
    mqls = [h for h in recount.delivered(month) if recount.status(h) == "rejected"]
    return found, *(
        sum(h["standing_decision_id"] in waiting for h in rows) for rows in (recount.rejected(month, basis), mqls)
    )


def left_out(recount, month, basis):
    """{kind: how many}"""
    mqls, decided = recount.delivered(month), recount.judged(month, "period")
    inside, here = {h["id"] for h in decided}, {h["id"] for h in mqls}
    other = [h for h in mqls if h["decided_at"] and h["decided_at"] <= recount.as_of and h["id"] not in inside]
    earlier = [h for h in decided if h["id"] not in here]
    amending = [d for d in recount.tables["leads_decision"] if d["supersedes_id"]]
    return {
        "withdrawn": sum(recount.status(h) == "withdrawn" for h in mqls),
        "apart": len(other if basis == "period" else earlier),
        "amended": len({d["handoff_id"] for d in amending if recount.month_of(d["decided_at"]) == month}),
        "imported": sum(h["is_historical"] for h in mqls),
    }


# --- promises --------------------------------------------------------------------------------------------
def clock(recount, h, name):
    """ "kept", "late" or None (no clock, still running, or ended in time without having to stop)."""
    due = h[f"{name}_due_at"]
    if due is None:
        return None
    cut = {
        n: h[n] if h[n] and h[n] <= recount.as_of else None for n in ("first_touch_at", "decided_at", "withdrawn_at")
    }
    stopped = cut["first_touch_at"] if name == "contact" else cut["decided_at"]
    if stopped:
        return "kept" if stopped <= due else "late"
    ended = cut["decided_at"] or cut["withdrawn_at"] or recount.as_of
    return "late" if ended > due else None


def promises(recount, month):
    """{(version's number, kind, tier's key): (k, n, target in per mille or count)}, and of how many accepted."""
    mqls, found = recount.delivered(month), {}
    versions = sorted({recount.by_id["sla_slaversion"][h["sla_version_id"]]["number"] for h in mqls})
    for version in (v for v in recount.tables["sla_slaversion"] if v["number"] in versions):
        of = [c for c in recount.tables["sla_commitment"] if c["version_id"] == version["id"]]
        kept = {c["tier_id"]: c["at_least"] for c in of if c["kind"] == "share_kept"}
        inside = [h for h in mqls if h["sla_version_id"] == version["id"]]
        covered = [h for h in inside if _covered(version, h)]
        for one in of:
            tier = recount.by_id["sla_tier"].get(one["tier_id"])
            key = version["number"], one["kind"], tier and tier["key"]
            if one["kind"] in CLOCKS:
                mine = [h for h in inside if h["tier_id"] == one["tier_id"]]
                states = Counter(clock(recount, h, CLOCKS[one["kind"]]) for h in mine)
                target = kept.get(one["tier_id"], kept.get(None, 1000))
                found[key] = states["kept"], states["kept"] + states["late"], target
            elif one["kind"] == "share_kept":
                states = Counter(clock(recount, h, c) for h in inside for c in CLOCKS.values()
                                 if one["tier_id"] in (None, h["tier_id"]))  # fmt: skip
                found[key] = states["kept"], states["kept"] + states["late"], one["at_least"]
            elif one["kind"] == "acceptance":
                found[key] = sum(recount.status(h) == "accepted" for h in covered), len(covered), one["at_least"]
            elif one["kind"] == "complete_facts":
                found[key] = sum(not _lacks(recount, h) for h in covered), len(covered), one["at_least"]
            elif version["number"] == versions[0]:
                found[key] = len(mqls), len(mqls), one["at_least"]
        if any(r["unreachable"] for r in recount.tables["sla_reasoncode"] if r["version_id"] == version["id"]):
            found[version["number"], "attempts", None] = (*_attempts(recount, version, inside), 1000)
    return found, sum(recount.status(h) == "accepted" for h in mqls), len(mqls)


def _covered(version, h):
    return (not version["sources"] or h["source"] in version["sources"]) and (
        not version["campaigns"] or h["campaign"] in version["campaigns"]
    )


def _attempts(recount, version, inside):
    tried = Counter()
    for touch in recount.tables["leads_touch"]:
        h = recount.by_id["leads_handoff"][touch["handoff_id"]]
        tried[h["id"]] += h["decided_at"] is not None and touch["occurred_at"] <= h["decided_at"]
    rows = [h for h in inside if recount.status(h) == "rejected" and not h["is_historical"]
            and recount.reason(h)["unreachable"]]  # fmt: skip
    return sum(tried[h["id"]] >= version["attempts_before_unreachable"] for h in rows), len(rows)


def _lacks(recount, h):
    lead = recount.by_id["leads_lead"][h["lead_id"]]
    required = recount.by_id["sla_mqldefinition"][h["definition_id"]]["required_facts"]
    values = [
        lead["attributes"].get(name.removeprefix("attributes.")) if name.startswith("attributes.") else lead[name]
        for name in required
    ]
    return any(value is None or str(value).strip() == "" for value in values)


def attained(found, accepted, mqls, version):
    """(marketing, sales, joint, the lowest): how far the promises were kept, shares of 1, None where none were."""
    sides = {"marketing": [], "sales": []}
    for (_, kind, _), (k, n, target) in found.items():
        side = "marketing" if kind in ("mqls", "acceptance", "complete_facts") else "sales"
        if kind == "mqls":
            most = next(c for c in version["commitments"] if c["kind"] == "mqls")["at_most"]
            sides[side].append(min(Fraction(1), Fraction(n, target), Fraction(most, n) if most and n > most else 1))
        elif n:
            sides[side].append(min(Fraction(1), Fraction(k * 1000, n * target) if target else 1))
    joint = [Fraction(1)]
    if version["target_rate"]:
        joint.append(Fraction(accepted * 1000, mqls * version["target_rate"]))
    if version["target_accepted"]:
        joint.append(Fraction(accepted, version["target_accepted"]))
    lowest = [min(sides[side], default=None) for side in ("marketing", "sales")]
    lowest.append(min(joint) if len(joint) > 1 and mqls else None)
    return (*lowest, min((each for each in lowest if each is not None), default=None))


def verdict(k, n, target):
    """Of a share against its target in per mille."""
    if not n:
        return None
    if k * 1000 >= target * n:
        return "Kept"
    return "Unclear" if target < 1000 and wilson(k, n)[1] >= Decimal(target) / 1000 else "Breached"


def clocks_by_person(recount, month):
    """{(person, clock): (kept, kept or late)}: a breach is of whoever held the lead when its time ran out."""
    held = {(b["handoff_id"], b["clock"]): b["owner_id"] for b in recount.tables["leads_breach"]}
    found = Counter()
    for h in recount.delivered(month):
        for name in CLOCKS.values():
            state = clock(recount, h, name)
            who = held.get((h["id"], name)) or h["owner_id"] if state == "late" else h["owner_id"]
            if state:
                found[who, name, state] += 1
    people = {who for who, *_ in found if who}
    return {
        (who, name): (found[who, name, "kept"], found[who, name, "kept"] + found[who, name, "late"])
        for who in people for name in CLOCKS.values()
    }  # fmt: skip


# --- quality of the reasons --------------------------------------------------------------------------------
def flags(recount, month):
    """{flag: (k, n)} on the rejections decided in the month."""
    rows = recount.rejected(month)
    of = {h["id"]: recount.by_id["leads_decision"][h["standing_decision_id"]] for h in rows}
    timed = [h for h in rows if of[h["id"]]["via"] != "import"]
    told = [h for h in rows if recount.reason(h)["category"] == "data" and _can_be_told(recount, h)]
    return {
        "hurried": (sum(_is_hurried(recount, h) for h in timed), len(timed)),
        "bad-data": (sum(not _lacks(recount, h) for h in told), len(told)),
        "bulk": (sum(of[h["id"]]["via"] == "bulk" for h in rows), len(rows)),
    }


def _can_be_told(recount, h):
    required = recount.by_id["sla_mqldefinition"][h["definition_id"]]["required_facts"]
    return bool(required) and recount.by_id["leads_lead"][h["lead_id"]]["updated_at"] <= h["decided_at"]


def _is_hurried(recount, h):
    since = h["decided_at"] - dt.timedelta(seconds=20)
    given = (
        since < a["assigned_at"] <= h["decided_at"]
        for a in recount.tables["leads_assignment"]
        if (a["handoff_id"], a["owner_id"], a["to_queue"]) == (h["id"], h["owner_id"], False)
    )
    return h["qualified_at"] > since or any(given)


def one_reason(recount, month):
    """{owner: (code, its rejections, all)} of whoever gave one reason for over 60 % of 20 or more."""
    given = {}
    for h in recount.rejected(month):
        if h["owner_id"]:
            given.setdefault(h["owner_id"], Counter())[recount.reason(h)["code"]] += 1
    found = {}
    for owner, codes in given.items():
        n, code = max((n, code) for code, n in codes.items())
        if codes.total() >= 20 and 10 * n > 6 * codes.total():
            found[owner] = code, n, codes.total()
    return found


def agreement(recount, month):
    """(kappa by code, by category) of the month's blind second codes."""
    pairs, reasons = [], recount.by_id["sla_reasoncode"]
    for coding in recount.tables["audit_coding"]:
        item = recount.by_id["audit_sampleitem"][coding["item_id"]]
        sampled = recount.by_id["audit_sample"][item["sample_id"]]["month"]
        if (sampled.year, sampled.month) == month:
            first = recount.by_id["leads_decision"][item["decision_id"]]["reason_id"]
            pairs.append((reasons[first], reasons[coding["reason_id"]]))
    return tuple(kappa([(a[name], b[name]) for a, b in pairs]) for name in ("code", "category"))


# --- what the top reason's leads have in common ---------------------------------------------------------------
def signs(recount, month, basis, category, code):
    """{(sign, of): (rejected, accepted, lift or None, change)} and of how many of either."""
    rejected = [h for h in recount.rejected(month, basis) if _is_for(recount, h, category, code)]
    accepted = recount.accepted(month, basis)
    if category == "scoring":
        rejected, accepted = ([h for h in rows if h["breakdown"] and h["tier_id"]] for rows in (rejected, accepted))
    sides = [Counter(), Counter()]
    attributes = {_decision(recount, h)["attribute"] for h in rejected} - {""}
    for side, rows in zip(sides, (rejected, accepted), strict=True):
        for h in rows:
            side.update(_signs_of(recount, h, category, attributes, side is sides[0]))
    n, m = len(rejected), len(accepted)
    found = [sign for sign, k in sides[0].items() if k]
    if not m:
        return {}, n, m
    z = corrected(len(found)) if found else None
    return {
        sign: (sides[0][sign], sides[1][sign], lift(sides[0][sign], n, sides[1][sign], m, z),
               newcombe(sides[1][sign], m, sides[0][sign], n, z))
        for sign in found
    }, n, m  # fmt: skip


def _is_for(recount, h, category, code):
    reason = recount.reason(h)
    return (reason["category"], reason["code"]) == (category, code)


def _decision(recount, h):
    return recount.by_id["leads_decision"][h["standing_decision_id"]]


def _signs_of(recount, h, category, attributes, is_rejected):
    if category == "timing":
        return [(h["source"], "source")]
    if category == "scoring":
        return [(rule["key"], rule["axis"]) for rule in h["breakdown"]["rules"] if _carried(recount, h, rule)]
    if category == "fit":
        named = {_decision(recount, h)["attribute"]} & attributes if is_rejected else attributes
        lead = recount.by_id["leads_lead"][h["lead_id"]]
        return [(_value(lead, name), name) for name in named]
    return []


def _value(lead, name):
    """Of an attribute that a rep named; a number of employees as its band."""
    value = lead[name] if lead.get(name) is not None else lead["attributes"].get(name)
    words = "" if value is None else str(value).strip()
    if name != "employees" or not words.isdecimal():
        return "" if name == "employees" else words
    bands = ((49, "1–49"), (199, "50–199"), (999, "200–999"))
    return next((band for most, band in bands if int(words) <= most), "1000 or more")


def _carried(recount, h, rule):
    """Whether the lead had been under its tier's thresholds without the rule's points."""
    tier, less = recount.by_id["sla_tier"][h["tier_id"]], {"fit": h["fit"], "behaviour": h["behaviour"]}
    if rule["points"] <= 0:
        return False
    under = h["total"] - rule["points"] < tier["total"]
    axis = rule["axis"]
    return under or (axis in less and tier[axis] is not None and less[axis] - rule["points"] < tier[axis])
