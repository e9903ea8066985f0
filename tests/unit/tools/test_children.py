"""No process that a test starts outlives it."""

from __future__ import annotations

import ast
import os
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
    """The text of a program that a test gives to a child is no call: what that starts ends with the child's pipes."""
    files = [path for path in TESTS.rglob("*.py") if path.name != "children.py"]
    assert len(files) > 100
    assert [str(path) for path in files if _starts_a_process(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("call", ["subprocess.Popen(['ls'])", "Popen(['ls'])"])
def test_one_that_does_not_is_seen(call):
    assert _starts_a_process(f"def start():\n    with {call} as process:\n        pass\n")
    assert not _starts_a_process(f"PROGRAM = {call!r}\n")


def _starts_a_process(source: str) -> bool:
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any("Popen" in (getattr(called, "attr", ""), getattr(called, "id", "")) for called in calls)
