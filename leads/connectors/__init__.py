"""Other systems: webhooks out and in."""
