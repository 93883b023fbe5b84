"""Fit × behaviour: which tier a lead with so many points of each would reach; pure, no Django."""

from sla.scoring import Definition, Rule

MOST_STEPS = 6
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)


def matrix(definition: Definition) -> tuple[list[int], list[tuple[int, list[str | None]]]]:
    """(behaviour points, [(fit points, [tier's name or None for nurture, …]), …]), fit from high to low."""
    tiers = sorted(definition.tiers, key=lambda tier: tier.position)
    fits = _steps(definition, "fit", [tier.fit for tier in tiers])
    behaviours = _steps(definition, "behaviour", [tier.behaviour for tier in tiers])

    def reached(fit, behaviour):
        return next((tier.name for tier in tiers if tier.takes(fit, behaviour)), None)

    return behaviours, [(fit, [reached(fit, behaviour) for behaviour in behaviours]) for fit in reversed(fits)]


def most(definition: Definition, axis: str) -> int | None:
    """The most points that an axis can give; None where a rule has no limit."""
    points = [_most(rule) for rule in definition.rules if rule.axis == axis]
    return None if None in points else sum(points)


def _most(rule: Rule) -> int | None:
    if rule.points <= 0:
        return 0
    return rule.cap if rule.per_event else rule.points


def _steps(definition: Definition, axis: str, thresholds: list[int | None]) -> list[int]:
    """0, a few round values up to the most that the axis gives or the highest tier asks for, and every threshold."""
    highest = max([most(definition, axis) or 0, *(tier.total for tier in definition.tiers), 1])
    step = next((size for size in STEPS if highest / size <= MOST_STEPS), STEPS[-1])
    return sorted({*range(0, highest + 1, step), *(asked for asked in thresholds if asked is not None and asked > 0)})
