"""Files to a typed spec: the pipeline, and the replies that its globs name."""

from __future__ import annotations

import glob
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.model.source import Problem
from engine.model.spec import PipelineSpec, ReplySpec
from engine.reading.files import read_file
from engine.reading.limits import MAX_PROBLEMS
from engine.reading.node import MappingNode, Node
from engine.schema.pipeline import literal_values, pipeline_spec
from engine.schema.replies import reply_spec
from engine.schema.shape import check_shape, check_values
from engine.schema.values import items, mapping, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What could be read of a pipeline; `complete` is false where replies with mistakes were left out of the spec."""

    spec: PipelineSpec | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliesFile:
    """The replies of one file that have no mistake in them, and the problems of the file."""

    replies: tuple[ReplySpec, ...]
    problems: tuple[Problem, ...]


def load_pipeline(path: Path) -> tuple[PipelineSpec | None, list[Problem]]:
    """The spec of a pipeline and its replies, or `None` with every mistake in their reading and shape.

    Spans name the files as `path` does: relative stays relative. No reference but `replies:` is followed.
    """
    loaded = read_pipeline(path)
    wrong = any(problem.severity == "error" for problem in loaded.problems)
    return None if wrong else loaded.spec, list(loaded.problems)


def read_pipeline(path: Path) -> Loaded:
    """As `load_pipeline`, but with a spec of what is right whenever the pipeline file itself is."""
    name = path.as_posix()
    root, problems = read_file(path, name)
    if root is None:
        return Loaded(spec=None, problems=tuple(problems), files=(name,), complete=False)
    problems = [*problems, *check_shape(root, "pipeline")]
    if not problems:
        problems = check_values(literal_values(mapping(root)), root, "pipeline")
    files, unmatched = _reply_files(root, path)
    read = [read_replies(file) for file in files]
    found = tuple(sorted((*problems, *unmatched, *(p for one in read for p in one.problems)), key=lambda p: p.sort_key))
    spec = None if problems else pipeline_spec(mapping(root), [reply for one in read for reply in one.replies])
    complete = not unmatched and not any(one.problems for one in read)
    return Loaded(spec=spec, problems=found, files=(name, *(file.as_posix() for file in files)), complete=complete)


def read_replies(path: Path) -> RepliesFile:
    """The replies of one file."""
    root, problems = read_file(path, path.as_posix())
    if root is None:
        return RepliesFile(replies=(), problems=tuple(problems))
    problems = [*problems, *check_shape(root, "replies")]
    # Where a limit was reached, what has no problem may only have none that was looked for.
    entries = root.get("replies") if isinstance(root, MappingNode) and len(problems) < MAX_PROBLEMS else None
    replies = tuple(reply_spec(mapping(node)) for node in _sound(items(entries), problems))
    return RepliesFile(replies=replies, problems=tuple(problems))


def _sound(nodes: Sequence[Node], problems: Sequence[Problem]) -> Iterator[Node]:
    """The nodes in which no problem stands."""
    places = sorted((problem.span.line, problem.span.column) for problem in problems)
    for node in nodes:
        span = node.span
        after = bisect_left(places, (span.line, span.column))
        if not node.flagged and (after == len(places) or places[after] >= (span.end_line, span.end_column)):
            yield node


def _reply_files(root: Node, path: Path) -> tuple[list[Path], list[Problem]]:
    """The files that the globs name, each once, in order of the globs and then of their names."""
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    listed = root.get("replies") if isinstance(root, MappingNode) else None
    for pattern in texts(listed) if _all_scalars(listed) else ():
        matched = _matches(path.parent, pattern.value)
        found.update(dict.fromkeys(matched))
        if not matched:
            message = f"no file matches `{pattern.value}`"
            hint = f"it is looked for in `{path.parent.as_posix()}`"
            problems.append(Problem(code="P301", message=message, span=pattern.span, hint=hint))
    return list(found), problems


def _all_scalars(node: Node | None) -> bool:
    return all(not hasattr(item, "entries") and not hasattr(item, "items") for item in items(node))


def _matches(folder: Path, pattern: str) -> list[Path]:
    try:
        names = glob.glob(os.path.join(glob.escape(str(folder)), pattern))  # noqa: PTH118, PTH207 - `..` may stand in it
    except (OSError, ValueError):
        return []
    return [Path(os.path.normpath(name)) for name in sorted(names)]
