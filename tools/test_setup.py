"""Fetches what the tests need beyond Python packages: the small models, and a browser with a Japanese font.

    python -m tools.test_setup

On Debian and Ubuntu, as root, the browser is installed from the distribution; elsewhere it is named. A second run has
nothing to do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from tools.demo_model import MODELS, NotThere, ensure

BROWSER, FONT = "chromium", "fonts-ipafont-gothic"
_APT = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends", BROWSER, FONT)


def main() -> int:
    """0 where everything is there, 1 where something is missing, with what to do about it."""
    try:
        for name in MODELS:
            ensure(name)
    except NotThere as error:
        print(f"test setup: {error}", file=sys.stderr)
        return 1
    if shutil.which(BROWSER) is None and _can_install():
        print("installing chromium for the browser tests")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(("apt-get", "update", "--quiet"), check=True, env=environment, stdout=subprocess.DEVNULL)
        subprocess.run(_APT, check=True, env=environment, stdout=subprocess.DEVNULL)
    if shutil.which(BROWSER) is None:
        print("test setup: the browser tests need Chromium: install the package `chromium`", file=sys.stderr)
        return 1
    return 0


def _can_install() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


if __name__ == "__main__":
    sys.exit(main())
