"""Work that is done beside this process gives what it would give here, mistakes included, and leaves nothing behind."""

from __future__ import annotations

import os
import threading

import pytest

from engine.validation.aside import aside


def test_the_result_is_that_of_the_work():
    waiting = aside(lambda: {"found": [1, 2], "large": "x" * 200_000})
    assert waiting() == {"found": [1, 2], "large": "x" * 200_000}


def test_no_process_is_left():
    process = aside(os.getpid)()
    with pytest.raises(ChildProcessError):
        os.waitpid(process, os.WNOHANG)


def test_what_goes_wrong_there_goes_wrong_here():
    def fails() -> None:
        raise ValueError("as it is")

    waiting = aside(fails)
    with pytest.raises(ValueError, match="as it is"):
        waiting()


def test_a_process_with_threads_does_the_work_itself():
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert aside(os.getpid)() == os.getpid()
    finally:
        done.set()
        thread.join()
