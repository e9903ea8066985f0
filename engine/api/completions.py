"""Speaks OpenAI's protocol of chat completions, so that any front end that knows it can wear the persona.

A pipeline's name is a model. Parameters that steer a model, the client's system prompts and tools are left aside: the
pipeline decides. What front ends ask for themselves (titles, tags, follow-ups) is answered without any turn.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from engine.api.answer import Answer, Behind, identify
from engine.api.body import read_payload
from engine.api.chat import read_chat, read_flag
from engine.api.conversation import words_of
from engine.api.errors import RequestError
from engine.api.event_stream import CompletionEvents, EventWriter
from engine.api.request import Request, address_of
from engine.api.response import ClientGone, Send, escalation_payload, public, result_payload
from engine.api.turns import STREAMED, called_off, streamed, turn_record
from engine.core.deadline import Deadline
from engine.core.events import ChatResult, Listen, Sentence, TurnStarted
from engine.core.record import record, replace
from engine.core.turn import ChatRequest

if TYPE_CHECKING:
    from threading import Event

_CHORE = "### Task:"
_CHORES = ("title", "tags", "follow_ups", "queries", "text")
"""Keys of the JSON objects that front ends want; the first that a chore names is the one it is about."""
_CUT = frozenset({"length", "deadline", "interrupted"})
_FIRST_WORDS = re.compile(r"(?:^|\n)\s*(?:USER|User|user):\s*(.+)")
_TITLE = 40
"""Characters of a title."""


@record
class CompletionCall:
    """What a client asks for. `asked` is `None` for a chore of its own, whose finished answer `chore` is."""

    model: str
    asked: ChatRequest | None = None
    chore: str = ""
    stream: bool = False
    include_usage: bool = False


def models_payload(pipeline: str) -> dict[str, Any]:
    """The list of models: the pipeline that is served."""
    return {"object": "list", "data": [read_model(pipeline, pipeline)]}


def read_model(name: str, pipeline: str) -> dict[str, Any]:
    """The model called `name`; raises `RequestError` where another pipeline is served."""
    if name != pipeline:
        raise RequestError(404, "model_not_found", f"there is no such model here: `{pipeline}` is served")
    return {"id": pipeline, "object": "model", "created": 0, "owned_by": "misaki"}


def read_completion(payload: Mapping[str, Any], pipeline: str) -> CompletionCall:
    """The call in `payload`; raises `RequestError` for what cannot be served."""
    model = payload.get("model")
    if not isinstance(model, str):
        raise RequestError(400, "model_missing", "`model` must name the pipeline that is served: see `GET /v1/models`")
    read_model(model, pipeline)
    if payload.get("n") not in (None, 1):
        raise RequestError(400, "n_unsupported", "`n` must be 1: there is one reply to a turn")
    if payload.get("tool_choice", payload.get("function_call")) not in ("none", "auto", None):
        raise RequestError(
            400, "tool_choice_unsupported", "`tool_choice` must be `none` or `auto`: no tools are called"
        )
    messages = payload.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError(400, "messages_missing", "`messages` must be a list with at least one message")
    options = payload.get("stream_options")
    chore = _chore(messages)
    # Everything else in the body steers a model, which is the pipeline's to do.
    known = {name: payload[name] for name in ("messages", "metadata") if name in payload}
    return CompletionCall(
        model=model,
        asked=read_chat(known).request if chore is None else None,
        chore=chore or "",
        stream=read_flag("stream", payload.get("stream")),
        include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
    )


@record
class Completion:
    """Writes one answer, whole or in chunks: the role, the words, why they end, and the tokens where wanted."""

    id: str
    model: str
    created: int
    include_usage: bool

    @classmethod
    def of(cls, call: CompletionCall) -> Completion:
        identifier = f"chatcmpl-{os.urandom(12).hex()}"
        return cls(id=identifier, model=call.model, created=int(time.time()), include_usage=call.include_usage)

    def whole(self, result: ChatResult) -> dict[str, Any]:
        """The `chat.completion` of a turn that has a reply."""
        outcome = result.outcome
        done = outcome.completion
        finish = "length" if done is not None and done.finish_reason in _CUT else "stop"
        # Clients add tokens up: none for declared words and where nobody counted.
        prompt, written = (0, 0) if done is None else (done.prompt_tokens or 0, done.completion_tokens or 0)
        return {
            **self.said(outcome.reply or "", finish),
            "usage": {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written},
            "misaki": {
                "engine": outcome.engine,
                "step": outcome.step,
                "reply_id": outcome.reply_id,
                "escalations": [escalation_payload(one) for one in outcome.escalations],
                "session_id": result.session_id,
            },
        }

    def said(self, text: str, finish: str = "stop") -> dict[str, Any]:
        """A `chat.completion` that says `text` and took no turn."""
        message = {"role": "assistant", "content": text, "refusal": None}
        return {
            **self._head("chat.completion"),
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        }

    def begin(self) -> dict[str, Any]:
        return self._chunk({"role": "assistant", "content": ""})

    def words(self, text: str) -> dict[str, Any]:
        return self._chunk({"content": text})

    def end(self, whole: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The last chunks, by the `whole` answer."""
        extras = {"misaki": whole["misaki"]} if "misaki" in whole else {}
        yield self._chunk({}, whole["choices"][0]["finish_reason"], **extras)
        if self.include_usage:
            yield {**self._head("chat.completion.chunk"), "choices": [], "usage": whole["usage"]}

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None, **extras: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self.include_usage else {}
        return {**self._head("chat.completion.chunk"), "choices": [choice], **extras, **usage}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def error_object(error: RequestError) -> dict[str, Any]:
    """A refusal in OpenAI's words; `param` is the field that our code begins with."""
    kind = "server_error" if error.status >= 500 else "invalid_request_error"
    field = error.code.rpartition("_")[0] if error.status in (400, 413) else ""
    named = field if field in {"messages", "metadata", "model", "n", "stream", "tool_choice"} else None
    param = "model" if error.code == "model_not_found" else named
    return {"error": {"message": str(error), "type": kind, "param": param, "code": error.code}}


