"""Forms that qualify at the first contact: built, published in versions, filled, judged."""
