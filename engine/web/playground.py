"""The page at `/` to try a pipeline in the browser: it talks, and shows why each answer was given and not another.

Only the page itself, opened at this very machine, gets an answer: each call shows the token that the page was sent
with. Conversations are kept in memory, apart from the rooms. Files are written only for a caller that shows a second
token besides, which is printed at the start and stands in no page.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from engine.api import answer
from engine.api.answer import Behind, Log, failure
from engine.api.body import read_payload
from engine.api.chat import read_chat
from engine.api.errors import RequestError
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.response import Response, Send, error_payload, result_payload, to_json
from engine.api.turns import STREAMED, called_off, streamed
from engine.chat.explain import explain, explain_reply, explanation_to_json, why_not_to_json
from engine.chat.talk import next_turn
from engine.core.deadline import Deadline
from engine.core.events import ChatResult, Listen, ignore
from engine.core.language import said, spoken
from engine.core.plan import Plan, Reply
from engine.core.ports import RoomStore
from engine.core.record import record, replace
from engine.core.source import Problem
from engine.core.turn import ChatRequest
from engine.matching.index import TriggerIndex
from engine.text.normalise import steps
from engine.web.talks import Talks, Watched
from engine.web.workbench import PARTS, Change, NotPossible, Said, golden_of_talk, problem_to_json, reply_with

TOKEN = "x-playground-token"  # noqa: S105  the name of the header
PEN = "x-playground-pen"
"""The header with the token that lets a call write."""
SHOWN = 40
"""Candidates of a turn that are sent."""
YEARS = range(1970, 2100)
"""Years that the clock may be set to."""

_POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Bot(answer.Bot, Protocol):
    """What the page needs of the application."""

    @property
    def plan(self) -> Plan: ...
    @property
    def zone(self) -> ZoneInfo: ...
    def reply(
        self,
        request: ChatRequest,
        deadline: Deadline | None = None,
        listen: Listen = ignore,
        rooms: RoomStore | None = None,
    ) -> ChatResult: ...


@record
class News:
    """What became of an edit while the page was open; `problems` are the mistakes for which it was not taken over."""

    number: int
    text: str
    problems: tuple[Problem, ...]
    taken: bool


class Playground:
    """Answers the page and its calls; `token` is what they have to show, and `pen` those that write a file."""

    def __init__(self, app: Bot, policy: Policy, log: Log, pipeline: Path) -> None:
        self.token, self.pen = os.urandom(24).hex(), os.urandom(24).hex()
        self._app, self._policy, self._log, self._pipeline = app, policy, log, pipeline
        self._talks = Talks()
        self._news: deque[News] = deque(maxlen=20)
        self._calls: Mapping[str, Callable[[Request, Mapping[str, Any]], Response]] = {
            "turn": lambda _request, payload: self._turn(payload),
            "explain": lambda _request, payload: self._json(200, self._explain(payload)),
            "replies": lambda _request, _payload: self._json(200, self._replies()),
            "fork": lambda _request, payload: self._json(200, {"branch": self._talks.fork(_turn_of(payload))}),
            "news": lambda _request, payload: self._json(200, self._told(payload)),
            "golden": lambda request, payload: self._changed(request, payload, self._golden(payload)),
            "edit": lambda request, payload: self._changed(request, payload, self._edit(payload)),
        }

    def hear(self, text: str, problems: Sequence[Problem] = (), *, taken: bool) -> None:
        """Keeps what became of an edit, until the page asks."""
        number = self._news[-1].number + 1 if self._news else 1
        self._news.append(News(number=number, text=text, problems=tuple(problems), taken=taken))

    def page(self) -> Response:
        """The page with the token; no other page can read it, be shown around it or be called from it."""
        nonce = os.urandom(16).hex()
        shown = {"nonce": nonce, "token": self.token, "pipeline": escape(self._app.plan.name)}
        text = page_text("playground.html")
        for name, value in shown.items():
            text = text.replace("{{" + name + "}}", value)
        headers = {**_HEADERS, "Content-Type": "text/html; charset=utf-8"}
        return Response(
            status=200, headers={**headers, "Content-Security-Policy": _POLICY.format(nonce=nonce)}, body=text
        )

    def answer(self, request: Request) -> Response:
        """Raises `RequestError` for a call that is not the page's own, and for one that cannot be read."""
        self._check(request)
        call = self._calls.get(request.path.rpartition("/")[2])
        if call is None:
            raise RequestError(404, "path_unknown", "the playground has no such call")
        if request.method != "POST":
            raise RequestError(405, "method_not_allowed", "the playground takes POST", {"Allow": "POST"})
        began = time.monotonic()
        before = spoken.set("en")
        try:
            payload = read_payload(request)
            if payload.get("lang") == "ja":
                spoken.set("ja")
            return call(request, payload)
        except RequestError:
            raise
        except NotPossible as error:
            raise RequestError(409, "not_possible", said(str(error))) from None
        except Exception as error:  # noqa: BLE001  the page is told, and the log knows why
            failed = failure(error, self._policy, error_payload)
            self._note(request.path, failed.status, failed.record, began)
            return self._json(failed.status, failed.payload or {})
        finally:
            spoken.reset(before)

    def close(self) -> None:
        self._talks.close()

    def _check(self, request: Request) -> None:
        headers = request.headers
        own = request.local and headers.get("origin") == f"http://{headers.get('host', '')}"
        if not (own and _same(headers.get(TOKEN, ""), self.token)):
            message = "only the page at `/` of this server may call this, opened at this machine: load it again"
            raise RequestError(403, "playground_forbidden", message)

    def _turn(self, payload: Mapping[str, Any]) -> Response:
        """The turn as a stream of events, as `/chat` has it; its end tells besides how it can be explained."""
        from engine.api.event_stream import ChatEvents

        app, plan, began = self._app, self._app.plan, time.monotonic()
        request = replace(read_chat(payload).request, now=_moment(payload.get("now"), app.zone))
        branch = str(payload.get("branch", ""))
        store = self._talks.store(branch)
        rooms = Watched(store)

        def payload_of(result: ChatResult) -> tuple[int, Mapping[str, Any]]:
            status, told = result_payload(result, with_trace=True)
            if rooms.opened is not None and rooms.stored is not None:
                turn = next_turn(request, rooms.opened, app.zone, plan.memory)
                told["turn"] = self._talks.keep(branch, plan, turn, request, rooms.stored)
            return status, told | {"span": _span_of(plan, result.outcome.reply_id)}

        streaming = streamed(
            Behind(app=app, policy=self._policy, keeper=store),
            lambda gone, listen: app.reply(replace(request, streamed=True), called_off(None, gone), listen, rooms),
            payload_of,
            lambda send: ChatEvents(send, self._shown),
            error_payload,
        )

        def stream(send: Send, gone: threading.Event) -> None:
            if streaming.stream is not None:
                self._note("/playground/turn", 200, streaming.stream(send, gone), began)

        return Response(status=200, headers={**_HEADERS, "Content-Type": "text/event-stream"}, stream=stream)

    def _told(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """What became of edits since the news that the page has seen."""
        seen = payload.get("after", 0)
        news = [one for one in self._news if isinstance(seen, int) and one.number > seen]
        return _with_files(
            {
                "news": [
                    {
                        "number": one.number,
                        "text": one.text,
                        "taken": one.taken,
                        "problems": [problem_to_json(each) for each in one.problems],
                    }
                    for one in news
                ]
            }
        )

    def _golden(self, payload: Mapping[str, Any]) -> Change:
        talk = self._talks.until(_turn_of(payload))
        name = " ".join(str(payload.get("name") or talk[0].turn.text).split())[:200]
        said = [Said(turn=taken.turn, outcome=taken.stored.outcome) for taken in talk]
        return golden_of_talk(self._pipeline, self._app.plan, name, said, self._policy.secrets)

    def _edit(self, payload: Mapping[str, Any]) -> Change:
        reply, sentence = _reply(self._app.plan, payload.get("reply_id")), payload.get("sentence")
        part = next((part for part in PARTS if part == payload.get("part")), None)
        if part is None or not isinstance(sentence, str) or not sentence.strip():
            message = f"`part` must be one of {', '.join(PARTS)}, and `sentence` a text"
            raise RequestError(400, "edit_invalid", message)
        return reply_with(self._pipeline, reply.id, reply.span, part, " ".join(sentence.split())[:500])

    def _changed(self, request: Request, payload: Mapping[str, Any], change: Change) -> Response:
        """The change as it would be or, for one who has seen just this one and may write, as it was made."""
        wanted = payload.get("write")
        if wanted is not None:
            if not _same(request.headers.get(PEN, ""), self.pen):
                message = "open the address that `misaki serve` printed at its start: only that page may write files"
                raise RequestError(403, "playground_read_only", message)
            if wanted != change.digest or not change.sound:
                raise RequestError(409, "changed_meanwhile", "the file has changed meanwhile: look at the change again")
            change.write()
        told = {"path": change.path.as_posix(), "diff": change.diff, "problems": change.problems}
        written = {"digest": change.digest, "sound": change.sound, "written": wanted is not None}
        return self._json(200, _with_files({**told, **written}))

    def _explain(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """Why the turn got its answer or, where `reply_id` is named, not that one."""
        taken = self._talks.turn(_turn_of(payload))
        plan, turn, index = taken.plan, taken.turn, taken.plan.index
        if not isinstance(index, TriggerIndex):
            raise TypeError("a plan that is served has a trigger index")
        if payload.get("reply_id") is not None:
            found = why_not_to_json(explain_reply(plan, index, turn, _reply(plan, payload["reply_id"])))
            return _with_files({**found, "words_said": index.words(turn.text)})
        told = explanation_to_json(explain(plan, index, turn, steps(turn.text)))
        return _with_files({**told, "considered": told["considered"][:SHOWN]})

    def _replies(self) -> Mapping[str, Any]:
        replies = [
            {"id": reply.id, "says": reply.say[0].text.source if reply.say else ""} for reply in self._app.plan.replies
        ]
        return {"replies": replies}

    def _json(self, status: int, payload: Mapping[str, Any]) -> Response:
        headers = {**_HEADERS, "Content-Type": "application/json; charset=utf-8"}
        return Response(status=status, headers=headers, body=to_json(self._shown(_said(payload))))

    def _shown(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """`payload` without secrets; the page shows paths of files, so that an editor opens them."""
        shown: Mapping[str, Any] = self._policy.secrets.logged(payload, STREAMED)
        return shown

    def _note(self, path: str, status: int, about: Mapping[str, Any], began: float) -> None:
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        record = {"level": "info", "method": "POST", "path": path, "status": status, **about}
        self._log(self._policy.secrets.logged({**record, "milliseconds": milliseconds}, STREAMED))


def _said(value: Any) -> Any:
    """`value` with its phrases in the language of the page."""
    if isinstance(value, str):
        return said(value)
    if isinstance(value, Mapping):
        return {name: _said(one) for name, one in value.items()}
    return [_said(one) for one in value] if isinstance(value, (list, tuple)) else value


def _turn_of(payload: Mapping[str, Any]) -> str:
    return str(payload.get("turn"))


def _same(shown: str, token: str) -> bool:
    from hmac import compare_digest

    return compare_digest(shown.encode("latin-1", "replace"), token.encode())


@cache
def page_text(name: str) -> str:
    """A file of this package's `pages`."""
    return (files("engine.web") / "pages" / name).read_text(encoding="utf-8")


def script(request: Request, policy: Policy) -> Response:
    """The widget, which pages of any site may load; which may call, `ALLOWED_ORIGINS` says."""
    allowed = policy.allowed_origin(request.headers.get("origin", ""))
    headers = {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": "public, max-age=300",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Origin",
        **({"Access-Control-Allow-Origin": allowed} if allowed else {}),
    }
    return Response(status=200, headers=headers, body=page_text("widget.js"))


def _moment(value: Any, zone: ZoneInfo) -> datetime:
    """The time in `value`, the persona's where it names no zone; the present where there is none."""
    if value is None or value == "":
        return datetime.now(zone)
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.year not in YEARS:
        message = f"`now` must be a time such as 2026-11-20T19:30, from {YEARS.start} to {YEARS.stop - 1}"
        raise RequestError(400, "now_invalid", message)
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _reply(plan: Plan, name: Any) -> Reply:
    reply = next((one for one in plan.replies if one.id == name), None)
    if reply is None:
        raise RequestError(404, "reply_unknown", "the pipeline has no reply of this name")
    return reply


def _span_of(plan: Plan, reply_id: str | None) -> str | None:
    return next((str(reply.span) for reply in plan.replies if reply.id == reply_id), None)


def _with_files(told: Mapping[str, Any]) -> dict[str, Any]:
    """`told` and, for an editor to open, the full path of each file that it names and that is there."""
    names = sorted({place.rsplit(":", 2)[0] for place in _places(told)})
    return {**told, "files": {name: str(Path(name).resolve()) for name in names if Path(name).is_file()}}


def _places(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        for key, value in told.items():
            if key == "span":
                yield value
            else:
                yield from _places(value)
    elif isinstance(told, (list, tuple)):
        for value in told:
            yield from _places(value)
