"""Answers as every call gives them to the service, and what calls share: who asks, how a failure is told, what of a
turn is logged: one record each, without the user's words unless `LOG_TEXT` asks for them.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import Stream
from engine.core.deadline import Deadline
from engine.core.digest import digest as digest_of
from engine.core.errors import EngineError, TurnConflict, TurnsUsedUp
from engine.core.events import ChatResult, Listen, ignore
from engine.core.record import field, record
from engine.core.turn import ANONYMOUS, ChatRequest, Principal
from engine.identity.gate import NotIdentified

if TYPE_CHECKING:
    from engine.conversations.records import RoomKeeper

Log = Callable[[Mapping[str, Any]], None]
"""Takes one record; must not raise."""


def digest(session_id: str) -> str:
    """Tells sessions apart in the logs without naming them."""
    return digest_of(session_id, 6).hex()


def describe(error: BaseException, *, with_text: bool) -> dict[str, Any]:
    """The type and the frames of an unforeseen error; its message may quote the user, so it needs `with_text`."""
    frames = traceback.extract_tb(error.__traceback__)
    record: dict[str, Any] = {
        "error": type(error).__name__,
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }
    if with_text or isinstance(error, EngineError):
        record["message"] = str(error)
    return record


WriteError = Callable[[RequestError], Mapping[str, Any]]
"""Makes the payload of a refusal, in the words of the protocol that was spoken."""


class Bot(Protocol):
    """What the API needs of the application; `masked` is a text as external models and logs may see it, `left` what a
    user has left of the day's limits: by whose they are, and `until` when, in seconds since 1970.
    """

    def reply(self, request: ChatRequest, deadline: Deadline | None, listen: Listen = ignore) -> ChatResult: ...
    def health(self) -> Mapping[str, Any]: ...
    def masked(self, text: str) -> str: ...
    def left(self, principal: Principal, until: Deadline) -> Mapping[str, Any] | None: ...


@record
class Answer:
    """`payload` becomes the body and `record` the log's; `said` are keys under which stand words that keep their paths.
    A `stream` runs the turn while it sends the body in parts, and returns its record.
    """

    status: int
    payload: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    said: Collection[str] | None = ()
    stream: Stream[Mapping[str, Any]] | None = None


@record
class Behind:
    """What answers requests."""

    app: Bot
    policy: Policy
    keeper: RoomKeeper


def identify(policy: Policy, request: Request, deadline: Deadline | None = None) -> Principal:
    """Who sends this request; raises `RequestError` where he does not show who he is."""
    if request.direct:
        return ANONYMOUS  # AWS itself let it in, and there are no headers to carry a token
    try:
        return policy.gate.identify(request.headers.get("authorization", ""), deadline)
    except NotIdentified as error:
        raise RequestError(error.status, error.code, str(error), _challenge(error)) from None


def _challenge(error: NotIdentified) -> Mapping[str, str]:
    """What tells a client what to do next (RFC 6750, 3)."""
    if error.status != 401:
        return {"Retry-After": "10"}
    is_first = error.code in {"token_missing", "authorization_invalid"}
    return {"WWW-Authenticate": "Bearer" if is_first else 'Bearer error="invalid_token"'}


def failure(error: Exception, policy: Policy, write: WriteError) -> Answer:
    if isinstance(error, TurnConflict):
        error = _conflict(error)
    if isinstance(error, TurnsUsedUp):
        error = RequestError(429, "turns_used_up", str(error), {"Retry-After": str(error.retry_after)})
    if isinstance(error, RequestError):
        return Answer(status=error.status, payload=write(error), headers=error.headers, record={"code": error.code})
    ours = RequestError(503, "internal", "something went wrong on our side")
    record = {"code": ours.code, **describe(error, with_text=policy.log_text)}
    return Answer(status=ours.status, payload=write(ours), headers={}, record=record)


def _conflict(conflict: TurnConflict) -> RequestError:
    if conflict.reason == "turn_key_reused":
        return RequestError(409, conflict.reason, "`turn_key` was used for another text: make a new one for each turn")
    message = "the first try of this turn is still running: send the same again in a moment"
    return RequestError(409, conflict.reason, message, {"Retry-After": "2"})
