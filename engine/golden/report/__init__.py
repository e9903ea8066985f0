"""Tells people and machines what running goldens came to: on a terminal, as JUnit XML, as one HTML page."""
