"""`misaki explain`: tells why a text gets its reply.

Japanese letters take two cells each, so columns are laid out in cells. What is long has a line of its own: paths,
conditions and reasons in narrow columns are what makes a table hard to read.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.api.chat import read_chat
from engine.api.errors import RequestError
from engine.api.response import result_payload
from engine.app import App, load_app
from engine.chat.explain import Decision, Explanation, explain, explanation_to_json
from engine.cli.chat import summary
from engine.cli.env_file import Usage
from engine.cli.environment import add_pipeline, conversation_env, pipeline_path
from engine.cli.output import Terminal
from engine.core.events import ChatResult
from engine.core.language import phrase, said, tell
from engine.core.rooms import Learned, Visits
from engine.core.turn import ChatRequest, Turn, Visitor
from engine.golden.run import mentions
from engine.matching.index import TriggerIndex
from engine.pipeline.schema.advice import hint
from engine.steps.explaining import Considered
from engine.text.cleaning import clean
from engine.text.normalise import steps
from engine.validation.load import load

_COLOURS = {"chosen": "bold green", "refused": "red", "condition": "yellow", "too low": "dim", "passed over": "dim"}
_DAYS = (
    phrase("Monday"),
    phrase("Tuesday"),
    phrase("Wednesday"),
    phrase("Thursday"),
    phrase("Friday"),
    phrase("Saturday"),
    phrase("Sunday"),
)
_VERDICTS = {
    "chosen": phrase("chosen"),
    "refused": phrase("refused"),
    "condition": phrase("condition"),
    "too low": phrase("too low"),
    "passed over": phrase("passed over"),
}
_MARKS = {"chosen": "✓", "too low": " "}
SHOWN = 10
"""Triggers shown that reach the threshold; the rest are counted."""
SHOWN_BELOW = 5
"""Triggers shown that come near it."""

_WIDEST_NAME = 30
_INDENT = 12
"""Cells before the name of a reply: its mark and score."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    for part in _parts(explanation, console.width):
        console.print(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Cells for each column, and the folder that all places share where there is no room to repeat it."""

    name: int
    trigger: int
    folder: str


def _parts(explanation: Explanation, width: int) -> Iterator[RenderableType]:
    matching = [one for one in explanation.considered if one.verdict != "too low"]
    told = {one.reply_id for one in matching}
    below = [one for one in explanation.considered if one.verdict == "too low" and one.reply_id not in told]
    columns = _columns([*matching[:SHOWN], *below[:SHOWN_BELOW]], width)
    yield Text.assemble(
        (explanation.text, "bold"),
        tell("  on {day}, {now:%Y-%m-%d} at {now:%H:%M}", day=_DAYS[explanation.now.weekday()], now=explanation.now),
    )
    yield from _titled(tell("how the text is compared"), _stages(explanation))
    yield from _titled(tell("what is read in it"), _words(explanation))
    yield from _titled(tell("what kind of sentence it is"), _kind(explanation))
    none = Text(tell("  none"), "dim")
    yield from _titled(tell("replies that match"), _listed(matching, columns, SHOWN) if matching else iter([none]))
    near = tell("replies that come near: {threshold:g} is needed", threshold=explanation.threshold)
    yield from _titled(near, _listed(below, columns, SHOWN_BELOW))
    if columns.folder and explanation.considered:
        yield Text("\n" + tell("the files are in {folder}", folder=columns.folder), "dim")
    yield from _titled(tell("what external models see of it"), _masked(explanation))
    yield from _titled(tell("what the pipeline does"), _decisions(explanation.decisions))


def _titled(title: str, lines: Iterator[RenderableType]) -> Iterator[RenderableType]:
    """The lines below their title; nothing where there are none."""
    first = next(lines, None)
    if first is not None:
        yield from (Text(f"\n{title}", "underline"), first)
        yield from lines


def _stages(explanation: Explanation) -> Iterator[RenderableType]:
    """The text after each stage that changed something that can be seen."""
    rows = [(tell("as written"), explanation.text)]
    rows += [(said(name), text) for name, text in explanation.stages if text.strip()]
    changed = [row for place, row in enumerate(rows) if not place or row[1].strip() != rows[place - 1][1].strip()]
    width = max(cell_len(name) for name, _ in changed)
    for name, text in changed:
        yield Text.assemble("  ", (set_cell_size(name, width), "dim"), f"  {text.strip()}")


def _words(explanation: Explanation) -> Iterator[RenderableType]:
    rows = [(said(what), said(words)) for what, words in explanation.words]
    width = max((cell_len(what) for what, _ in rows), default=0)
    for what, words in rows:
        yield Text.assemble("  ", (set_cell_size(what, width), "dim"), f"  {words}")


def _kind(explanation: Explanation) -> Iterator[RenderableType]:
    kind = explanation.kind
    if kind is not None:
        yield Text.assemble(
            "  ", (kind.name, "bold"), tell("  {sure:.0%} sure, {second} is next", sure=kind.sure, second=kind.second)
        )
        if kind.why:
            yield Padding(
                Text(tell("because of {features}", features=", ".join(kind.why)), "dim"), (0, 0, 0, 2), expand=False
            )


def _masked(explanation: Explanation) -> Iterator[RenderableType]:
    """The text with its placeholders, and which rule found what; nothing where it has none."""
    if explanation.masks:
        yield Text(f"  {explanation.masked}")
    for rule, found in explanation.masks:
        yield Text.assemble("  ", (f"{rule:{max(len(name) for name, _ in explanation.masks)}}  {found}", "dim"))


def _listed(items: Sequence[Considered], columns: _Columns, shown: int) -> Iterator[RenderableType]:
    """Each with the words of its trigger, and why it got its verdict."""
    for one in items[:shown]:
        yield _line(one, columns)
        if one.words and one.verdict != "chosen":
            yield Padding(Text(tell("words: {words}", words=one.words), "dim"), (0, 0, 0, _INDENT), expand=False)
        why = said(one.why)
        if one.verdict != "too low":
            why = said(_VERDICTS[one.verdict]) + (f": {why}" if why else "")
        yield Padding(Text(why, _COLOURS[one.verdict]), (0, 0, 0, _INDENT), expand=False)
    if len(items) > shown:
        yield Text(" " * _INDENT + tell("and {count} more", count=len(items) - shown), "dim")


def _columns(items: Sequence[Considered], width: int) -> _Columns:
    name = min(max((cell_len(one.reply_id) for one in items), default=0), _WIDEST_NAME)
    trigger = max((cell_len(_trigger(one)) for one in items), default=0)
    room = width - _INDENT - name - 4
    longest = max((len(_where(one, "")) for one in items), default=0)
    folders = {PurePosixPath(one.span.file).parent.as_posix() for one in items}
    if trigger + longest <= room or len(folders) != 1:
        return _Columns(name=name, trigger=max(min(trigger, room - longest), 10), folder="")
    folder = folders.pop()
    longest = max(len(_where(one, folder)) for one in items)
    return _Columns(name=name, trigger=max(min(trigger, room - longest), 10), folder=folder)


def _line(one: Considered, columns: _Columns) -> Text:
    style = _COLOURS[one.verdict]
    return Text.assemble(
        (f"  {_MARKS.get(one.verdict, '×')} {one.score:5.1f}  ", style),
        (_fitted(one.reply_id, columns.name), style),
        f"  {_fitted(_trigger(one), columns.trigger)}  ",
        (_where(one, columns.folder), "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


def _trigger(one: Considered) -> str:
    return one.trigger if one.kind == "fuzzy" else f"{one.kind}: {one.trigger}"


def _where(one: Considered, folder: str) -> str:
    file = PurePosixPath(one.span.file).name if folder else one.span.file
    return f"{file}:{one.span.line}"


def _fitted(text: str, cells: int) -> str:
    """`text` in exactly so many cells, with a sign where something is cut."""
    return set_cell_size(text, cells) if cell_len(text) <= cells else set_cell_size(text, cells - 1) + "…"


def _decisions(items: Sequence[Decision]) -> Iterator[RenderableType]:
    width = max(cell_len(one.step) for one in items)
    for one in items:
        yield Text.assemble("  ", (_fitted(one.step, width), "dim"), ("  " + said(one.action), "bold"))
        if one.why:
            yield Padding(Text(said(one.why)), (0, 0, 0, width + 4), expand=False)
        for name, value in one.remembered.items():
            told = tell("remembers {name}: {value}", name=name, value=value)
            if value is None:
                told = tell("forgets {name}", name=name)
            yield Padding(Text(told, "cyan"), (0, 0, 0, width + 4), expand=False)


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
        reason = (error.strerror or str(error)).lower()
        raise ValueError(phrase("`{file}` cannot be read: {reason}", file=file, reason=reason)) from None
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
