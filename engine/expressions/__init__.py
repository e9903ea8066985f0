"""Parses and evaluates conditions, and defines the names that they may use."""
