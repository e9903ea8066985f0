"""Measurements that `make bench` and `make bench-matching` print; nothing here is imported by the engine."""
