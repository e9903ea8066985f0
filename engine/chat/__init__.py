"""Answers a turn: the service, the step runner, and what a conversation remembers."""
