"""Runs while an image with a model is built: has the unchanging beginning of the pipeline's prompt evaluated once, so
that the image brings the result along, beside the model, and no function has to compute it.

The pipeline and the model are those of the environment, `MISAKI_PIPELINE` and `LOCAL_LLM_MODEL`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from engine.app import App, load_app

PATIENCE = 300.0
PAUSE = 0.2


def main() -> int:
    began = time.monotonic()
    app = load_app(os.environ)
    try:
        prepared = _wait(app, began + PATIENCE)
        details = [f"{name}: {model['detail']}" for name, model in app.health()["models"].items()]
    finally:
        app.close()
    print(*details, sep="\n")
    states = Path(f"{os.environ['LOCAL_LLM_MODEL']}.states").glob("*.state")
    size = sum(path.stat().st_size for path in states) / 1e6
    print(f"prompt prepared in {time.monotonic() - began:.0f} s, {size:.0f} MB kept")
    return 0 if prepared else 1


def _wait(app: App, until: float) -> bool:
    """Whether the local model has the prompt's beginning before its eyes."""
    while time.monotonic() < until:
        if any(model.get("prepared") for model in app.health()["models"].values()):
            return True
        time.sleep(PAUSE)
    return False


if __name__ == "__main__":
    sys.exit(main())
