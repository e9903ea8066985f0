from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import Cancelled, TimedOut, Unavailable
from engine.models.local.worker.child import Command, worker_command
from engine.models.local.worker.restarts import MAX_BACKOFF
from engine.models.local.worker.supervisor import MAX_LOADING, MAX_WAITING, Supervisor
from tests.children import child
from tests.fakes.clock import FakeClock
from tests.fakes.worker import COMMAND, CROWD

LONG = 30.0
"""Seconds that nothing here takes."""


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def start(clock):
    """Supervisors of fake workers, all closed in the end."""
    with contextlib.ExitStack() as stack:

        def start(*engines, command=COMMAND, **options):
            supervisor = Supervisor(command, engines or ("fine",), {"op": "load", "settings": {}}, clock, **options)
            stack.callback(supervisor.close)
            return supervisor

        yield start


@contextlib.contextmanager
def no_more_threads():
    """A thread would need more address space than there is, so that none starts."""
    usual = threading.stack_size(2**46)
    try:
        yield
    finally:
        threading.stack_size(usual)


def ask(supervisor: Supervisor, text: str = "hello", seconds: float = LONG) -> str:
    asking = supervisor.ask({"prompt": {"text": text}}, Deadline.after(seconds))
    while True:
        try:
            next(asking)
        except StopIteration as end:
            return end.value["text"]


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_one_worker_serves_many_turns(start):
    supervisor = start()
    assert [ask(supervisor, text) for text in "abc"] == ["1: a", "2: b", "3: c"]
    report = supervisor.report()
    assert (report.state, report.starts, report.problem) == ("ready", 1, "")
    assert report.info == {"engine": "fine", "pid": supervisor._child.pid}


def test_turns_from_many_threads_are_answered_one_by_one(start):
    supervisor = start()
    with ThreadPoolExecutor(MAX_WAITING) as pool:
        replies = list(pool.map(lambda number: ask(supervisor, f"{number}"), range(MAX_WAITING)))
    assert sorted(reply.partition(":")[0] for reply in replies) == sorted(str(n + 1) for n in range(MAX_WAITING))
    assert [reply.partition(": ")[2] for reply in replies] == [str(n) for n in range(MAX_WAITING)]


def test_a_worker_that_takes_several_turns_has_them_at_once(start):
    supervisor = start("crowd")
    with ThreadPoolExecutor(CROWD) as pool:
        assert list(pool.map(lambda text: ask(supervisor, text), "abc")) == ["a", "b", "c"]
    assert supervisor.report().starts == 1


def test_pieces_come_before_the_reply(start):
    asking = start("crowd").ask({"prompt": {"text": "speak"}}, Deadline.after(LONG))
    assert [(message["text"], message["confidence"]) for message in asking] == [("One.", 0.5), ("One. Two.", 0.25)]


def test_a_turn_that_is_given_up_frees_its_place(start):
    supervisor = start("crowd")
    for _ in range(2 * CROWD):
        asking = supervisor.ask({"prompt": {"text": "speak"}}, Deadline.after(LONG))
        next(asking)
        asking.close()
    for _ in range(CROWD):
        with pytest.raises(TimedOut):
            ask(supervisor, "stay", 0.05)
    with ThreadPoolExecutor(CROWD) as pool:
        assert list(pool.map(lambda text: ask(supervisor, text), "abc")) == ["a", "b", "c"]
    assert supervisor.report().starts == 1


def test_a_guest_who_leaves_frees_the_place_while_the_turn_waits(start):
    supervisor, gone = start("crowd"), threading.Event()
    with ThreadPoolExecutor(CROWD) as pool:
        asking = [
            supervisor.ask({"prompt": {"text": "stay"}}, Deadline.after(LONG, gone=gone)) for _ in range(CROWD - 1)
        ]
        waiting = [pool.submit(next, one) for one in asking]
        gone.set()
        for one in waiting:
            with pytest.raises(Cancelled):
                one.result(LONG)
        assert list(pool.map(lambda text: ask(supervisor, text), "abc")) == ["a", "b", "c"]
    assert supervisor.report().starts == 1


def test_a_guest_who_has_left_before_a_free_worker_is_taken_is_no_timeout(start):
    supervisor, gone = start("crowd"), threading.Event()
    assert ask(supervisor, "speak") == "speak"
    gone.set()
    with pytest.raises(Cancelled):
        next(supervisor.ask({"prompt": {"text": "speak"}}, Deadline.after(LONG, gone=gone)))


