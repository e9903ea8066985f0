"""What a provider's module prepares: its secrets, and how to load its SDK into something that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from engine.core.deadline import Deadline
from engine.core.record import field, record
from engine.core.turn import Completion, Prompt

if TYPE_CHECKING:
    from engine.models.providers.parameters import Parameters


Hear = Callable[[Completion], bool]
"""Takes an answer as far as it has come, and tells whether to go on."""


class Asker(Protocol):
    """A provider's SDK, loaded. `ask` sends one request through the call under way, with those of its `parameters` that
    are `sent`, and reads the answer, telling it to `hear`, if there is one, while it comes; `errors` are the SDK's own.
    """

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...
    @property
    def parameters(self) -> Parameters: ...
    def ask(
        self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any], hear: Hear | None = None
    ) -> Completion: ...


@record
class Opening:
    """`load` imports the SDK, and may raise `SettingError`; `secrets` are the values that no error may show."""

    load: Callable[[], Asker]
    secrets: tuple[str, ...] = field(repr=False)


SDK_SLIPS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, OSError)
"""What SDKs let through, besides their own errors, for settings, input or answers of a shape they did not expect."""
