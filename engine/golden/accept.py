"""Rewrites expectations to what came, in the file itself: every byte that is not such an expectation stays.

Edits are made by the places that the reader knows, never by printing the file anew. What was written is read again
and compared before anything is saved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, cast

from engine.core.errors import EngineError
from engine.core.language import phrase
from engine.core.node import MappingNode, Node, SequenceNode, plain
from engine.golden.editing import Edit, Source, place_of
from engine.golden.result import ConversationResult, Difference
from engine.golden.writing import Style, flow, overwrite, scalar
from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.golden import Expectation, golden_of

_HEAD = re.compile(r"[|>][-+0-9]*((?:[ \t]+#[^\r\n]*)?)")
"""Matches the head of a block of text; a comment may stand there."""
_BARE = re.compile(r"""\bexpect["']?\s*:\s*\Z""")
"""What stands before a reply that is expected without its key."""
_QUOTES: Mapping[str, Style] = {"'": "single", '"': "double"}


def edits_of(difference: Difference, source: Source) -> Iterator[Edit]:
    """Finds what to change so that the expectation is what came."""
    node, value = difference.expectation.node, difference.value
    match node:
        case SequenceNode():
            yield from _rewritten(node, value, source)
        case MappingNode() if difference.expectation.key == "similar":
            yield _replaced(cast("Node", node.get("to")), value["to"], source)
        case MappingNode():
            for entry in node.entries:
                if plain(entry.value) != value[entry.key.value]:
                    yield _replaced(entry.value, value[entry.key.value], source)
        case _ if value is None and _BARE.search(source.text, 0, source.between(node.span)[0]):
            yield Edit(source.begin(node), source.end(node), "{reply: null}")
        case _:
            yield _replaced(node, value, source)


def _replaced(node: Node, value: Any, source: Source) -> Edit:
    start, end = source.begin(node), source.end(node)
    old = source.text[start:end]
    head = _HEAD.match(old)
    comment = head[1] if head else ""
    if old[:1] == "|" and isinstance(value, str) and "\n" in value and value == value.strip():
        found = re.search(r"\n([ ]*)\S", old)
        indent = found[1] if found else "  "
        lines = [indent + line if line else "" for line in value.split("\n")]
        return Edit(start, end, source.newline.join([f"|-{comment}", *lines]))
    style = _QUOTES.get(old[:1], "plain")
    return Edit(start, end, scalar(value, style=style, flow=place_of(node.span) in source.in_flow) + comment)


def _rewritten(node: SequenceNode, value: list[Any], source: Source) -> Iterator[Edit]:
    """In a list of lines, the items that stay keep their place, and every item its comments."""
    start, end = source.begin(node), source.end(node)
    if source.text[start] == "[" or not value:
        # A list between the brackets' place and its key's column would not belong to the key.
        lead = "  " if source.text[start] != "[" else ""
        yield Edit(start, end, lead + flow(value))
        return
    items, between = node.items, source.newline + " " * (node.span.column - 1)
    before, after = [flow(plain(item)) for item in items], [flow(item) for item in value]
    for _, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        both = min(j - i, m - k)
        for item, old, new in zip(items[i:j], before[i:j], after[k:m], strict=False):
            if old != new:
                yield Edit(source.begin(item), source.end(item), new)
        added = [f"- {new}" for new in after[k + both : m]]
        if added and i + both:
            place = source.line_end(items[i + both - 1])
            yield Edit(place, place, "".join(between + item for item in added))
        elif added:
            yield Edit(start, start, "".join(item + between for item in added))
        gone = source.line_end(items[j - 1]) if i + both < j else start
        if gone > start and i + both:
            yield Edit(source.line_end(items[i + both - 1]), gone, "")
        elif gone > start:
            yield Edit(start, gone + len(source.text[gone:]) - len(source.text[gone:].lstrip()), "")


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
    source = Source.read(path)
    wanted = [
        difference
        for difference in differences
        if difference.acceptable and source.is_alone(difference.expectation.node)
    ]
    new = source.edited(edit for difference in wanted for edit in edits_of(difference, source))
    if not _is_as_wanted(path, source.text, new, wanted):
        raise NotWritten(
            phrase("{file}: its form does not allow to accept this: edit it by hand", file=path.as_posix())
        )
    overwrite(path, source.bom + new.encode("utf-8"))
    return wanted


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
