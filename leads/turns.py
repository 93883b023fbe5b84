"""Weighted turns, smooth and exact: pure. With weights 2:1:1 every four turns are A B C A, never A A B C.

Whoever takes part gains their weight as credit, the highest credit goes and pays the sum of all weights. So of every
sum of weights' turns each gets exactly their weight, and somebody who is away neither gains nor loses.
"""


def take_turn(credits, weights):
    """Who is next among `weights` ({key: whole number above zero}, in order of precedence); `credits` moves on."""
    for key, weight in weights.items():
        credits[key] = credits.get(key, 0) + weight
    who = max(weights, key=credits.__getitem__)
    credits[who] -= sum(weights.values())
    return who
