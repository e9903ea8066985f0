"""Conversation stores: what a session remembers between turns, and nothing of how a turn runs."""

from engine.conversations.opening import open_store

__all__ = ["open_store"]
