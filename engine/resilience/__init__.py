"""Retries, circuit breakers, and the division of time among models."""
