"""Answers the calls of OpenAI's protocol: models, and completions whole or as a stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Answer, Behind, identify
from engine.api.body import read_payload
from engine.api.completions import Completion, error_object, models_payload, read_completion, read_model
from engine.api.errors import RequestError
from engine.api.event_stream import CompletionEvents, EventWriter
from engine.api.request import Request, address_of
from engine.api.response import ClientGone, Send, public, result_payload
from engine.api.turns import STREAMED, called_off, streamed, turn_record
from engine.core.deadline import Deadline
from engine.core.events import ChatResult, Listen, Sentence, TurnStarted
from engine.core.record import replace

if TYPE_CHECKING:
    from threading import Event


def answer(behind: Behind, request: Request, path: str, parts: list[str], deadline: Deadline | None) -> Answer:
    app, policy = behind.app, behind.policy
    principal = identify(policy, request, deadline)
    pipeline = str(app.health()["pipeline"])
    if path == "/v1/models":
        return Answer(status=200, payload=models_payload(pipeline), said=None)
    if path == "/v1/models/{id}":
        payload = read_model(parts[-1], pipeline)
        return Answer(status=200, payload=payload, said=None)
    call = read_completion(read_payload(request), pipeline)
    completion = Completion.of(call)

    def payload_of(result: ChatResult) -> tuple[int, Mapping[str, Any]]:
        if result.outcome.reply is not None:
            return 200, completion.whole(result)
        status, why = result_payload(result, with_trace=False)
        return status, error_object(RequestError(status, why["code"], why["error"]))

    def events_to(send: Send) -> EventWriter:
        return CompletionEvents(send, lambda one: public(one, policy.secrets, STREAMED), completion)

    if call.asked is None:
        return _chore(completion.said(call.chore), events_to if call.stream else None)
    asked = replace(call.asked, principal=principal, address=address_of(request, policy.proxies))
    if call.stream:

        def turn(gone: Event, listen: Listen) -> ChatResult:
            return app.reply(replace(asked, streamed=True), called_off(deadline, gone), listen)

        return streamed(behind, turn, payload_of, events_to, error_object)
    result = app.reply(asked, deadline)
    status, written = payload_of(result)
    return Answer(status=status, payload=written, record=turn_record(result, policy), said=STREAMED)


def _chore(payload: Mapping[str, Any], events_to: Callable[[Send], EventWriter] | None) -> Answer:
    """What a front end asked for itself: no turn runs, and nothing of it is kept."""
    if events_to is None:
        return Answer(status=200, payload=payload, record={"code": "chore"}, said=STREAMED)

    def stream(send: Send, _gone: Event) -> Mapping[str, Any]:
        events = events_to(send)
        with suppress(ClientGone):
            events.tell(TurnStarted(session_id="", number=0))
            events.tell(Sentence(index=0, text=payload["choices"][0]["message"]["content"]))
            events.end(payload)
        return {"code": "chore"}

    return Answer(status=200, stream=stream)
