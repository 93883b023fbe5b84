"""The invented company Tarnwick, so that the portal can be tried; no person, company or number in it is real."""
