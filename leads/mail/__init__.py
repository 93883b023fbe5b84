"""What people are written about leads: importing it registers the kinds and the writers."""

from leads.mail import clocks, disputes, handoffs, kinds

__all__ = ["clocks", "disputes", "handoffs", "kinds"]
