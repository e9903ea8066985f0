"""Keeps rooms, their turns and what is remembered of their owners; it knows nothing of how a turn runs."""

from engine.conversations.opening import open_store

__all__ = ["open_store"]
