"""Keeps one worker process answering: as many questions at once as it takes, each by its deadline, with a new process
when one is lost.

Its state lives under one condition variable. A worker is restarted at once after its first loss, then only when
somebody asks and a back-off has passed, so that a model that cannot load does not burn the machine.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Literal

from engine.core.deadline import Clock, Deadline
from engine.core.errors import Cancelled, TimedOut, Unavailable
from engine.core.record import record
from engine.models.local.worker.child import Child, Command
from engine.models.local.worker.protocol import Message
from engine.models.local.worker.restarts import Restarts

MAX_WAITING = 8
"""Turns that may wait for those before them; more are turned away at once."""

MAX_LOADING = 300.0
"""Seconds after which a worker that is still loading is taken for stuck."""

_MARGIN = 0.25
_MARGIN_SHARE = 0.1
_GRACE = 1.5
_TICK = 0.1

State = Literal["loading", "ready", "down", "closed"]


class _Exchange:
    """A question in flight: what came for it and was not taken yet. It is `over` when nothing more comes, `cancelled`
    when nobody waits for that; `loss` says how its worker ended.
    """

    __slots__ = ("cancelled", "child", "id", "loss", "messages", "over")

    def __init__(self, number: int, child: Child) -> None:
        self.id, self.child = number, child
        self.messages: deque[Message] = deque()
        self.cancelled = self.over = False
        self.loss = ""


@record
class Report:
    """What the supervisor tells about itself; `seconds` is how long it is in this state, `starts` counts processes."""

    state: State
    phase: str
    seconds: float
    starts: int
    load_seconds: float | None
    engine: str
    pid: int | None
    prepared: bool
    info: Mapping[str, Any]
    problem: str


class Supervisor:
    """Starts the first worker on construction, without waiting for it. `engines` are tried in this order."""

    def __init__(
        self,
        command: Command,
        engines: Sequence[str],
        order: Mapping[str, Any],
        clock: Clock = time.monotonic,
        max_loading: float = MAX_LOADING,
    ) -> None:
        self._command, self._order, self._clock, self._max_loading = command, order, clock, max_loading
        self._restarts = Restarts(engines, clock)
        self._changed = threading.Condition()
        self._state: State = "down"
        self._phase = ""
        self._since = clock()
        self._child: Child | None = None
        self._exchanges: dict[int, _Exchange] = {}
        self._info: Mapping[str, Any] = {}
        self._load_seconds: float | None = None
        self._ahead: Mapping[str, Any] | None = None
        self._prepared = False
        self._waiting = 0
        self._asked = 0
        self._starts = 0
        with self._changed:
            self._start()

    def ask(self, question: Mapping[str, Any], deadline: Deadline) -> Generator[Message, None, Message]:
        """What the worker says while it answers `question`, and at last its reply; no message is waited for beyond the
        deadline. Closing it cancels the question. Raises `TimedOut` and `Unavailable`.
        """
        with self._queue():
            exchange = self._begin(deadline)
        try:
            budget = deadline.remaining() - min(_MARGIN, deadline.remaining() * _MARGIN_SHARE)
            self._send({**question, "op": "generate", "id": exchange.id, "seconds": budget}, exchange.child, deadline)
            while (message := self._next(exchange, deadline))["event"] == "text":
                yield message
            return message
        finally:
            if not exchange.over:
                self._cancel(exchange)

    @property
    def busy(self) -> bool:
        """Whether somebody is being answered, or waits for it."""
        return bool(self._exchanges or self._waiting)

    def prepare(self, ahead: Mapping[str, Any]) -> None:
        """Have this and every later worker evaluate the beginning of a prompt while it has nothing else to do."""
        with self._changed:
            if ahead != self._ahead:
                self._ahead = ahead
                self._send_ahead()

    def wait_prepared(self, deadline: Deadline) -> bool:
        """Whether the worker has done what `prepare` asked for, waiting for it until the deadline."""
        with self._changed:
            self._changed.wait_for(lambda: self._prepared or self._state in {"down", "closed"}, deadline.remaining())
            return self._prepared

    def report(self) -> Report:
        with self._changed:
            return Report(
                state=self._state,
                phase=self._phase,
                seconds=self._clock() - self._since,
                starts=self._starts,
                load_seconds=self._load_seconds,
                engine=self._restarts.engine,
                pid=self._child.pid if self._child else None,
                prepared=self._prepared,
                info=self._info,
                problem=self._restarts.problem,
            )

    def close(self) -> None:
        """End the worker and wait until it is gone; may be called again."""
        with self._changed:
            child, self._child = self._child, None
            self._enter("closed")
        if child is not None:
            child.kill()
            child.join(5.0)

    # A turn

    @contextlib.contextmanager
    def _queue(self) -> Iterator[None]:
        with self._changed:
            if self._waiting >= MAX_WAITING:
                raise Unavailable(
                    "the model is busy and its queue is full", backend="local", retryable=True, called=False
                )
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1

    def _begin(self, deadline: Deadline) -> _Exchange:
        """Wait for a worker that is loaded and free, and take it."""
        with self._changed:
            if self._state == "down" and not self._restarts.wait:
                self._restarts.begin_anew()
                self._start()
            self._wait(self._free_or_hopeless, deadline)
            if self._state in {"closed", "down"}:
                raise self._down()
            if self._state == "loading":
                raise TimedOut(
                    f"the model is still loading ({self._phase})", backend="local", retryable=True, called=False
                )
            if not self._is_free() or self._child is None or deadline.passed:
                raise TimedOut("the model was busy until the deadline", backend="local", retryable=True, called=False)
            self._asked += 1
            self._exchanges[self._asked] = exchange = _Exchange(self._asked, self._child)
            return exchange

    def _send(self, message: Mapping[str, Any], child: Child, deadline: Deadline) -> None:
        try:
            child.send(message, deadline)
        except TimeoutError:
            pass  # the turn is over; what becomes of the worker is decided as for any late answer
        except OSError:
            child.kill()

    def _next(self, exchange: _Exchange, deadline: Deadline) -> Message:
        with self._changed:
            self._wait(lambda: bool(exchange.messages or exchange.over), deadline)
            if exchange.messages:
                return exchange.messages.popleft()
            if exchange.over:
                loss = exchange.loss or "closed"
                raise Unavailable(f"the model worker was lost: {loss}", backend="local", retryable=True)
        raise TimedOut("the model did not answer by the deadline", backend="local", retryable=True)

    def _wait(self, done: Callable[[], bool], deadline: Deadline) -> None:
        """Wait until something is `done`, or until the deadline; raises `Cancelled` when nobody waits any more."""
        while not self._changed.wait_for(done, deadline.patience()) and deadline.gone is not None:
            if deadline.passed:
                break
        if deadline.cancelled:
            raise Cancelled("nobody waits for the answer any more", backend="local")

    def _cancel(self, exchange: _Exchange) -> None:
        """Tell the worker that nobody waits any more; one that does not confirm it is taken for stuck."""
        exchange.cancelled = True
        self._send({"op": "cancel", "id": exchange.id}, exchange.child, Deadline.after(_TICK))
        self._expect(exchange.child, lambda: exchange.over, _GRACE)

    def _free_or_hopeless(self) -> bool:
        return self._state in {"down", "closed"} or (self._state == "ready" and self._is_free())

    def _is_free(self) -> bool:
        """Whether the worker takes another question; one that does not confirm a cancellation may be stuck."""
        if any(exchange.cancelled for exchange in self._exchanges.values()):
            return False
        return len(self._exchanges) < int(self._info.get("parallel", 1))

    def _expect(self, child: Child, done: Callable[[], bool], seconds: float) -> None:
        """Have `child` killed unless it is `done` by then. Time is counted in ticks: a machine that was suspended
        meanwhile does not use it up.
        """

        def watch() -> None:
            for _ in range(round(seconds / _TICK)):
                with self._changed:
                    if self._changed.wait_for(done, _TICK):
                        return
            child.kill()

        with contextlib.suppress(RuntimeError):  # the system has no thread to give
            threading.Thread(target=watch, name="model patience", daemon=True).start()

    def _down(self) -> Unavailable:
        if self._state == "closed":
            return Unavailable("the model is closed", backend="local", called=False)
        wait = round(self._restarts.wait, 1)
        return Unavailable(self._restarts.problem, backend="local", retryable=True, retry_after=wait, called=False)

    # A worker's life; every method below is called with the lock held, but the two callbacks

    def _start(self) -> None:
        self._starts += 1
        self._enter("loading", "starting the worker")
        try:
            self._child = child = Child(self._command, self._on_message, self._on_exit)
            self._expect(child, lambda: self._child is not child or self._state != "loading", self._max_loading)
            child.send({**self._order, "engine": self._restarts.engine}, Deadline.after(5.0))
        except BrokenPipeError:
            return
        except OSError as error:
            if self._child:
                self._child.kill()
            self._child = None
            self._restarts.note(f"the worker does not start: {error.strerror or error}")
            self._restarts.back_off()
            self._enter("down")

    def _send_ahead(self) -> None:
        if self._state == "ready" and self._child is not None and self._ahead is not None:
            self._prepared = False
            try:
                self._child.send({**self._ahead, "op": "prepare"}, Deadline.after(_TICK))
            except OSError:
                self._child.kill()

    def _on_message(self, child: Child, message: Message) -> None:
        with self._changed:
            if child is not self._child:
                return
            match message.get("event"):
                case "phase":
                    self._phase = str(message.get("phase"))
                case "ready":
                    self._load_seconds = self._clock() - self._since
                    self._info = {key: value for key, value in message.items() if key != "event"}
                    self._restarts.clear()
                    self._enter("ready")
                    self._send_ahead()
                case "prepared":
                    self._prepared = True
                    self._restarts.clear()
                    if "problem" in message:
                        self._restarts.note(str(message["problem"]))
                    self._changed.notify_all()
                case "failed":
                    self._restarts.note(str(message.get("message")))
                    # Native libraries may take their time to end, or never do.
                    child.kill()
                case "text" | "result" | "error" if exchange := self._exchanges.get(message.get("id", 0)):
                    exchange.messages.append(message)
                    if message["event"] != "text":
                        exchange.over = True
                        del self._exchanges[exchange.id]
                        self._restarts.answered()
                    self._changed.notify_all()

    def _on_exit(self, child: Child) -> None:
        with self._changed:
            if child is not self._child:
                return
            loading = self._state == "loading"
            words = child.last_words()
            loss = f"it died while {'loading' if loading else 'serving'} ({child.exit_words()}){words and f': {words}'}"
            self._child = None
            self._lose(loss)
            if self._restarts.lost_loading(loss) if loading else self._restarts.lost_serving(loss):
                self._start()
            else:
                self._enter("down")

    def _enter(self, state: State, phase: str = "") -> None:
        if state == "loading":
            self._info, self._prepared = {}, False
        self._state, self._phase, self._since = state, phase, self._clock()
        if state != "ready":
            self._lose("")
        self._changed.notify_all()

    def _lose(self, loss: str) -> None:
        for exchange in self._exchanges.values():
            exchange.over, exchange.loss = True, loss
        self._exchanges.clear()
