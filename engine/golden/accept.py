"""Rewrites expectations to what came, in the file itself: every byte that is not such an expectation stays.

Edits are made by the places that the reader knows, never by printing the file anew. What was written is read again
and compared before anything is saved.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.core.errors import EngineError
from engine.golden.edits import Source, apply, edits_of, place_of
from engine.golden.files import overwrite
from engine.golden.result import ConversationResult, Difference
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.node import Node, plain
from engine.pipeline.schema.golden import Expectation, golden_of


class NotWritten(EngineError):
    """A file could not be rewritten safely, and was left as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """`left` are the differences that only a person can settle."""

    files: tuple[Path, ...]
    accepted: tuple[Difference, ...]
    left: tuple[Difference, ...]


def accept(results: Iterable[ConversationResult]) -> Accepted:
    """Rewrite the files of `results`; stale turns are left, since what came of them belongs to another request."""
    by_file: dict[Path, list[Difference]] = {}
    for result in results:
        for turn in result.turns:
            if turn.differences and not turn.stale:
                by_file.setdefault(result.golden.path, []).extend(turn.differences)
    accepted: list[Difference] = []
    left: list[Difference] = []
    files: list[Path] = []
    for path, differences in by_file.items():
        done = rewrite(path, differences)
        accepted += done
        left += [difference for difference in differences if difference not in done]
        files += [path] if done else []
    return Accepted(files=tuple(files), accepted=tuple(accepted), left=tuple(left))


def rewrite(path: Path, differences: Iterable[Difference]) -> list[Difference]:
    """The differences that were accepted in the file at `path`.

    Raises:
        NotWritten: the file is no longer as it was when it was read, or cannot be edited by place.
    """
    data = path.read_bytes()
    bom, text = _split(data)
    source = Source.read(text, path.as_posix())
    wanted = [difference for difference in differences if difference.acceptable and source.is_alone(difference)]
    edits = [edit for difference in wanted for edit in edits_of(difference, source)]
    new = apply(source, edits)
    if not _is_as_wanted(path, text, new, wanted):
        raise NotWritten(f"{path.as_posix()}: its form does not allow to accept this: edit it by hand")
    overwrite(path, bom + new.encode("utf-8"))
    return wanted


def _split(data: bytes) -> tuple[bytes, str]:
    bom = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return bom, data[len(bom) :].decode("utf-8")


def _is_as_wanted(path: Path, old: str, new: str, wanted: Iterable[Difference]) -> bool:
    """Whether `new` expects what came, and everything else is as `old` has it."""
    before, after = compose(old, path.as_posix())[0], compose(new, path.as_posix())[0]
    if before is None or after is None or _without_expectations(before) != _without_expectations(after):
        return False
    values = {place_of(difference.expectation.span): difference.value for difference in wanted}
    expected = [(one.key, _settled(values.get(place_of(one.span), one.value))) for one in _expectations(path, before)]
    return expected == [(one.key, _settled(one.value)) for one in _expectations(path, after)]


def _expectations(path: Path, root: Node) -> list[Expectation]:
    golden, _ = golden_of(path, root)
    conversations = golden.conversations if golden else ()
    return [one for conversation in conversations for turn in conversation.turns for one in turn.expect]


def _without_expectations(root: Node) -> Any:
    document = plain(root)
    for conversation in document["conversations"]:
        for turn in conversation["turns"]:
            turn.pop("expect", None)
    return document


def _settled(value: Any) -> Any:
    """Wordings count in any order."""
    if isinstance(value, list) and value and all(isinstance(item, dict) and "times" in item for item in value):
        return sorted(value, key=lambda item: str(item["text"]))
    return value
