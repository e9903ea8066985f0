"""Threads of a bounded number."""
