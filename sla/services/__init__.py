"""Verbs of the agreement, by noun."""
