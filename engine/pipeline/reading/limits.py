"""How much a file may hold. Generous for people, small enough that no input can take the process down."""

from __future__ import annotations

MAX_BYTES = 4_000_000
"""Ten thousand replies in one file take about three million."""

MAX_DEPTH = 40
MAX_NODES = 150_000
"""Counted with every alias written out; ten thousand plain replies in one file take about 120,000."""

MAX_ALIASES = 200
MAX_PROBLEMS = 500
"""Problems collected in one file: nobody reads more, and a hostile file could have millions. Reading stops there."""

MAX_SCALAR = 100_000
"""Characters of one text."""

MAX_DIGITS = 15
"""Digits of a whole number: beyond them a float no longer holds it exactly."""
