"""Plays golden conversations: holds what a persona must answer, turn by turn, against what it does answer.

Stands above the application, which it runs as a client would; it knows no Lambda event and no terminal.
"""
