"""Holds the pure data and the ports that every layer shares: no I/O, no third-party import, nothing mutable at module
level.
"""
