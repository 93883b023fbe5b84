"""`make bench`: the product beside its floor, measured in the same run."""
