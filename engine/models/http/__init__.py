"""HTTP exchanges that end by a deadline."""
