"""Loads the files of a pipeline as a typed spec: the pipeline itself, and the replies and kinds that its globs name."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.core.language import phrase
from engine.core.node import MAX_PROBLEMS, MappingNode, Node, ScalarNode, SequenceNode
from engine.core.record import replace
from engine.core.source import Problem, Span
from engine.pipeline.reading.compose import read_file
from engine.pipeline.reading.files import is_outside, move_into, project_of
from engine.pipeline.schema.advice import pipeline_meant
from engine.pipeline.schema.doubt import ALL, Doubt, Named
from engine.pipeline.schema.mend import mend
from engine.pipeline.schema.pipeline import kind_spec, literal_values, pipeline_spec, reply_spec
from engine.pipeline.schema.shape import distinct
from engine.pipeline.spec import KindSpec, PipelineSpec, ReplySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A pipeline as far as it could be read; its spec is fit for a plan only where there are no errors among
    `problems`.

    `lost` tells of what some names may be missing; `sound_steps` is false where a step may be another than was meant;
    `unsure` holds the spans of replies and models whose mistakes hide when they would be said, or what they lack.
    """

    spec: PipelineSpec | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...]
    lost: frozenset[Named] = frozenset()
    sound_steps: bool = True
    unsure: frozenset[Span] = frozenset()

    @property
    def named(self) -> PipelineSpec | None:
        """The spec for whoever asks what its parts are called; none where a name may be missing."""
        return None if self.lost else self.spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The replies or kinds of one file as far as they can be read, and its problems; the rest as in `Loaded`."""

    problems: tuple[Problem, ...]
    replies: tuple[ReplySpec, ...] = ()
    kinds: tuple[KindSpec, ...] = ()
    lost: frozenset[Named] = ALL
    unsure: frozenset[Span] = frozenset()


def load_pipeline(path: Path) -> tuple[PipelineSpec | None, list[Problem]]:
    """The spec of a pipeline and its replies, or `None` with every mistake in their reading and shape.

    Spans name the files as `path` does: relative stays relative. Only `replies:` and `kinds:` are followed.
    """
    loaded = read_pipeline(path)
    wrong = any(problem.severity == "error" for problem in loaded.problems)
    return None if wrong else loaded.spec, list(loaded.problems)


def read_pipeline(path: Path) -> Loaded:
    """As `load_pipeline`, but with a spec of whatever can be read."""
    name = path.as_posix()
    root, problems = read_file(path, name)
    if root is None:
        meant = None if path.is_file() else pipeline_meant(path)
        if meant is not None:
            problems = [
                replace(problem, hint=phrase("did you mean `{close}`?", close=meant.as_posix())) for problem in problems
            ]
        return Loaded(spec=None, problems=tuple(problems), files=(name,), lost=ALL)
    mended, found = mend(root, "pipeline")
    if mended is not None:
        whole, more = mend(mended, "pipeline", literal_values)
        mended, found = whole or mended, distinct((*found, *more))
    problems = [*problems, *found]
    files: list[Path] = []
    parts: list[Part] = []
    for key in ("replies", "kinds"):
        named: dict[Path, None] = {}
        problems += _named_files(mended or root, path, key, named)
        files += named
        parts += [read_part(file, key) for file in named]
    spec = None
    if mended is not None:
        replies = [reply for part in parts for reply in part.replies]
        spec = pipeline_spec(mended, replies, [kind for part in parts for kind in part.kinds])
    doubt = Doubt(mended or root, problems)
    found = [*problems, *(problem for part in parts for problem in part.problems)]
    return Loaded(
        spec=spec,
        problems=tuple(sorted(found, key=lambda problem: problem.sort_key)),
        files=(name, *(file.as_posix() for file in files)),
        lost=doubt.names().union(*(part.lost for part in parts)),
        sound_steps=not doubt.step_flow(),
        unsure=doubt.models().union(*(part.unsure for part in parts)),
    )


def read_part(path: Path, kind: Literal["replies", "kinds"]) -> Part:
    """The replies or the kinds of one file."""
    root, problems = read_file(path, path.as_posix())
    if kind == "replies" and [problem.code for problem in problems] == ["P112"]:
        # Somebody has begun a file: the others go on without it.
        begun = tuple(replace(problem, severity="warning") for problem in problems)
        return Part(problems=begun, lost=frozenset())
    mended = None
    if root is not None:
        mended, found = mend(root, kind)
        problems = [*problems, *found]
    # Where a limit was reached, what has no problem may only have none that was looked for.
    if mended is None or len(problems) >= MAX_PROBLEMS:
        return Part(problems=tuple(problems))
    doubt = Doubt(mended, problems)
    if kind == "kinds":
        kinds = tuple(map(kind_spec, mended.rows("kinds")))
        return Part(kinds=kinds, problems=tuple(problems), lost=doubt.kind_names())
    replies = tuple(map(reply_spec, mended.mappings("replies")))
    return Part(replies=replies, problems=tuple(problems), lost=doubt.reply_names(), unsure=doubt.replies())


def _named_files(root: Node, path: Path, key: str, files: dict[Path, None]) -> Iterator[Problem]:
    """Puts the files that the globs under `key` name into `files`, in order of the globs and then of their names."""
    project = project_of(path)
    listed = root.get(key) if isinstance(root, MappingNode) else None
    every = listed.items if isinstance(listed, SequenceNode) else ()
    patterns = [item.text for item in every if isinstance(item, ScalarNode)]
    for pattern in patterns if len(patterns) == len(every) else ():
        written, span = pattern.value, pattern.span
        matched = _matches(path.parent, written)
        outside = [file for file in matched if is_outside(file, project) and not file.is_dir()]
        files.update(dict.fromkeys(file for file in matched if file not in outside))
        if outside:
            message = phrase(
                "`{pattern}` leads out of the pipeline's project, and nothing there is read", pattern=written
            )
            yield Problem(code="P312", message=message, span=span, hint=move_into(path))
        if not matched:
            hint = phrase("it is looked for in `{folder}`", folder=path.parent.as_posix())
            message = phrase("no file matches `{pattern}`", pattern=written)
            yield Problem(code="P301", message=message, span=span, hint=hint)


def _matches(folder: Path, pattern: str) -> list[Path]:
    try:
        names = glob.glob(os.path.join(glob.escape(str(folder)), pattern))  # noqa: PTH118, PTH207 - `..` may stand in it
    except (OSError, ValueError):
        return []
    return [Path(os.path.normpath(name)) for name in sorted(names)]
