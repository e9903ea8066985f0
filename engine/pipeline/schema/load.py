"""Files to a typed spec: the pipeline, and the replies that its globs name."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from engine.core.record import replace
from engine.core.source import Located, Problem, Span
from engine.pipeline.reading.compose import read_file
from engine.pipeline.reading.files import is_outside, move_into, project_of
from engine.pipeline.reading.node import MAX_PROBLEMS, MappingNode, Node
from engine.pipeline.schema.advice import pipeline_meant
from engine.pipeline.schema.doubt import ALL, Doubt, Named
from engine.pipeline.schema.mend import mend
from engine.pipeline.schema.pipeline import (
    items,
    kind_specs,
    literal_values,
    mapping,
    pipeline_spec,
    reply_specs,
    texts,
)
from engine.pipeline.schema.shape import distinct
from engine.pipeline.spec import KindSpec, PipelineSpec, ReplySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What could be read of a pipeline; its spec is fit for a plan only where there are no errors among `problems`.

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
class RepliesFile:
    """The replies of one file as far as they can be read, and the problems of the file; the rest as in `Loaded`."""

    replies: tuple[ReplySpec, ...]
    problems: tuple[Problem, ...]
    lost: frozenset[Named] = ALL
    unsure: frozenset[Span] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindsFile:
    """The kinds of one file as far as they can be read, and the problems of the file; `lost` as in `Loaded`."""

    kinds: tuple[KindSpec, ...]
    problems: tuple[Problem, ...]
    lost: frozenset[Named] = ALL


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
            problems = [replace(problem, hint=f"did you mean `{meant.as_posix()}`?") for problem in problems]
        return Loaded(spec=None, problems=tuple(problems), files=(name,), lost=ALL)
    mended, found = mend(root, "pipeline")
    if mended is not None:
        whole, more = mend(mended, "pipeline", lambda node: literal_values(mapping(node)))
        mended, found = whole or mended, distinct((*found, *more))
    problems = [*problems, *found]
    files, unmatched = _named_files(mended or root, path, "replies")
    kind_files, more_unmatched = _named_files(mended or root, path, "kinds")
    unmatched += more_unmatched
    read = [read_replies(file) for file in files]
    kinds = [read_kinds(file) for file in kind_files]
    parts: list[RepliesFile | KindsFile] = [*read, *kinds]
    told = [*problems, *unmatched, *(problem for one in parts for problem in one.problems)]
    spec = None
    if mended is not None:
        replies = [reply for one in read for reply in one.replies]
        spec = pipeline_spec(mapping(mended), replies, [kind for one in kinds for kind in one.kinds])
    doubt = Doubt(mended or root, [*problems, *unmatched])
    return Loaded(
        spec=spec,
        problems=tuple(sorted(told, key=lambda problem: problem.sort_key)),
        files=(name, *(file.as_posix() for file in (*files, *kind_files))),
        lost=doubt.names().union(*(one.lost for one in parts)),
        sound_steps=not doubt.step_flow(),
        unsure=doubt.models().union(*(one.unsure for one in read)),
    )


def read_replies(path: Path) -> RepliesFile:
    """The replies of one file."""
    root, problems = read_file(path, path.as_posix())
    if [problem.code for problem in problems] == ["P112"]:
        # Somebody has begun a file: the others go on without it.
        begun = tuple(replace(problem, severity="warning") for problem in problems)
        return RepliesFile(replies=(), problems=begun, lost=frozenset())
    if root is None:
        return RepliesFile(replies=(), problems=tuple(problems))
    mended, found = mend(root, "replies")
    problems = [*problems, *found]
    # Where a limit was reached, what has no problem may only have none that was looked for.
    if mended is None or len(problems) >= MAX_PROBLEMS:
        return RepliesFile(replies=(), problems=tuple(problems))
    doubt = Doubt(mended, problems)
    return RepliesFile(
        replies=reply_specs(mapping(mended)),
        problems=tuple(problems),
        lost=doubt.reply_names(),
        unsure=doubt.replies(),
    )


def read_kinds(path: Path) -> KindsFile:
    """The kinds of one file."""
    root, problems = read_file(path, path.as_posix())
    if root is None:
        return KindsFile(kinds=(), problems=tuple(problems))
    mended, found = mend(root, "kinds")
    problems = [*problems, *found]
    if mended is None or len(problems) >= MAX_PROBLEMS:
        return KindsFile(kinds=(), problems=tuple(problems))
    lost = Doubt(mended, problems).kind_names()
    return KindsFile(kinds=kind_specs(mapping(mended)), problems=tuple(problems), lost=lost)


def _named_files(root: Node, path: Path, key: str) -> tuple[list[Path], list[Problem]]:
    """The files that the globs under `key` name, each once, in order of the globs and then of their names."""
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    project = project_of(path)
    listed = root.get(key) if isinstance(root, MappingNode) else None
    for pattern in texts(listed) if _all_scalars(listed) else ():
        matched = _matches(path.parent, pattern.value)
        outside = [file for file in matched if is_outside(file, project) and not file.is_dir()]
        found.update(dict.fromkeys(file for file in matched if file not in outside))
        if outside:
            problems.append(_outside(pattern, path))
        if not matched:
            message = f"no file matches `{pattern.value}`"
            hint = f"it is looked for in `{path.parent.as_posix()}`"
            problems.append(Problem(code="P301", message=message, span=pattern.span, hint=hint))
    return list(found), problems


def _outside(pattern: Located[str], pipeline: Path) -> Problem:
    message = f"`{pattern.value}` leads out of the pipeline's project, and nothing there is read"
    return Problem(code="P312", message=message, span=pattern.span, hint=move_into(pipeline))


def _all_scalars(node: Node | None) -> bool:
    return all(not hasattr(item, "entries") and not hasattr(item, "items") for item in items(node))


def _matches(folder: Path, pattern: str) -> list[Path]:
    try:
        names = glob.glob(os.path.join(glob.escape(str(folder)), pattern))  # noqa: PTH118, PTH207 - `..` may stand in it
    except (OSError, ValueError):
        return []
    return [Path(os.path.normpath(name)) for name in sorted(names)]
