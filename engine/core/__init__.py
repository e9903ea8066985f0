"""Holds the pure data and ports that every layer shares, without I/O, third-party imports or mutable state."""
