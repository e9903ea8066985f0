"""Cassettes: what models answered when a golden was recorded, as YAML that a person can read and a diff shows well.

An answer belongs to a conversation, a turn and a model. It is played only while the request is the one that was
recorded; a request that changed makes it stale, and the parts of the request say what changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path, PurePath
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Cassette:
    recordings: Mapping[Key, Recording] = field(default_factory=dict)

    def find(self, key: Key) -> Recording | None:
        return self.recordings.get(key)

    def with_recordings(self, new: Iterable[Recording], keep: Iterable[Key]) -> Cassette:
        """These recordings replaced or added, and of the old ones those in `keep` only."""
        kept = {key: self.recordings[key] for key in keep if key in self.recordings}
        return Cassette({**kept, **{recording.key: recording for recording in new}})


def request_digests(prompt: Prompt, row: ModelRow) -> dict[str, str]:
    """A short digest of each part of a request; settings count by value, but files by their name only."""
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
        return Cassette(), []
    root, problems = read_file(path, path.as_posix())
    if root is None or problems:
        return Cassette(), problems
    try:
        document = plain(root)
        recordings = [_recording(name, entry) for name, entries in document["recorded"].items() for entry in entries]
    except (KeyError, TypeError, ValueError, AttributeError):
        message = "this is not a cassette, or one of another version"
        remedy = "record it anew with `misaki test --record`"
        return Cassette(), [Problem(code="P206", message=message, span=root.span, hint=remedy)]
    return Cassette({recording.key: recording for recording in recordings}), []


def write_cassette(path: Path, cassette: Cassette, order: Iterable[str]) -> None:
    """Writes the recordings by conversation, in `order`; without any, the file is removed."""
    if not cassette.recordings:
        path.unlink(missing_ok=True)
        return
    grouped: dict[str, list[Recording]] = {name: [] for name in order}
    for key in sorted(cassette.recordings, key=lambda key: (key[1], key[2])):
        grouped.setdefault(key[0], []).append(cassette.recordings[key])
    lines = [_COMMENT, "version: 1\n", "recorded:\n"]
    for name, entries in grouped.items():
        lines += [f"  {scalar(name)}:\n", *(block(_entry(one), 4) for one in entries)] if entries else []
    overwrite(path, "".join(lines).encode("utf-8"))


def _recording(conversation: str, entry: Mapping[str, Any]) -> Recording:
    fields = dict(entry)
    key = (conversation, int(fields.pop("turn")), str(fields.pop("model")))
    user, request = str(fields.pop("user")), dict(fields.pop("request"))
    return Recording(key=key, request={name: str(value) for name, value in request.items()}, user=user, answer=fields)


def _entry(recording: Recording) -> dict[str, Any]:
    return {
        "turn": recording.key[1],
        "model": recording.key[2],
        "user": recording.user,
        **recording.answer,
        "request": dict(recording.request),
    }


def _digest(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return "x" + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