@pytest.mark.parametrize(("end", "problem"), [("die", Unavailable), ("hang", TimedOut)])
def test_every_turn_that_a_worker_has_ends_with_it_or_by_its_deadline(start, end, problem):
    supervisor = start("crowd")
    with pytest.raises(TimedOut):
        ask(supervisor, "stay", 0.05)
    with ThreadPoolExecutor(CROWD) as pool:
        waiting = [pool.submit(ask, supervisor, text, seconds) for text, seconds in (("a", 0.3), (end, 0.6))]
        assert [type(turn.exception(LONG)) for turn in waiting] == [problem, problem]
    with pytest.raises(TimedOut):
        ask(supervisor, "again", 0.5)
    assert ask(supervisor, "speak") == "speak"
    assert supervisor.report().starts == 2


def test_a_worker_that_reads_nothing_holds_no_turn_beyond_its_deadline(start):
    supervisor = start("crowd")
    assert ask(supervisor, "speak") == "speak"
    os.kill(supervisor.report().pid, signal.SIGSTOP)
    with ThreadPoolExecutor(CROWD) as pool:
        long = pool.submit(ask, supervisor, "あ" * 200_000, LONG)
        short = [pool.submit(ask, supervisor, "あ" * 200_000, 0.2) for _ in range(CROWD - 1)]
        assert [type(turn.exception(5.0)) for turn in short] == [TimedOut] * (CROWD - 1)
        assert type(long.exception(LONG)) is Unavailable


def test_a_full_queue_turns_away(start):
    supervisor = start()
    with contextlib.ExitStack() as stack:
        for _ in range(MAX_WAITING):
            stack.enter_context(supervisor._queue())
        with pytest.raises(Unavailable, match="queue is full") as caught:
            ask(supervisor)
    assert (caught.value.retryable, caught.value.called) == (True, False)
    assert ask(supervisor)


def test_a_worker_that_dies_costs_its_turn_only(start):
    supervisor = start()
    ask(supervisor)
    with pytest.raises(Unavailable, match="signal 6") as caught:
        ask(supervisor, "die")
    assert caught.value.retryable
    assert ask(supervisor, "again") == "1: again"
    assert supervisor.report().starts == 2


def test_a_worker_that_keeps_dying_is_restarted_with_growing_patience(start, clock):
    supervisor = start()
    waits = []
    for _ in range(9):
        with pytest.raises(Unavailable, match="signal 6"):
            ask(supervisor, "die")
        with contextlib.suppress(Unavailable):
            ask(supervisor, "die")
        with pytest.raises(Unavailable) as caught:
            ask(supervisor)
        waits.append(caught.value.retry_after)
        clock.advance(MAX_BACKOFF)
    assert waits == sorted(waits)
    assert waits[-1] == MAX_BACKOFF
    assert ask(supervisor) == "1: hello"


def test_a_worker_that_hangs_is_given_up_at_the_deadline_and_replaced(start):
    supervisor = start()
    ask(supervisor)
    with pytest.raises(TimedOut):
        ask(supervisor, "hang", 0.2)
    assert ask(supervisor, "again") == "1: again"
    assert supervisor.report().starts == 2


def test_a_late_worker_is_kept(start):
    supervisor = start()
    ask(supervisor)
    with pytest.raises(TimedOut):
        ask(supervisor, "slowly", 0.01)
    assert ask(supervisor, "again") == "3: again"
    assert supervisor.report().starts == 1


def test_loading_is_waited_for_until_the_deadline(start):
    supervisor = start("deaf")
    with pytest.raises(TimedOut, match="still loading") as caught:
        ask(supervisor, seconds=0.05)
    assert (caught.value.retryable, caught.value.called) == (True, False)
    assert supervisor.report().state == "loading"


def test_a_worker_stuck_in_loading_is_killed(start):
    with pytest.raises(Unavailable, match=r"died while loading \(signal 9\)"):
        ask(start("deaf", max_loading=0.1))


def test_a_worker_that_was_frozen_while_it_loaded_is_kept(start, clock):
    supervisor = start("deaf", "fine")
    clock.advance(10 * MAX_LOADING)
    with pytest.raises(TimedOut, match="still loading"):
        ask(supervisor, seconds=0.05)
    report = supervisor.report()
    assert (report.state, report.engine, report.starts, report.problem) == ("loading", "deaf", 1, "")


@pytest.mark.parametrize(
    ("engine", "problem"),
    [("damaged", "the file is damaged"), ("lingering", "the file is damaged"), ("aborting", "signal 6")],
)
def test_the_next_engine_is_tried(start, engine, problem):
    supervisor = start(engine, "fine")
    assert ask(supervisor) == "1: hello"
    report = supervisor.report()
    assert report.info["engine"] == "fine"
    assert engine in report.problem
    assert problem in report.problem


