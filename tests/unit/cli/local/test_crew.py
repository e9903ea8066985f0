"""Threads that take the lead from each other. The waits are for things to happen, not for time to pass."""

import threading
from collections.abc import Callable

import pytest

from engine.cli.local.crew import Crew

LONG = 30.0
"""Seconds that nothing here takes."""


class Tasks:
    """A crew that does the tasks it is given, and what became of each."""

    def __init__(self, size: int) -> None:
        self.done: list[str] = []
        self.late: list[str] = []
        self.leaders: set[int] = set()
        self._given: list[Callable[[], str]] = []
        self._changed = threading.Condition()
        self.crew: Crew[str] = Crew(self._serve, size=size, stuck=0.001)
        self.crew.start()

    def give(self, task: Callable[[], str]) -> None:
        with self._changed:
            self._given.append(task)
            self._changed.notify_all()

    def until(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, LONG)

    def _serve(self, term: int) -> None:
        self.leaders.add(threading.get_ident())
        while self.crew.leads(term):
            with self._changed:
                if not (self._given and self.crew.spare):
                    self._changed.notify_all()
                    self._changed.wait(0.01)
                    continue
                task = self._given.pop(0)
            result = self.crew.work(term, task, self._note_late)
            with self._changed:
                if result is not None:
                    self.done.append(result)
                self._changed.notify_all()

    def _note_late(self, result: str) -> None:
        self.late.append(result)


@pytest.fixture
def tasks():
    made = Tasks(3)
    yield made
    made.crew.stop()
    made.crew.join(LONG)


def stuck(on: threading.Event) -> Callable[[], str]:
    return lambda: str(on.wait(LONG))


def test_what_is_quick_is_done_by_the_leader(tasks):
    for number in range(50):
        tasks.give(lambda number=number: str(number))
    tasks.until(lambda: len(tasks.done) + len(tasks.late) == 50)
    assert sorted(tasks.done + tasks.late, key=int) == [str(number) for number in range(50)]


def test_a_leader_that_is_stuck_loses_the_lead_and_finishes(tasks):
    go_on = threading.Event()
    tasks.give(stuck(go_on))
    tasks.give(lambda: "quick")
    tasks.until(lambda: "quick" in tasks.done + tasks.late)
    assert tasks.crew.away
    go_on.set()
    tasks.until(lambda: "True" in tasks.late)
    tasks.until(lambda: tasks.crew.away == 0)
    assert len(tasks.leaders) > 1


def test_no_task_begins_when_nobody_could_take_the_lead(tasks):
    go_on = threading.Event()
    tasks.give(stuck(go_on))
    tasks.give(stuck(go_on))
    tasks.give(lambda: "later")
    tasks.until(lambda: not tasks.crew.spare)
    assert tasks.done == []
    go_on.set()
    tasks.until(lambda: len(tasks.done + tasks.late) == 3)
    assert sorted(tasks.done + tasks.late) == ["True", "True", "later"]


def test_threads_end():
    made = Tasks(3)
    made.crew.stop()
    made.crew.join(LONG)
    assert not any(thread.name.startswith("serve ") for thread in threading.enumerate())
