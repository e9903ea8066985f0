"""Defines the exceptions of the engine. Escalation decides by type and fields, never by message text.

    EngineError
    ├── ConfigError          the YAML is wrong; carries every problem found
    ├── SettingsError        settings of the environment do not fit together, and nothing may start with them
    ├── SecretUnavailable    a reference to a secret cannot be followed
    ├── TurnError            a step could not finish its work in this turn
    ├── StoreFailed          rooms could not be read or written
    │   └── RoomsOff         there are none: no store is set
    ├── TurnConflict         a turn's key was used before, and its answer cannot be given
    ├── TurnsUsedUp          the turns of a day are; `retry_after` is in seconds
    ├── RoomUnknown          there is no such room, or it is another's
    ├── BadCursor            a position in a list that this store did not give
    └── BackendError         a model could not answer
        ├── Unavailable      not configured, not installed, not reachable, or the breaker is open
        │   ├── Malformed    the provider's answer is not in its wire format
        │   └── BudgetSpent  the money of a day does not suffice for the call
        ├── TimedOut         no answer before the deadline
        │   └── Cancelled    nobody waits for the answer any more
        ├── RateLimited      the provider asks for less; `retry_after` is in seconds
        ├── AuthFailed       the credentials were refused
        └── BadRequest       the request itself was refused
            ├── UnsupportedParameter   one that the engine sent, named by the provider
            ├── ContextTooLong
            └── Refused      the provider's own safety filter

Messages never contain a secret: they may reach logs, traces and clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.core.source import Problem, Span


class EngineError(Exception):
    """Anything this package raises on purpose."""


class ConfigError(EngineError):
    """The configuration does not load; `problems` holds every error, sorted by place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.sort_key))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SettingsError(EngineError):
    """Settings that nothing may start with; the message names the variable and the remedy, never a secret."""


class SecretUnavailable(EngineError):
    """A reference to a secret cannot be followed; the message names the variable and the reference, never a value."""


class TurnError(EngineError):
    """A step failed in one turn; `span` is the YAML that it ran."""

    def __init__(self, message: str, *, step_id: str, span: Span | None = None) -> None:
        self.step_id = step_id
        self.span = span
        super().__init__(message)


class StoreFailed(EngineError):
    """Rooms could not be read or written; the message holds no text of a conversation."""


class RoomsOff(StoreFailed):
    """This service keeps no rooms."""


class TurnConflict(EngineError):
    """A turn's key was used before: for another text (`turn_key_reused`) or by a try that runs (`turn_in_progress`)."""

    def __init__(self, reason: Literal["turn_key_reused", "turn_in_progress"]) -> None:
        self.reason = reason
        super().__init__(reason)


class TurnsUsedUp(EngineError):
    """Somebody has had all the turns of a day; the next one begins in `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("the turns of this day are used up")


class RoomUnknown(EngineError):
    """There is no such room, or it is another's."""


class BadCursor(EngineError):
    """A position in a list that this store did not give, or gave for another list."""


class BackendError(EngineError):
    """A model could not answer. `reason` is the name that escalations report, `kind` tells the cause more finely.

    `status` and `code` are the provider's; `called` is whether the model was asked at all; `model` is its name there.
    """

    reason = "error"
    kind = "failed"

    def __init__(  # noqa: PLR0913  what a provider tells, all of it named and optional
        self,
        message: str,
        *,
        backend: str,
        retryable: bool = False,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
        called: bool = True,
    ) -> None:
        self.backend = backend
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        self.code = code
        self.called = called
        self.model: str | None = None
        super().__init__(message)


class Unavailable(BackendError):
    """Not configured, not installed, not reachable, dead, or shut off by the circuit breaker."""

    kind = "unavailable"


class Malformed(Unavailable):
    """The provider answered, but not in its wire format: cut short, too large, not JSON, or without an answer."""

    kind = "malformed"


class BudgetSpent(Unavailable):
    """The money that is left of a day does not suffice for the call, which was not made."""

    reason = "budget"
    kind = "budget"


class TimedOut(BackendError):
    """No answer before the deadline."""

    reason = "timeout"
    kind = "timed_out"


class Cancelled(TimedOut):
    """Whoever asked has left, and the call was ended."""

    kind = "cancelled"


class RateLimited(BackendError):
    """The provider asks for fewer calls; `retry_after` says for how many seconds, where it said so."""

    kind = "rate_limited"


class AuthFailed(BackendError):
    """The credentials were refused (401, 403)."""

    kind = "auth_failed"


class BadRequest(BackendError):
    """The provider or the engine refused the request itself."""

    kind = "bad_request"


class UnsupportedParameter(BadRequest):
    """The model takes no such parameter or `value`; `parameters` are those that the refusal names."""

    parameters: frozenset[str] = frozenset()
    value: bool = False


class ContextTooLong(BadRequest):
    """Prompt and answer do not fit the model's context, even with no history."""

    kind = "context_too_long"


class Refused(BadRequest):
    """The provider's content filter refused."""

    reason = "refusal"
    kind = "refused"


def reason_of(error: OSError) -> str:
    """Why the system refused, for the middle of a sentence."""
    return (error.strerror or str(error)).lower()
