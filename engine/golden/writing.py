"""Writes golden files and cassettes as an editor would: quotes only where they must be, a file changed only whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from engine.core.events import Outcome
from engine.core.node import resolve, surprise
from engine.core.record import field, record
from engine.core.turn import Visitor
from engine.models.secrets import Secrets
from engine.pipeline.reading.files import UNPRINTABLE

Style = Literal["plain", "single", "double"]

_INDICATORS = frozenset("-?:,[]{}#&*!|>'\"%@`")
_UNSAFE = re.compile(r": |:$| #|[\n\r\t\x85\u2028\u2029]")
_UNSAFE_IN_FLOW = re.compile(r"[,?\[\]{}]|:$")
_SPECIAL = re.compile("[\x7f\x85\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: object, *, style: Style = "plain", flow: bool = False) -> str:
    """`value` as a scalar, in `style` where it can stand so; `flow` inside brackets or braces."""
    if not isinstance(value, str):
        return json.dumps(value)
    if style == "single" and _one_line(value):
        return "'" + value.replace("'", "''") + "'"
    if style == "plain" and _is_plain(value, flow=flow):
        return value
    return _SPECIAL.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False))


def flow(value: object) -> str:
    """Any plain value on one line, lists and mappings in brackets and braces."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key), flow=True)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value, flow=True)


def entry(key: str, value: object) -> str:
    """Writes a key with its value on the same line."""
    return f"{key}: {flow(value) if isinstance(value, Mapping | list) else scalar(value)}"


def block(fields: Mapping[str, Any], indent: int) -> str:
    """Writes an item of a list, one line a field; `indent` is where the dash stands."""
    between = "\n" + " " * (indent + 2)
    return " " * indent + "- " + between.join(entry(key, value) for key, value in fields.items()) + "\n"


def _one_line(text: str) -> bool:
    return not re.search(r"[\n\r\t\x85\u2028\u2029]", text) and not UNPRINTABLE.search(text)


def _is_plain(text: str, *, flow: bool) -> bool:
    if not text or text != text.strip() or text[0] in _INDICATORS or not _one_line(text):
        return False
    if _UNSAFE.search(text) or (flow and _UNSAFE_IN_FLOW.search(text)) or text.startswith(("---", "...", "<<")):
        return False
    return resolve(text) == text and surprise(text) is None


@record
class WrittenTurn:
    """A turn as a golden has it; `clock` is written where it is not the one of the turn before."""

    user: str
    clock: str
    expect: Mapping[str, Any]
    models: Mapping[str, Any] = field(default_factory=dict)


def golden_text(pipeline: Path, path: Path, conversations: Iterable[str]) -> str:
    """The whole golden file at `path`."""
    shown = Path(os.path.relpath(pipeline, path.parent)).as_posix()
    return f"version: 1\npipeline: {scalar(shown)}\n\nconversations:\n" + "\n".join(conversations)


def conversation_text(name: str, session: str, turns: Sequence[WrittenTurn], above: Mapping[str, Any]) -> str:
    """A conversation in the form that an editor would give it; `above` are the keys before its turns."""
    clock = turns[0].clock
    lines = [f"  - name: {scalar(name)}", f"    session: {scalar(session)}", f'    clock: "{clock}"']
    lines += [f"    {key}: {flow(value)}" for key, value in above.items() if value]
    lines.append("    turns:")
    for turn in turns:
        lines.append(f"      - user: {scalar(turn.user)}")
        lines += [f'        clock: "{turn.clock}"'] if turn.clock != clock else []
        lines += [f"        models: {flow(turn.models)}"] if turn.models else []
        clock = turn.clock
        lines.append("        expect:")
        lines += [f"          {entry(key, value)}" for key, value in turn.expect.items()]
    return "\n".join(lines) + "\n"


def visitor_fields(visitor: Visitor) -> dict[str, Any]:
    """The keys that say who comes: nothing of what is as with somebody who was never here."""
    usual = Visitor()
    names = ("visits", "days_away", "signed_in", "name")
    unusual = {name: value for name in names if (value := getattr(visitor, name)) != getattr(usual, name)}
    return {"memory": visitor.memory, "visitor": unusual}


def expectation(outcome: Outcome, secrets: Secrets) -> dict[str, Any]:
    """What is worth holding on to of a turn: the words, who said them, and why others did not."""
    expect: dict[str, Any] = {"reply": None if outcome.reply is None else secrets.hide(outcome.reply)}
    if outcome.reply_id is not None:
        expect["reply_id"] = outcome.reply_id
    elif outcome.engine is not None:
        expect["engine"] = outcome.engine
    if outcome.remembered:
        expect["remembers"] = secrets.hide_all(outcome.remembered)
    if outcome.escalations:
        expect["escalations"] = [escalation.reason for escalation in outcome.escalations]
    return expect


def overwrite(path: Path, data: bytes) -> None:
    """Writes a file aside first, so that on a full disk the old one stays. Raises `OSError` that names `path`."""
    target = path.resolve()
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        aside.write_bytes(data)
        with suppress(FileNotFoundError):
            shutil.copymode(target, aside)
        aside.replace(target)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None
