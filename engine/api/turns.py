"""Runs turns for the API: one answer in one piece, or one that is sent while it comes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Answer, Behind, WriteError, digest, failure, identify
from engine.api.body import read_payload
from engine.api.chat import check_turn_key, read_chat
from engine.api.policy import Policy
from engine.api.request import Request, address_of
from engine.api.response import ClientGone, Send, error_payload, public, result_payload
from engine.core.deadline import Deadline
from engine.core.errors import Cancelled
from engine.core.events import ChatResult, Listen, ModelFailed
from engine.core.events import Event as TurnEvent
from engine.core.record import replace

if TYPE_CHECKING:
    from threading import Event

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
            lambda gone, listen: app.reply(replace(asked, streamed=True), called_off(deadline, gone), listen),
            lambda result: result_payload(result, with_trace=with_trace),
            lambda send: ChatEvents(send, lambda payload: public(payload, policy.secrets, STREAMED)),
            error_payload,
        )
    result = app.reply(asked, deadline)
    status, payload = result_payload(result, with_trace=with_trace)
    return Answer(status=status, payload=payload, record=turn_record(result, policy))


def streamed(
    behind: Behind,
    turn: Callable[[Event, Listen], ChatResult],
    payload_of: Callable[[ChatResult], tuple[int, Mapping[str, Any]]],
    events_to: Callable[[Send], EventWriter],
    write_error: WriteError,
) -> Answer:
    """An answer whose turn runs while it is sent. A client that leaves ends it: what was said by then is kept."""

    def stream(send: Send, gone: Event) -> Mapping[str, Any]:
        events = events_to(send)
        about: Mapping[str, Any] = {"level": "info"}

        def tell(event: TurnEvent) -> None:
            try:
                if not gone.is_set():
                    events.tell(event)
            except ClientGone:
                gone.set()

        try:
            result = turn(gone, tell)
            about = turn_record(result, behind.policy)
            status, payload = payload_of(result)
            if not gone.is_set():
                (events.end if status == 200 else events.fail)(payload)
        except (ClientGone, Cancelled):
            gone.set()
        except Exception as error:  # noqa: BLE001  as for whole answers
            failed = failure(error, behind.policy, write_error)
            with suppress(ClientGone):
                events.fail(failed.payload or {})
            return {"level": "error" if failed.status >= 500 else "info", **failed.record}
        return {**about, "code": "client_gone"} if gone.is_set() else about

    return Answer(status=200, stream=stream)


def called_off(deadline: Deadline | None, gone: Event) -> Deadline:
    """`deadline`, if there is one, which has passed when `gone` is set."""
    return (deadline or Deadline(math.inf)).unless(gone)


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