def test_the_last_words_of_a_native_library_are_told(start):
    with pytest.raises(Unavailable, match="ggml: assertion failed"):
        ask(start("aborting"))


def test_a_model_that_never_loads_is_tried_again_after_a_pause(start, clock):
    supervisor = start("damaged", "aborting")
    with pytest.raises(Unavailable, match=r"damaged.*aborting"):
        ask(supervisor)
    with pytest.raises(Unavailable):
        ask(supervisor)
    assert supervisor.report().starts == 2
    clock.advance(MAX_BACKOFF)
    with pytest.raises(Unavailable):
        ask(supervisor)
    assert supervisor.report().starts == 4


def test_a_worker_that_speaks_no_protocol_is_replaced(start):
    supervisor = start()
    with pytest.raises(Unavailable):
        ask(supervisor, "garbage")
    assert ask(supervisor) == "1: hello"


def test_chatter_on_standard_error_blocks_nothing(start):
    supervisor = start()
    assert ask(supervisor, "chatter") == "1: chatter"
    assert len(supervisor._child.last_words()) < 5000


def test_a_worker_that_cannot_start_is_unavailable(start):
    supervisor = start(command=Command(("/nowhere/python",), {}))
    with pytest.raises(Unavailable, match="does not start"):
        ask(supervisor)


def test_a_worker_without_a_thread_is_unavailable_and_leaves_nothing_behind(start, clock):
    before = descriptors()
    with no_more_threads():
        supervisor = start()
        with pytest.raises(Unavailable, match="no thread to give"):
            ask(supervisor)
    assert descriptors() == before
    clock.advance(MAX_BACKOFF)
    assert ask(supervisor) == "1: hello"


def test_a_question_larger_than_the_pipe_reaches_a_worker(start):
    assert ask(start(), "あ" * 200_000) == "1: " + "あ" * 200_000


def test_a_question_larger_than_the_pipe_does_not_hold_a_turn_beyond_its_deadline(start):
    supervisor = start()
    ask(supervisor)
    os.kill(supervisor.report().pid, signal.SIGSTOP)
    with pytest.raises(TimedOut):
        ask(supervisor, "あ" * 200_000, 0.1)
    assert ask(supervisor, "again") == "1: again"


def test_no_time_left_is_a_timeout(start):
    supervisor = start()
    ask(supervisor)
    with pytest.raises(TimedOut):
        ask(supervisor, seconds=0)


def test_work_ahead_reaches_this_worker_and_the_next(start):
    supervisor = start()
    ask(supervisor)
    supervisor.prepare({"prompt": {"text": "persona"}})
    assert supervisor.wait_prepared(Deadline.after(LONG))
    supervisor.prepare({"prompt": {"text": "persona"}})
    assert ask(supervisor) == "3: hello"
    with pytest.raises(Unavailable):
        ask(supervisor, "die")
    assert ask(supervisor) == "2: hello"


def test_closing_leaves_nothing_behind(start):
    before = descriptors()
    supervisor = start()
    ask(supervisor)
    pid = supervisor.report().pid
    supervisor.close()
    supervisor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert descriptors() == before
    with pytest.raises(Unavailable, match="closed"):
        ask(supervisor)


def test_many_lives_leak_no_descriptors(start):
    supervisor = start()
    ask(supervisor)
    before = len(descriptors())
    for _ in range(5):
        with pytest.raises(Unavailable):
            ask(supervisor, "die")
        ask(supervisor)
    assert len(descriptors()) == before


def test_a_turn_that_waits_is_told_when_the_model_is_closed(start):
    supervisor = start("deaf")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, supervisor)
        supervisor.close()
        with pytest.raises(Unavailable, match="closed"):
            waiting.result(LONG)


def test_a_worker_ends_when_its_parent_is_gone():
    command = worker_command(os.environ)
    with child(command.arguments, env=dict(command.environment), stdin=-1, stdout=-1, stderr=-1) as worker:
        worker.communicate(timeout=LONG)
        assert worker.returncode == 0


def test_a_worker_inherits_no_secret():
    command = worker_command({"PATH": "/usr/bin", "OPENAI_API_KEY": "secret", "AWS_SECRET_ACCESS_KEY": "secret"})
    assert "secret" not in command.environment.values()
    assert command.environment["PATH"] == "/usr/bin"
    assert command.arguments[0] == sys.executable
