"""The verbs of forms: build one, take in what a visitor sent, free what was suspected, note how far a visit came."""
