"""Answers Lambda: event shapes in, proxy responses out, and one JSON log line a turn."""
