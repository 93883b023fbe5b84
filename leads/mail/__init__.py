"""What people are written about leads: importing it registers the kinds and the writers."""

from leads.mail import handoffs, kinds

__all__ = ["handoffs", "kinds"]
