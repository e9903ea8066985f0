"""One process and its pipes, with programs of a line each in the worker's place."""

from __future__ import annotations

import contextlib
import sys

import pytest

from engine.core.deadline import Deadline
from engine.models.local.worker.child import Child, Command

LONG = 30.0
"""Seconds that nothing here takes."""


@pytest.fixture
def start():
    """Starts the program; gives the child, what it says, and those that are gone."""
    with contextlib.ExitStack() as stack:

        def start(program):
            said, gone = [], []
            command = Command((sys.executable, "-c", program), {})
            child = Child(command, lambda _, message: said.append(message), gone.append)
            stack.callback(child.join, LONG)
            stack.callback(child.kill)
            return child, said, gone

        yield start


def test_one_that_does_not_read_is_left_at_the_deadline(start):
    child, _, gone = start("import time; time.sleep(3600)")
    with pytest.raises(TimeoutError):
        child.send({"text": "x" * 1_000_000}, Deadline.after(0.05))
    child.kill()
    child.join(LONG)
    assert gone == [child]
    assert child.exit_words() == "signal 9"
    with pytest.raises(BrokenPipeError):
        child.send({"text": "x"}, Deadline.after(LONG))


def test_what_it_writes_and_how_it_ends_is_kept(start):
    child, said, gone = start("import sys; print('{\"event\": \"ready\"}'); sys.exit(' one\\n  two ')")
    child.join(LONG)
    assert (said, gone) == ([{"event": "ready"}], [child])
    assert (child.last_words(), child.exit_words()) == ("one / two", "exit code 1")


def test_the_last_words_are_a_few_lines(start):
    child, _, _ = start("import sys; sys.exit('\\n'.join(['x' * 80] * 100 + list('abc')))")
    child.join(LONG)
    assert child.last_words() == "a / b / c"


def test_an_end_is_an_end_whatever_its_number(start):
    child, _, _ = start("")
    child.join(LONG)
    assert child.exit_words() == "exit code 0"


def test_what_is_no_message_ends_it(start):
    child, said, gone = start("import time; print('no message', flush=True); time.sleep(3600)")
    child.join(LONG)
    assert (said, gone, child.exit_words()) == ([], [child], "signal 9")


def test_it_is_gone_when_it_ends_though_what_it_started_goes_on(start):
    """The other program, which keeps standard error alone, lives until this child's pipes are closed."""
    other = "import os, sys; os.close(1); sys.stdin.read()"
    child, said, gone = start(
        f"import os, sys; os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, '-c', {other!r}]);"
        "print('{\"event\": \"ready\"}'); sys.exit('last words')"
    )
    child.join(LONG)
    assert (said, gone) == ([{"event": "ready"}], [child])
    assert (child.last_words(), child.exit_words()) == ("last words", "exit code 1")
