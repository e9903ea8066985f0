"""Writes golden files and cassettes as an editor would: quotes only where they must be, a file changed only whole."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from engine.core.events import Outcome
from engine.core.node import resolve, surprise
from engine.core.turn import Visitor
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


def block(fields: Mapping[str, Any], indent: int) -> str:
    """A list's item: one line a field, each value on its line; `indent` is where the dash stands."""
    lines = [
        f"{name}: {flow(value) if isinstance(value, Mapping | list) else scalar(value)}"
        for name, value in fields.items()
    ]
    first, *rest = lines
    return "\n".join([" " * indent + "- " + first, *(" " * (indent + 2) + line for line in rest)]) + "\n"


def _one_line(text: str) -> bool:
    return not re.search(r"[\n\r\t\x85\u2028\u2029]", text) and not UNPRINTABLE.search(text)


def _is_plain(text: str, *, flow: bool) -> bool:
    if not text or text != text.strip() or text[0] in _INDICATORS or not _one_line(text):
        return False
    if _UNSAFE.search(text) or (flow and _UNSAFE_IN_FLOW.search(text)) or text.startswith(("---", "...", "<<")):
        return False
    return resolve(text) == text and surprise(text) is None


_HEAD = "# yaml-language-server: $schema={schema}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTurn:
    """`clock` only where it is not the one of the turn before."""

    user: str
    expect: Mapping[str, Any]
    clock: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftConversation:
    name: str
    session: str
    clock: str
    turns: Sequence[DraftTurn]
    visitor: Visitor = field(default_factory=Visitor)
    env: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, Any] = field(default_factory=dict)


def golden_text(pipeline: str, conversations: Sequence[DraftConversation], schema: str | None = None) -> str:
    """The whole file; `pipeline` is relative to it, and so is `schema`, for editors that check while one types."""
    lines = [_HEAD.format(schema=schema)] if schema else []
    lines += ["version: 1\n", f"pipeline: {scalar(pipeline)}\n", "\nconversations:\n"]
    return "".join(lines) + "\n".join(_conversation(one) for one in conversations)


def expectation(outcome: Outcome) -> dict[str, Any]:
    """What is worth holding on to of a turn: the words, who said them, and why others did not."""
    expect: dict[str, Any] = {"reply": outcome.reply}
    if outcome.reply_id is not None:
        expect["reply_id"] = outcome.reply_id
    elif outcome.engine is not None:
        expect["engine"] = outcome.engine
    if outcome.remembered:
        expect["remembers"] = dict(outcome.remembered)
    if outcome.escalations:
        expect["escalations"] = [escalation.reason for escalation in outcome.escalations]
    return expect


def _conversation(one: DraftConversation) -> str:
    lines = [f"  - name: {scalar(one.name)}", f"    session: {scalar(one.session)}", f'    clock: "{one.clock}"']
    above = {"memory": one.visitor.memory, "visitor": _visitor(one.visitor), "env": one.env, "models": one.models}
    lines += [f"    {key}: {flow(value)}" for key, value in above.items() if value]
    lines.append("    turns:")
    for turn in one.turns:
        lines.append(f"      - user: {scalar(turn.user)}")
        lines += [f'        clock: "{turn.clock}"'] if turn.clock else []
        lines.append("        expect:")
        lines += [f"          {key}:{_value(value)}" for key, value in turn.expect.items()]
    return "\n".join(lines) + "\n"


def _visitor(visitor: Visitor) -> dict[str, Any]:
    """What is not as with somebody who comes for the first time."""
    usual = Visitor()
    names = ("visits", "days_away", "signed_in", "name")
    return {name: value for name in names if (value := getattr(visitor, name)) != getattr(usual, name)}


def _value(value: Any) -> str:
    """After a key's colon: lists of mappings an item a line, everything else on the key's line."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return "".join(f"\n            - {flow(item)}" for item in value)
    return " " + (flow(value) if isinstance(value, list | Mapping) else scalar(value))


def overwrite(path: Path, data: bytes) -> None:
    """Written aside first: on a full disk the old file stays. Raises `OSError` that names `path`."""
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
