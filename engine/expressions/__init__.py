"""Conditions: parsed into small trees, evaluated without Jinja, and the names that they may use."""