def _chore(messages: list[Any]) -> str | None:
    """The answer to what a front end asks for itself, as the JSON it wants; `None` for what a guest says."""
    last = messages[-1]
    text = words_of(last) if isinstance(last, Mapping) else None
    if text is None or not text.lstrip().startswith(_CHORE):
        return None
    places = {key: text.find(f'"{key}"') for key in _CHORES}
    wanted = (
        min((place, key) for key, place in places.items() if place >= 0)[1] if max(places.values()) >= 0 else "text"
    )
    if wanted == "title":
        return json.dumps({"title": _title(text)}, ensure_ascii=False)
    return json.dumps({wanted: "" if wanted == "text" else []})


def _title(text: str) -> str:
    """The guest's first words."""
    said = _FIRST_WORDS.search(text)
    words = " ".join(said[1].split()) if said else ""
    return words if len(words) <= _TITLE else words[: _TITLE - 1] + "…"


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
        return _answer_chore(completion.said(call.chore), events_to if call.stream else None)
    asked = replace(call.asked, principal=principal, address=address_of(request, policy.proxies))
    if call.stream:

        def turn(gone: Event, listen: Listen) -> ChatResult:
            return app.reply(replace(asked, streamed=True), called_off(deadline, gone), listen)

        return streamed(behind, turn, payload_of, events_to, error_object)
    result = app.reply(asked, deadline)
    status, written = payload_of(result)
    return Answer(status=status, payload=written, record=turn_record(result, policy), said=STREAMED)


def _answer_chore(payload: Mapping[str, Any], events_to: Callable[[Send], EventWriter] | None) -> Answer:
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
