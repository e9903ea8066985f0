"""Keeps what models answered when a golden was recorded, as YAML that a person can read and a diff shows well.

An answer belongs to a conversation, a turn and a model. It is played only while the request is the one that was
recorded; a request that changed makes it stale, and the parts of the request say what changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import Any

from engine.core.language import phrase
from engine.core.node import plain
from engine.core.plan import ModelRow
from engine.core.source import Problem
from engine.core.turn import Prompt
from engine.golden.writing import block, overwrite, scalar
from engine.pipeline.reading.compose import read_file

Key = tuple[str, int, str]
"""A conversation's name, a turn's number and a model's name."""

_PLACES = frozenset({"path"})
"""Settings that say where a file is on one machine: only its name counts."""
_COMMENT = "# What the models said when this was recorded: `misaki test --record` writes this file, nobody edits it.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """`request` holds a digest for each part of the request, `answer` the fields of a completion or of an error."""

    key: Key
    request: Mapping[str, str]
    user: str
    answer: Mapping[str, Any]


Cassette = Mapping[Key, Recording]


def request_digests(prompt: Prompt, row: ModelRow) -> dict[str, str]:
    """Makes a short digest of each part of a request; settings count by value, but files by their name only."""
    settings = {
        name: PurePath(str(value)).name if name in _PLACES and value is not None else value
        for name, value in row.settings.items()
    }
    return {
        "system": _digest(prompt.system),
        "examples": _digest([[example.user, example.reply] for example in (*prompt.examples, *prompt.near)]),
        "history": _digest([[message.role, message.text] for message in prompt.history]),
        "text": _digest(prompt.text),
        "labels": _digest([prompt.labels.user, prompt.labels.reply]),
        "settings": _digest([row.backend, sorted(settings.items())]),
    }


def changed_parts(recording: Recording, request: Mapping[str, str]) -> tuple[str, ...]:
    """The parts of the request that are not as they were when the answer was recorded."""
    return tuple(part for part, digest in request.items() if recording.request.get(part) != digest)


def read_cassette(path: Path) -> tuple[Cassette, list[Problem]]:
    """The cassette at `path`; an empty one where there is no file."""
    if not path.exists():
        return {}, []
    root, problems = read_file(path, path.as_posix())
    if root is None or problems:
        return {}, problems
    try:
        document = plain(root)
        recordings = [_recording(name, entry) for name, entries in document["recorded"].items() for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError):
        message = phrase("this is not a cassette, or one of another version")
        remedy = phrase("record it anew with `misaki test --record`")
        return {}, [Problem(code="P206", message=message, span=root.span, hint=remedy)]
    return {recording.key: recording for recording in recordings}, []


def write_cassette(path: Path, cassette: Cassette, order: Iterable[str]) -> None:
    """Writes the recordings by conversation, in `order`; without any, the file is removed."""
    if not cassette:
        path.unlink(missing_ok=True)
        return
    grouped: dict[str, list[str]] = {name: [] for name in order}
    for key in sorted(cassette, key=lambda key: (key[1], key[2])):
        one = cassette[key]
        fields = {"turn": key[1], "model": key[2], "user": one.user, **one.answer, "request": dict(one.request)}
        grouped.setdefault(key[0], []).append(block(fields, 4))
    lines = [_COMMENT, "version: 1\n", "recorded:\n"]
    for name, entries in grouped.items():
        lines += [f"  {scalar(name)}:\n", *entries] if entries else []
    overwrite(path, "".join(lines).encode("utf-8"))


def _recording(conversation: str, entry: Mapping[str, Any]) -> Recording:
    fields = dict(entry)
    key = (conversation, int(fields.pop("turn")), str(fields.pop("model")))
    user, request = str(fields.pop("user")), dict(fields.pop("request"))
    return Recording(key=key, request={name: str(value) for name, value in request.items()}, user=user, answer=fields)


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "x" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
