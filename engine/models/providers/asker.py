"""What a provider's module prepares: its secrets, and how to load its SDK into something that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.deadline import Deadline
from engine.core.record import field, record
from engine.core.turn import Completion, FinishReason, Prompt

if TYPE_CHECKING:
    from engine.models.providers.parameters import Parameters


@record
class Chunk:
    """A part of an answer that comes as a stream. `ended` is there in the last one that has words; tokens are counted
    where they are known, and `logs` are the logarithms of the probabilities of its own.
    """

    text: str = ""
    refused: bool = False
    ended: FinishReason | None = None
    logs: Sequence[Any] = ()
    prompt_tokens: int | None = None
    tokens: int | None = None


class Asker(Protocol):
    """A provider's SDK, loaded. `ask` sends one request through the call under way, with those of its `parameters` that
    are `sent`, and reads the answer; `open` does the same with a stream, whose chunks come later. `errors` are the
    SDK's own.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...
    @property
    def parameters(self) -> Parameters: ...
    def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion: ...
    def open(
        self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]
    ) -> AbstractContextManager[Iterable[Chunk]]: ...


@record
class Opening:
    """`load` imports the SDK, and may raise `SettingError`; `secrets` are the values that no error may show."""

    load: Callable[[], Asker]
    secrets: tuple[str, ...] = field(repr=False)


SDK_SLIPS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
"""What SDKs let through, besides their own errors, for settings, input or answers of a shape they did not expect."""
