"""Doors of the agreement, a module a page."""
