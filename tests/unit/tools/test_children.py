"""No process that a test starts outlives it."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.children import child

TESTS = Path(__file__).parents[2]
FAMILY = (
    "import subprocess, sys; stubborn = 'import signal; signal.signal(15, signal.SIG_IGN); signal.pause()';"
    "inner = subprocess.Popen([sys.executable, '-c', stubborn]);"
    "print(inner.pid, flush=True); inner.wait()"
)


def test_a_failing_test_leaves_neither_the_process_nor_its_children():
    ended = []

    def fail():
        with child([sys.executable, "-c", FAMILY], stdout=subprocess.PIPE, text=True) as process:
            ended.extend([os.pidfd_open(process.pid), os.pidfd_open(int(process.stdout.readline()))])
            raise AssertionError

    with pytest.raises(AssertionError):
        fail()
    for descriptor in ended:
        assert select.select([descriptor], [], [], 30)[0], "it runs on"
        os.close(descriptor)


def test_one_that_has_ended_by_itself_is_no_trouble():
    with child([sys.executable, "-c", ""]) as process:
        assert process.wait(60) == 0


def test_every_test_starts_its_processes_this_way():
    files = [path for path in TESTS.rglob("*.py") if path.name not in {"children.py", Path(__file__).name}]
    assert len(files) > 100
    assert [str(path) for path in files if re.search(r"\bPopen\(", path.read_text("utf-8"))] == []
