"""What people are written about leads: importing it registers the kinds and the writers."""

from leads.mail import audits, clocks, digests, disputes, handoffs, kinds, reviews, rounds

__all__ = ["audits", "clocks", "digests", "disputes", "handoffs", "kinds", "reviews", "rounds"]
