"""What people are written about leads: importing it registers the kinds and the writers."""

from leads.mail import disputes, handoffs, kinds

__all__ = ["disputes", "handoffs", "kinds"]
