"""Defines the protocols of models, indexes, renderers and stores that a turn uses."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from engine.core.deadline import Deadline
from engine.core.expression import Template
from engine.core.record import field, record
from engine.core.rooms import NewTurn, Opened, Replay
from engine.core.turn import ChatRequest, Completion, Engine, Piece, Principal, Prompt, Talk


class Candidate(Protocol):
    """A reply that a text may select: `reply` is its position in the plan, `score` runs from 0 to 100."""

    @property
    def reply(self) -> int: ...
    @property
    def trigger(self) -> int: ...
    @property
    def score(self) -> float: ...


class ReplyIndex(Protocol):
    """Finds the replies whose triggers match; best first, ties by priority, then by file order.

    `is_trigger` tells whether a text is a trigger word for word.
    """

    def candidates(self, text: str, threshold: float) -> Iterable[Candidate]: ...
    def is_trigger(self, text: str) -> bool: ...


class RepliesByText(Protocol):
    """Tells what the first reply that can say a text declares."""

    def find(self, text: str) -> Talk | None: ...


class SentenceKinds(Protocol):
    """Tells how likely a text is of each kind, likeliest first."""

    def chances(self, text: str) -> Mapping[str, float]: ...
    def reasons(self, text: str, kind: str, other: str) -> Sequence[tuple[str, float]]: ...


@record
class ModelStatus:
    """`detail` says which file or provider it is, or why it is not to be had, and what to do about it."""

    state: Literal["ready", "loading", "idle", "unavailable"]
    detail: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


class LanguageModel(Protocol):
    """A model behind any backend. `generate` raises only `BackendError` and returns by the deadline."""

    @property
    def engine(self) -> Engine: ...
    def generate(self, prompt: Prompt, deadline: Deadline) -> Completion: ...
    def status(self) -> ModelStatus: ...
    def close(self) -> None: ...


@runtime_checkable
class Preparing(Protocol):
    """A model that gains from knowing early how its prompts begin. `prepare` returns at once and never fails."""

    def prepare(self, prompt: Prompt) -> None: ...


@runtime_checkable
class Streaming(Protocol):
    """A model that gives its answer as it comes. The joined pieces are the text of the completion that the generator
    returns.

    It raises only `BackendError`, before or after a piece, and waits for no piece beyond the deadline; closing it
    cancels the call.
    """

    def stream(self, prompt: Prompt, deadline: Deadline) -> Generator[Piece, None, Completion]: ...


class Renderer(Protocol):
    """Renders a template over plain data by the deadline, or raises `ValueError` for the editor."""

    def render(self, template: Template, names: Mapping[str, Any], until: Deadline | None = None) -> str: ...


class RoomStore(Protocol):
    """Keeps rooms, and never fails a turn: a store that does not answer by the deadline costs the bot its memory, and
    the turn is not stored. `reserve` is what a turn should leave for storing it, in seconds.

    `open` waits for another try of the same turn as long as it may, then raises `TurnConflict`; `names` are those of
    the memory that the turn may use. `append` tells whether the turn is stored; `release` gives up a turn that has no
    answer.
    """

    @property
    def reserve(self) -> float: ...
    def open(self, request: ChatRequest, names: Collection[str], until: Deadline) -> Opened | Replay: ...
    def append(self, opened: Opened, turn: NewTurn, until: Deadline) -> bool: ...
    def release(self, opened: Opened, until: Deadline) -> None: ...
    def close(self) -> None: ...


class Hold(Protocol):
    """Money that is put aside for a call; it is free again by itself some time after the deadline."""

    def settle(self, completion: Completion | None) -> None:
        """Takes what the answer cost, all of it where that is not known, and nothing for `None`; never raises."""

    def lose(self) -> None:
        """Takes all of it: the call may have been paid for, and nobody knows. Never raises."""


class Purse(Protocol):
    """What may be spent on external models in one turn. `reserve` raises `BudgetSpent` where a call may cost more than
    is left, and returns `None` where nothing bounds it.
    """

    def reserve(self, model: str, prompt: Prompt, until: Deadline) -> Hold | None: ...


class Limiter(Protocol):
    """Counts turns and gives each its purse, or raises `TurnsUsedUp`; tells users what is left, or
    raises `StoreFailed`.
    """

    def admit(self, request: ChatRequest, room: str, until: Deadline) -> Purse: ...
    def left(self, principal: Principal, until: Deadline) -> Mapping[str, Any]: ...


@record
class Services:
    """The models, the renderer and the purse of a turn."""

    models: Mapping[str, LanguageModel]
    renderer: Renderer
    purse: Purse | None = None
