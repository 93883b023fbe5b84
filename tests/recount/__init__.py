"""The audit a second time: every figure from the raw rows in plain Python, by the definitions of docs/figures.md.

Nothing here comes from the portal's own code: the rows are what `SELECT *` gives, the statistics are worked out anew
(exact fractions, roots with fifty digits). Where both agree to the last digit, two people understood the same words.
"""

from tests.recount.rows import Recount, dump

__all__ = ["Recount", "dump"]
