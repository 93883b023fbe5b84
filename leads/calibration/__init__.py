"""What was won teaches the definition: closed deals, annotation, fit, proposal."""
