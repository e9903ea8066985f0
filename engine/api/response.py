"""Results and errors as responses: status, headers and a JSON body, the same for every host."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request
from engine.chat.trace import trace_entries
from engine.core.events import ChatResult, Escalation, Outcome
from engine.core.record import record
from engine.core.turn import Completion
from engine.models.secrets import Secrets

if TYPE_CHECKING:
    from threading import Event

T = TypeVar("T")
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE, OPTIONS",
    # The star alone does not cover `Authorization`, and older browsers do not know it.
    "Access-Control-Allow-Headers": "*, Authorization, Content-Type",
    "Access-Control-Max-Age": "600",
}

_SAID = frozenset({"reply", "message", "response", "session_id"})
_NAMING = frozenset({"model", "trace"})

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str).encode


Send = Callable[[str], None]
"""Takes the next part of a stream; raises `ClientGone` where nobody reads any more."""


class ClientGone(Exception):
    """Whoever asked has left in the middle of a stream."""


Stream = Callable[[Send, "Event"], T]
"""Runs a turn while it sends the body in parts; a host sets the event when whoever asked has left."""


@record
class Response:
    """`body` is a text, empty where there is nothing to say. Where there is a `stream`, calling it runs the turn and
    sends the body in parts; a host that cannot pass on parts calls `whole`.
    """

    status: int
    headers: Mapping[str, str]
    body: str = ""
    stream: Stream[None] | None = None

    def whole(self) -> Response:
        """The same response with all of its body."""
        if self.stream is None:
            return self
        from threading import Event  # noqa: PLC0415  a plain answer needs none

        parts: list[str] = []
        self.stream(parts.append, Event())
        return Response(status=self.status, headers=self.headers, body="".join(parts))


def respond(  # noqa: PLR0913  a request, what it is answered, and what nobody may see of that
    request: Request,
    policy: Policy,
    status: int,
    payload: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    *,
    said: Collection[str] | None = (),
) -> Response:
    """The response with the headers that every one has: those for caches, for browsers and for other origins. No secret
    and no path of this machine is in it, but that what stands under keys in `said` keeps its paths; `None` stands for
    a payload that is the same for everybody.
    """
    every = {**_everywhere(request, policy), **headers}
    if payload is None:
        return Response(status=status, headers=every)
    every["Content-Type"] = "application/json; charset=utf-8"
    return Response(status=status, headers=every, body=to_json(public(payload, policy.secrets, said)))


def respond_in_parts(request: Request, policy: Policy, stream: Stream[None]) -> Response:
    """The response whose body is a stream of events. Proxies are asked not to hold it back."""
    every = {**_everywhere(request, policy), "Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    return Response(status=200, headers=every, stream=stream)


def _everywhere(request: Request, policy: Policy) -> dict[str, str]:
    return {**_cors(request, policy), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def public(payload: Mapping[str, Any], secrets: Secrets, said: Collection[str] | None) -> Mapping[str, Any]:
    """`payload` as anybody may see it. Beside the reply, a canned answer holds names of steps and replies alone."""
    if said is None:
        return payload
    is_answer = "reply" in payload
    is_canned = is_answer and _NAMING.isdisjoint(payload) and not payload.get("escalations")
    if is_canned and secrets.hide(payload["reply"]) == payload["reply"]:
        return payload
    shown: Mapping[str, Any] = secrets.public(payload, _SAID if is_answer else said)
    return shown


def refuse(request: Request, policy: Policy, error: RequestError) -> Response:
    """The response to a request that is turned down before any handler sees it."""
    return respond(request, policy, error.status, error_payload(error), error.headers)


def preflight() -> Mapping[str, str]:
    """What a browser wants to hear before it posts from another origin."""
    return _PREFLIGHT


def to_json(payload: Any) -> str:
    """JSON with Japanese as it is, without NaN and without lone surrogates."""
    try:
        text = _encode(payload)
    except ValueError:
        text = _encode(_finite(payload))
    return text.encode("utf-8", "replace").decode("utf-8")


def result_payload(result: ChatResult, *, with_trace: bool) -> tuple[int, dict[str, Any]]:
    """Status and body of a turn; 503 where no step answered."""
    outcome = result.outcome
    if outcome.reply is None:
        status, payload = 503, _no_answer(outcome)
    else:
        status, payload = 200, _answer(outcome, outcome.reply)
    payload["escalations"] = [escalation_payload(escalation) for escalation in outcome.escalations]
    payload["latency_ms"] = round(result.latency_ms, 1)
    payload["session_id"] = result.session_id
    if outcome.reply is not None:
        payload["stored"] = result.stored
    if result.replayed:
        payload["replayed"] = True
    if with_trace:
        payload["trace"] = list(trace_entries(outcome))
    return status, payload


def error_payload(error: RequestError) -> dict[str, Any]:
    return {"error": str(error), "code": error.code}


def _answer(outcome: Outcome, reply: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"reply": reply, "message": reply, "response": reply}
    payload |= {"engine": outcome.engine, "step": outcome.step}
    if outcome.reply_id is not None:
        payload["reply_id"] = outcome.reply_id
    if outcome.completion is not None:
        payload["model"] = outcome.completion.model
        payload["confidence"] = outcome.completion.confidence
        if outcome.completion.finish_reason == "interrupted":
            payload["finish_reason"] = "interrupted"
    payload["usage"] = _usage(outcome.completion)
    return payload


def _no_answer(outcome: Outcome) -> dict[str, Any]:
    tried = "; ".join(dict.fromkeys(map(_gave_up, outcome.escalations)))
    if not tried:
        return {"error": "no step of the pipeline answers this text", "code": "no_answer"}
    return {
        "error": f"no step could answer: {tried}; `GET /health` tells operators what models need",
        "code": "no_answer",
    }


def _gave_up(escalation: Escalation) -> str:
    model = f" with {escalation.model}" if escalation.model else ""
    return f"`{escalation.step}`{model} gave up ({escalation.reason})"


def _usage(completion: Completion | None) -> dict[str, Any]:
    """Tokens spent on the reply; `null` where the provider did not say."""
    if completion is None:
        return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    prompt, written = completion.prompt_tokens, completion.completion_tokens
    total = None if prompt is None or written is None else prompt + written
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": total}


def escalation_payload(escalation: Escalation) -> dict[str, Any]:
    entry = {"step": escalation.step, "reason": escalation.reason}
    return entry | ({"model": escalation.model} if escalation.model else {})


def _cors(request: Request, policy: Policy) -> dict[str, str]:
    allowed = policy.allowed_origin(request.headers.get("origin", ""))
    headers = {} if "*" in policy.origins else {"Vary": "Origin"}
    return headers | ({"Access-Control-Allow-Origin": allowed} if allowed else {})


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value
