"""Runs turns for the API: one answer in one piece, or one that is sent while it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Answer, Behind, WriteError, failure, identify
from engine.api.body import read_payload
from engine.api.chat import check_turn_key, read_chat
from engine.api.log import digest
from engine.api.policy import Policy
from engine.api.request import Request, address_of
from engine.api.response import ClientGone, Send, error_payload, public, result_payload
from engine.core.deadline import Deadline
from engine.core.events import ChatResult, Event, Listen, ModelFailed
from engine.core.record import replace

if TYPE_CHECKING:
    from engine.api.event_stream import EventWriter

STREAMED = frozenset({"reply", "message", "response", "session_id", "text", "content"})
"""Keys of an event under which stands what was said."""


def chat(behind: Behind, request: Request, deadline: Deadline | None) -> Answer:
    app, policy = behind.app, behind.policy
    principal = identify(policy, request, deadline)
    call = read_chat(read_payload(request))
    asked = replace(call.request, principal=principal, address=address_of(request, policy.proxies))
    check_turn_key(asked)
    with_trace = call.debug and policy.allow_debug
    if call.stream or "text/event-stream" in request.headers.get("accept", ""):
        from engine.api.event_stream import ChatEvents

        return streamed(
            behind,
            lambda listen: app.reply(asked, deadline, listen),
            lambda result: result_payload(result, with_trace=with_trace),
            lambda send: ChatEvents(send, lambda payload: public(payload, policy.secrets, STREAMED)),
            error_payload,
        )
    result = app.reply(asked, deadline)
    status, payload = result_payload(result, with_trace=with_trace)
    return Answer(status=status, payload=payload, record=turn_record(result, policy))


def streamed(
    behind: Behind,
    turn: Callable[[Listen], ChatResult],
    payload_of: Callable[[ChatResult], tuple[int, Mapping[str, Any]]],
    events_to: Callable[[Send], EventWriter],
    write_error: WriteError,
) -> Answer:
    """An answer whose turn runs while it is sent."""

    def stream(send: Send) -> Mapping[str, Any]:
        events, has_left = events_to(send), False

        def tell(event: Event) -> None:
            nonlocal has_left
            try:
                if not has_left:
                    events.tell(event)
            except ClientGone:
                # The turn goes on and is kept, so that a retry gets its answer.
                has_left = True

        try:
            result = turn(tell)
            about = turn_record(result, behind.policy)
            status, payload = payload_of(result)
            if not has_left:
                (events.end if status == 200 else events.fail)(payload)
        except ClientGone:
            has_left = True
        except Exception as error:  # noqa: BLE001  as for whole answers
            failed = failure(error, behind.policy, write_error)
            with suppress(ClientGone):
                events.fail(failed.payload or {})
            return {"level": "error" if failed.status >= 500 else "info", **failed.record}
        return {**about, "code": "client_gone"} if has_left else about

    return Answer(status=200, stream=stream)


def turn_record(result: ChatResult, policy: Policy) -> dict[str, Any]:
    outcome = result.outcome
    record: dict[str, Any] = {
        "engine": outcome.engine,
        "step": outcome.step,
        "reply_id": outcome.reply_id,
        "model": outcome.completion.model if outcome.completion else None,
        "escalations": [[escalation.step, escalation.reason] for escalation in outcome.escalations],
        "failures": [
            {key: getattr(event, key) for key in ("model", "name", "kind", "status", "code")}
            for event in outcome.trace
            if isinstance(event, ModelFailed)
        ],
        "session": digest(result.session_id),
    }
    if policy.log_text:
        record |= {"text": result.text, "reply": outcome.reply, "gap": outcome.is_gap}
        record["details"] = [escalation.detail for escalation in outcome.escalations]
    return record
