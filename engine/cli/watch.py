"""Tells when models that load in the background are ready, or why they are not to be had."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

INTERVAL = 0.2
"""Seconds between two looks."""


def watch_models(
    health: Callable[[], Mapping[str, Any]],
    stop: threading.Event,
    say: Callable[[str], None],
    interval: float = INTERVAL,
) -> None:
    """Says each model's state now and when it changes, until none is loading or `stop` is set."""
    began = time.monotonic()
    seen: dict[str, str] = {}
    while True:
        models = health()["models"]
        for name, model in models.items():
            if seen.get(name) != model["state"]:
                after = f" after {time.monotonic() - began:.1f} s" if name in seen else ""
                detail = f": {model['detail']}" if model["detail"] else ""
                say(f"  model {name} is {model['state']}{after}{detail}")
                seen[name] = model["state"]
        if "loading" not in seen.values() or stop.wait(interval):
            return
