"""Asks models again, and keeps away from those that fail: retries and circuit breakers."""
