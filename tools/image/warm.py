"""Runs while an image with a model is built: has the unchanging beginning of the pipeline's prompt evaluated once, so
that the image brings the result along, beside the model, and no function has to compute it.

The pipeline and the model are those of the environment, `MISAKI_PIPELINE` and `LOCAL_LLM_MODEL`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from engine.app import load_app

PATIENCE = 300.0
PAUSE = 0.2


def main() -> int:
    model = Path(os.environ["LOCAL_LLM_MODEL"])
    began = time.monotonic()
    app = load_app(os.environ)
    try:
        kept = _wait(model.with_name(f"{model.name}.states"), began + PATIENCE)
    finally:
        app.close()
    took = time.monotonic() - began
    print(f"the beginning of the prompt {'is kept' if kept else 'is not worth keeping'} ({took:.0f} s)")
    return 0


def _wait(folder: Path, until: float) -> bool:
    while time.monotonic() < until:
        if any(folder.glob("*.state")):
            return True
        time.sleep(PAUSE)
    return False


if __name__ == "__main__":
    sys.exit(main())
