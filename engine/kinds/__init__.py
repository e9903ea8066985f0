"""Tells which kind of sentence an utterance is, by a small model learned from the examples that editors write."""
