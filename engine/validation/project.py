"""Everything that can be found wrong in a set of files: pipelines with their replies and prompts, and goldens.

This is `misaki validate` without its options and its printing. Files that no pipeline of the set uses are held
against the pipelines of the project that do use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.language import phrase
from engine.core.source import Problem
from engine.pipeline.reading.files import PIPELINES, Sources, at, inside, read_text
from engine.pipeline.schema.load import Loaded, read_part, read_pipeline
from engine.pipeline.schema.shape import Kind
from engine.pipeline.spec import PipelineSpec
from engine.validation.checks import BEHAVIOUR, ESSENTIAL, run
from engine.validation.checks.goldens import golden_problems
from engine.validation.file_kinds import SUFFIXES, is_cassette, kind_of
from engine.validation.remembered import run_remembered
from engine.validation.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """`files` are all that were looked at; `replies` counts those in them."""

    problems: tuple[Problem, ...]
    files: frozenset[str]
    replies: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What was found in one pipeline, and the prompts that were read."""

    problems: tuple[Problem, ...]
    files: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Collected:
    problems: dict[Problem, None] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    replies: int = 0
    readable: bool = True
    specs: dict[Path, PipelineSpec | None] = field(default_factory=dict)

    def spec(self, pipeline: Path) -> PipelineSpec | None:
        """The pipeline that a golden names, read once for all goldens."""
        key = pipeline.resolve()
        if key not in self.specs:
            self.specs[key] = read_pipeline(pipeline).named
        return self.specs[key]

    def add(self, problems: Iterable[Problem]) -> None:
        self.problems.update(dict.fromkeys(problems))


def files_below(paths: Iterable[Path]) -> list[Path]:
    """The YAML files that `paths` name or hold, each once, hidden ones left out."""
    found: dict[Path, None] = {}
    for path in paths:
        found_there = inside(sorted(path.rglob("*")), path) if path.is_dir() else [path]
        for file in found_there:
            hidden = any(part.startswith(".") for part in file.relative_to(path).parts) or is_cassette(file)
            if file == path or (file.suffix in SUFFIXES and not hidden and file.is_file()):
                found[file] = None
    return list(found)


def validate(paths: Sequence[Path], sources: Sources) -> Findings:
    """Every problem in the files that `paths` name or hold, sorted by place."""
    asked = files_below(paths)
    collected = _Collected()
    kinds = {file: _kind(file, collected) for file in asked}
    read = {problem.span.file for problem in collected.problems}
    loaded = [_pipeline(file, collected) for file, kind in kinds.items() if kind == "pipeline"]
    goldens = [file for file, kind in kinds.items() if kind == "golden"]
    collected.files.update(file.as_posix() for file in goldens)
    for found in (_checked(one, sources) for one in loaded):
        collected.add(found.problems)
        collected.files.update(found.files)
    for file in goldens:
        collected.add(golden_problems(file, collected.spec))
    rest = [
        file for file, kind in kinds.items() if kind in ("replies", "kinds") and file.as_posix() not in collected.files
    ]
    if rest:
        collected.add(_loose_parts(rest, kinds, sources, collected))
    for file, kind in kinds.items():
        if kind is None and file.as_posix() not in read | collected.files:
            collected.add([_unknown_kind(file)])
        collected.files.add(file.as_posix())
    if collected.readable and all(problem.code != "P308" for problem in collected.problems):
        collected.add(_unused_prompts(paths, collected.files))
    collected.add(_saved_as_text(paths))
    problems = tuple(sorted(collected.problems, key=lambda problem: problem.sort_key))
    return Findings(problems=problems, files=frozenset(collected.files), replies=collected.replies)


def _kind(file: Path, collected: _Collected) -> Kind | None:
    """The kind of `file`; one that nothing tells is reported only where no pipeline reads it either.

    What cannot be read may be a pipeline that uses the others.
    """
    text, problems = read_text(file, file.as_posix())
    collected.add(problems)
    collected.readable = collected.readable and text is not None
    return None if text is None else kind_of(file, text)


