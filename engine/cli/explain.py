"""`misaki explain`: tells why a text gets its reply."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import MAXYEAR, MINYEAR, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from engine.api.chat import read_chat
from engine.api.errors import RequestError
from engine.api.response import result_payload
from engine.app import App, load_app
from engine.chat.explain import Explanation, explain, explanation_to_json
from engine.cli.chat import summary
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env, pipeline_path
from engine.cli.explanation import print_explanation
from engine.cli.output import Terminal
from engine.core.errors import reason_of
from engine.core.events import ChatResult
from engine.core.language import phrase, tell
from engine.core.rooms import Learned, Visits
from engine.core.turn import ChatRequest, Turn, Visitor
from engine.golden.run import mentions
from engine.matching.index import TriggerIndex
from engine.pipeline.schema.advice import hint
from engine.text.cleaning import clean
from engine.text.normalise import steps
from engine.validation.load import load

_SECONDS = 5.0
"""Seconds in which a store in memory takes what is pretended."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", metavar="TEXT", help="what a user says")
    parser.add_argument("--at", type=_moment, metavar="TIME", help="pretend it is this time, such as 2026-11-20T19:30")
    parser.add_argument("--session", metavar="FILE", help="a request as a client sends it: the conversation so far")
    parser.add_argument(
        "--memory", type=_known, metavar="NAME=VALUE", action="append", default=[], help="pretend this is remembered"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    parser.add_argument("--run", action="store_true", help="also take the turn, and really call the models")
    add_pipeline(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 with an explanation, 1 where `--run` got no answer, 2 where the text or the session cannot be read."""
    try:
        request = _request(arguments)
    except ValueError as error:
        raise Usage(str(error)) from None
    except RequestError as error:
        raise Usage(f"`{arguments.session}`: {error}" if arguments.session else str(error)) from None
    env = conversation_env(arguments)
    explanation = _explanation(request, env, dict(arguments.memory))
    goldens = mentions(request.text)
    ran = _run(request, env, dict(arguments.memory)) if arguments.run else None
    code = int(ran is not None and ran.outcome.reply is None)
    if arguments.format == "json":
        places = [{"conversation": one.conversation, "span": str(one.span)} for one in goldens]
        whole = (
            explanation_to_json(explanation)
            | {"goldens": places}
            | ({"ran": result_payload(ran, with_trace=True)[1]} if ran else {})
        )
        print(json.dumps(whole, ensure_ascii=False, indent=2))
        return code
    console = Terminal(wraps=True)
    print_explanation(explanation, console)
    for one in goldens:
        console.print(
            Text(tell("golden {place}: {conversation}", place=one.span, conversation=one.conversation), "dim"),
            soft_wrap=True,
        )
    if ran is not None:
        console.print(Text("\n" + tell("what came out"), "underline"))
        console.print(Text(f"  {ran.outcome.reply or tell('no step could answer')}", "bold"), soft_wrap=True)
        console.print(Text(summary(ran.outcome, ran.latency_ms), "dim"), soft_wrap=True)
    return code


def _explanation(request: ChatRequest, env: Mapping[str, str], memory: Mapping[str, str]) -> Explanation:
    plan = load(pipeline_path(env), env)
    for name in memory:
        if name not in plan.memory:
            remedy = hint(name, plan.memory) or phrase("it has none")
            raise Usage(phrase("--memory: the pipeline has no memory `{name}`: {remedy}", name=name, remedy=remedy))
    if not isinstance(plan.index, TriggerIndex):
        raise TypeError("a plan built from its sources has a trigger index")
    zone = ZoneInfo(plan.timezone)
    turn = Turn(
        text=request.text,
        now=datetime.now(zone) if request.now is None else _zoned(request.now, zone),
        session_id=request.session_id or "explain",
        number=sum(message.role == "user" for message in request.history) + 1,
        history=request.history,
        client=request.client,
        visitor=Visitor(memory=memory),
    )
    return explain(plan, plan.index, turn, steps(request.text))


def _zoned(moment: datetime, zone: ZoneInfo) -> datetime:
    """Puts a time into `zone`; one without a zone is the persona's."""
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(zone)


def _run(request: ChatRequest, env: Mapping[str, str], memory: Mapping[str, str]) -> ChatResult:
    app = load_app({**env, "SESSION_STORE": "memory"} if memory else env)
    try:
        zoned = request if request.now is None else replace(request, now=_zoned(request.now, app.zone))
        return app.reply(_introduced(zoned, app, memory) if memory else zoned)
    finally:
        app.close()


def _introduced(request: ChatRequest, app: App, memory: Mapping[str, str]) -> ChatRequest:
    """`request` in a room where `memory` is known."""
    room = request.session_id or "explain"
    now = (request.now or datetime.now(app.zone)).timestamp()
    known = {name: Learned(value, now) for name, value in memory.items()}
    app.rooms.on_rooms(lambda rooms: rooms.introduce(request.principal, room, known, Visits(seen=now)), _SECONDS)
    return replace(request, session_id=room)


def _request(arguments: argparse.Namespace) -> ChatRequest:
    """TEXT as the last entry of the conversation in `--session`, read and checked as a client's request."""
    if not clean(arguments.text):
        raise ValueError(phrase("TEXT is empty: expected what a user says"))
    payload: dict[str, Any] = {}
    if arguments.session:
        payload = _session(arguments.session)
    before = payload.pop("conversation", None) or payload.pop("messages", None) or []
    if not isinstance(before, list) or not payload.keys().isdisjoint(("input", "message")):
        raise ValueError(
            phrase(
                "`{file}` must hold what was said so far as a list, `conversation` or `messages`",
                file=arguments.session,
            )
        )
    payload["conversation"] = [*before, {"role": "user", "content": arguments.text}]
    return replace(read_chat(payload).request, now=arguments.at)


def _session(file: str) -> dict[str, Any]:
    try:
        payload = json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ValueError(phrase("`{file}` cannot be read: {reason}", file=file, reason=reason_of(error))) from None
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, dict):
        return payload
    raise ValueError(phrase("`{file}` must hold a JSON object, as a client sends it", file=file))


def _known(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not clean(value):
        raise argparse.ArgumentTypeError(tell("`{text}` is no memory: expected something like name=Ken", text=text))
    return name.strip(), clean(value)


def _moment(text: str) -> datetime:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        # The first and the last year are partly out of reach in another zone.
        if MINYEAR < moment.year < MAXYEAR:
            return moment
    raise argparse.ArgumentTypeError(tell("`{text}` is no time: expected something like 2026-11-20T19:30", text=text))
