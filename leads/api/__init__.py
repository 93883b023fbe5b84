"""Doors of the API to leads, events, handoffs and figures: one verb or one question each."""