def _unknown_kind(file: Path) -> Problem:
    message = phrase("file is neither a pipeline, replies, kinds nor a golden")
    hint = phrase(
        "begin it with `version:` and `steps:`, with `replies:` or `kinds:`, or with `pipeline:` and `conversations:`"
    )
    return Problem(code="P302", message=message, span=at(file.as_posix(), 1, 1), hint=hint)


def _pipeline(file: Path, collected: _Collected) -> Loaded:
    loaded = read_pipeline(file)
    collected.add(loaded.problems)
    collected.specs[file.resolve()] = loaded.named
    collected.files.update(loaded.files)
    collected.replies += len(loaded.spec.replies) if loaded.spec else 0
    collected.readable = collected.readable and loaded.named is not None
    return loaded


def _checked(loaded: Loaded, sources: Sources) -> _Checked:
    if loaded.spec is None:
        return _Checked(problems=())
    subject = Subject(
        spec=loaded.spec,
        lost=loaded.lost,
        sound_steps=loaded.sound_steps,
        unsure=loaded.unsure,
        sources=sources,
    )
    # Where reading found a mistake, or lost a name, a check can only find what follows from it.
    told = {_place(problem) for problem in loaded.problems}
    unknown = tuple(f"unknown name `{name}" for name in loaded.lost)
    found = [*run((*ESSENTIAL, *BEHAVIOUR), subject), *run_remembered(subject)]
    return _Checked(
        problems=tuple(one for one in found if _place(one) not in told and not one.message.startswith(unknown)),
        files=frozenset(prompt.file for prompt in subject.prompts.values() if not prompt.is_missing),
    )


def _place(problem: Problem) -> tuple[str, int, int]:
    return problem.span.file, problem.span.line, problem.span.column


def _loose_parts(
    files: Sequence[Path], kinds: Mapping[Path, Kind | None], sources: Sources, collected: _Collected
) -> list[Problem]:
    """Problems of replies and kinds whose pipeline was not asked about: only those that stand in `files`."""
    names = {file.as_posix() for file in files}
    problems: list[Problem] = []
    used: set[str] = set()
    for pipeline in files_below([PIPELINES] if PIPELINES.is_dir() else []):
        loaded = read_pipeline(pipeline)
        if names & set(loaded.files):
            used |= names & set(loaded.files)
            found = [*loaded.problems, *_checked(loaded, sources).problems]
            problems.extend(problem for problem in found if problem.span.file in names)
    for file in files:
        collected.files.add(file.as_posix())
        read = read_part(file, "kinds" if kinds[file] == "kinds" else "replies")
        collected.replies += len(read.replies)
        if file.as_posix() not in used:
            # A pipeline with a mistake may have meant to use it.
            problems.extend((*read.problems, *([_unused(file, kinds[file])] if collected.readable else ())))
    return problems


def _unused(file: Path, kind: Kind | None) -> Problem:
    hint = phrase("list it under `{kind}:` of a pipeline, or delete it", kind=kind)
    return _idle("P512", phrase("no pipeline uses this file"), file, hint)


def _unused_prompts(paths: Sequence[Path], used: set[str]) -> list[Problem]:
    """Templates in the folders asked about that no step of their pipelines names."""
    folders = [path for path in paths if path.is_dir()]
    found = {file for folder in folders for file in folder.rglob("*.j2") if file.as_posix() not in used}
    hint = phrase("name it as the `prompt:` of a step, or delete it")
    return [_idle("P511", phrase("no step uses this prompt"), file, hint) for file in found]


def _saved_as_text(paths: Sequence[Path]) -> Iterator[Problem]:
    """Files of ours that an editor has saved under the name of a plain text, so that nothing reads them."""
    for file in sorted(file for path in paths if path.is_dir() for file in path.rglob("*.txt")):
        text, _ = read_text(file, file.as_posix())
        if text is not None and kind_of(Path(file.name), text) is not None:
            yield _idle("P512", phrase("no pipeline uses this file"), file, phrase("let its name end in `.yml`"))


def _idle(code: str, message: str, file: Path, hint: str) -> Problem:
    return Problem(code=code, message=message, span=at(file.as_posix(), 1, 1), severity="warning", hint=hint)
