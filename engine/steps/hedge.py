"""Hedging: when a model is slow, the next one is asked beside it; the first good answer wins and the other call ends.

At most two models are asked at once. The call of the one that lost is called off: whatever it waits for ends at once,
so that no thread, socket or computation is left of it. Threads are few; where none is free, models are asked on the
turn's own thread, one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait

from engine.backends.bounded import Helpers
from engine.model.cancellation import Cancellation
from engine.model.deadline import Deadline
from engine.model.errors import TimedOut
from engine.model.record import record
from engine.model.turn import Completion
from engine.steps.asking import Asking, Attempt

LIMIT = 64
THREADS = Helpers(limit=LIMIT)
"""For all turns together."""

_GRACE = 0.02
"""Seconds for a model that answers, or says that it cannot, right at its deadline."""


def ask_hedged(asking: Asking, share: float) -> Attempt | None:
    """The first answer that is accepted. A model has `share` of its time to itself, then the next one is asked too."""
    race = _Race(asking, share)
    try:
        return next((attempt for attempt in race.attempts() if asking.accepts(attempt)), None)
    finally:
        race.stop()


@record
class _Call:
    """A model that is being asked; from `due` on, on its deadline's clock, the next one may be asked beside it."""

    model: str
    until: Deadline
    began: float
    due: float
    cancellation: Cancellation
    future: Future[Attempt]

    @property
    def seconds(self) -> float:
        return self.until.clock() - self.began


class _Race:
    def __init__(self, asking: Asking, share: float) -> None:
        self._asking = asking
        self._share = share
        self._calls: list[_Call] = []
        self._next = 0

    def attempts(self) -> Iterator[Attempt]:
        """What came of asking each, in the order in which it is known."""
        while self._calls or self._is_one_left:
            if self._is_due:
                self._start()
            for call in self._ended():
                self._calls.remove(call)
                yield call.future.result() if call.future.done() else self._given_up(call)

    def stop(self) -> None:
        for call in self._calls:
            answer = _answer(call)
            call.cancellation.cancel()
            self._asking.cancelled(call.model, call.seconds, answer)

    @property
    def _is_one_left(self) -> bool:
        return self._next < len(self._asking.models)

    @property
    def _is_due(self) -> bool:
        if not self._is_one_left or len(self._calls) > 1:
            return False
        return not self._calls or self._calls[0].until.clock() >= self._calls[0].due

    def _start(self) -> None:
        place = self._next
        self._next += 1
        model = self._asking.models[place]
        if self._calls:
            self._asking.hedged(self._calls[0].model, model, self._calls[0].seconds)
        cancellation = Cancellation()
        until = self._asking.until(place, beside=1).unless(cancellation)
        began = until.clock()
        future = THREADS.start(lambda: self._asking.ask(place, until), "misaki-hedge")
        if future is None:
            # It is asked alone now, so that those behind it need their time.
            until = self._asking.until(place).unless(cancellation)
            future = Future()
            future.set_result(self._asking.ask(place, until))
        self._calls.append(
            _Call(
                model=model,
                until=until,
                began=began,
                due=began + self._share * (until.at - began),
                cancellation=cancellation,
                future=future,
            )
        )

    def _ended(self) -> list[_Call]:
        """The calls that came to an end by when something is to be done; none where the next model is due."""
        wait([call.future for call in self._calls], self._patience(), FIRST_COMPLETED)
        ended = [call for call in self._calls if call.future.done()]
        overdue = all(call.until.passed for call in self._calls)
        return ended or (self._calls.copy() if overdue else [])

    def _patience(self) -> float:
        first = self._calls[0]
        if self._is_one_left and len(self._calls) == 1:
            return max(0.0, first.due - first.until.clock())
        return max(call.until.remaining() for call in self._calls) + _GRACE

    def _given_up(self, call: _Call) -> Attempt:
        """Models keep their deadlines; the turn does not depend on it."""
        call.cancellation.cancel()
        error = TimedOut(f"`{call.model}` did not answer by the deadline", backend=call.model)
        return Attempt(model=call.model, engine="external", result=error, seconds=call.seconds)


def _answer(call: _Call) -> Completion | None:
    """What a call that lost came to in the very moment that another won."""
    if not call.future.done() or call.future.exception() is not None:
        return None
    result = call.future.result().result
    return result if isinstance(result, Completion) else None
