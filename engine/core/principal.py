"""Names who asks: nobody in particular, somebody who holds the shared token, or a user who signed in."""

from __future__ import annotations

from typing import Literal

from engine.core.record import record


@record
class Principal:
    """Who a turn is for. `id` tells one user from all others and is empty for everybody else; `name` is what the user's
    identity provider calls him, cleaned and bounded.
    """

    kind: Literal["anonymous", "token", "user"]
    id: str = ""
    name: str | None = None


ANONYMOUS = Principal(kind="anonymous")
