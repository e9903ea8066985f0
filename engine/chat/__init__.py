"""Runs a plan: the fold over its steps, and the guards around the models it asks."""
