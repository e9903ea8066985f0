"""What a machine lacks is named once at the end of a run, or fails it where everything was prepared."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MAKEFILE = "tests/acceptance/test_makefile.py"
BROWSER = "tests/acceptance/test_browser.py"


@pytest.fixture
def pytest_on_a_bare_machine(tmp_path):
    """Runs the tests of a file where nothing but Python is installed."""

    def run(*arguments):
        env = {**os.environ, "PATH": str(tmp_path), "PYTEST_ADDOPTS": "-p no:cacheprovider"}
        command = [sys.executable, "-m", "pytest", "-q", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=300)

    return run


def test_what_is_missing_is_named_once_and_the_rest_runs(pytest_on_a_bare_machine):
    done = pytest_on_a_bare_machine(MAKEFILE, BROWSER, "tests/unit/text/test_cleaning.py")
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
    _, _, named = done.stdout.partition("left out on this machine")
    assert named.count("there is no `make` on the path: install the package of that name") == 1
    assert done.stdout.count("there is no `chromium` on the path") == 1
    assert done.stdout.count("`make`") == 1


def test_where_everything_was_prepared_it_fails(pytest_on_a_bare_machine):
    done = pytest_on_a_bare_machine("--prepared", MAKEFILE)
    assert done.returncode == 1
    assert "skipped" not in done.stdout
    assert "this needs make: there is no `make` on the path" in done.stdout


def test_the_make_target_is_the_prepared_run():
    assert (
        "-m pytest --prepared" in (ROOT / "Makefile").read_text("utf-8").partition("\ntest: $")[2].partition("\n\n")[0]
    )
