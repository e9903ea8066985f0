"""Finds golden files and runs them one conversation at a time: reads their pipelines once, keeps what is recorded."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.core.errors import ConfigError
from engine.core.language import phrase
from engine.core.plan import ModelRow, Plan
from engine.core.ports import Candidate, LanguageModel, ReplyIndex
from engine.core.source import Problem, Span
from engine.golden.cassette import Cassette, Recording, read_cassette, write_cassette
from engine.golden.play import Played, play
from engine.golden.result import ConversationResult
from engine.golden.stage import Settings
from engine.models.registry import open_model
from engine.pipeline.compile import build
from engine.pipeline.reading.files import inside
from engine.pipeline.schema.golden import SUFFIX, Conversation, GoldenFile, load_golden
from engine.pipeline.schema.load import load_pipeline
from engine.pipeline.spec import PipelineSpec
from engine.text.cleaning import clean
from engine.validation.checks import ESSENTIAL, run
from engine.validation.checks.goldens import missing_pipeline, reference_problems
from engine.validation.subject import Subject

DEFAULT_PATHS = (Path("tests/golden"), Path("golden"))
_HIDDEN = frozenset({"node_modules", "__pycache__", "venv"})


class NotFound(ValueError):
    """A path that was asked for is no golden file and holds none; the message names it."""


def find_goldens(paths: Iterable[Path]) -> list[Path]:
    """The golden files at and below `paths`, each once, in order; without paths those below the usual folders.

    Raises:
        NotFound: a path that holds none.
    """
    given = list(paths)
    found: dict[Path, None] = {}
    for path in given or [path for path in DEFAULT_PATHS if path.is_dir()]:
        files = [path] if path.is_file() and path.name.endswith(SUFFIX) else _below(path)
        if not files and given:
            raise NotFound(
                phrase("no golden file at `{path}`: their names end in `{ending}`", path=path.as_posix(), ending=SUFFIX)
            )
        found.update(dict.fromkeys(files))
    return list(found)


def _below(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in inside(folder.rglob(f"*{SUFFIX}"), folder)
        if not any(part.startswith(".") or part in _HIDDEN for part in path.relative_to(folder).parts)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A golden turn in which the user says a text."""

    conversation: str
    span: Span


def mentions(text: str, paths: Iterable[Path] = ()) -> list[Mention]:
    """The golden turns in which the user says just `text`; files with mistakes are passed over."""
    found: list[Mention] = []
    for path in find_goldens(paths):
        # Most files can be told by their bytes alone, without reading what they mean.
        if text.encode("utf-8", "replace") in _bytes(path):
            golden, _ = load_golden(path)
            found += [
                Mention(conversation=conversation.name.value, span=turn.user.span)
                for conversation in (golden.conversations if golden else ())
                for turn in conversation.turns
                if clean(turn.user.value) == text
            ]
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


MARGIN = 5.0
"""Points of score within which another reply counts as near."""


class RememberingIndex:
    """Looks each text up once in `index`, a little below the threshold: who was near comes for free.

    What it gives is the same: a lower threshold only adds candidates at the end.
    """

    def __init__(self, index: ReplyIndex) -> None:
        self._index = index
        self._known: dict[str, tuple[float, Sequence[Candidate]]] = {}

    def candidates(self, text: str, threshold: float) -> Sequence[Candidate]:
        least, found = self._known.get(text, (math.inf, ()))
        if threshold < least:
            least = max(threshold - MARGIN, 0.0)
            found = tuple(self._index.candidates(text, least))
            self._known[text] = least, found
        return [one for one in found if one.score >= threshold]

    def is_trigger(self, text: str) -> bool:
        return self._index.is_trigger(text)


class Pipelines:
    """Specs by file, plans by file and environment."""

    def __init__(self) -> None:
        self._subjects: dict[Path, Subject | ConfigError] = {}
        self._indexes: dict[Path, ReplyIndex] = {}
        self._remembering: dict[Path, RememberingIndex] = {}
        self._plans: dict[tuple[Path, tuple[tuple[str, str], ...]], Plan] = {}

    def spec(self, path: Path) -> PipelineSpec:
        """Raises `ConfigError` with every problem that keeps the pipeline from being built."""
        return self._subject(path).spec

    def plan(self, path: Path, env: Mapping[str, str]) -> Plan:
        """Compiles the pipeline for an environment of nothing but `env`; raises as `spec` does."""
        key = (path.resolve(), tuple(sorted(env.items())))
        if key not in self._plans:
            subject = self._subject(path)
            prompts = {name: prompt.text or "" for name, prompt in subject.prompts.items()}
            plan = build(subject.spec, prompts, env, index=self._indexes.get(key[0]))
            if plan.kinds is not None:
                plan.kinds.chances("")  # What is learned now, no turn's clock has to wait for.
            index = self._indexes.setdefault(key[0], plan.index)
            remembering = self._remembering.setdefault(key[0], RememberingIndex(index))
            self._plans[key] = replace(plan, index=remembering)
        return self._plans[key]

    def _subject(self, path: Path) -> Subject:
        key = path.resolve()
        if key not in self._subjects:
            self._subjects[key] = _read(path)
        found = self._subjects[key]
        if isinstance(found, ConfigError):
            raise found
        return found


def _read(path: Path) -> Subject | ConfigError:
    spec, problems = load_pipeline(path)
    if spec is None:
        return ConfigError(problems)
    subject = Subject(spec=spec)
    errors = [problem for problem in (*problems, *run(ESSENTIAL, subject)) if problem.severity == "error"]
    return ConfigError(errors) if errors else subject


Chosen = Callable[[GoldenFile, Conversation], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A golden file with its cassette, ready to be played."""

    golden: GoldenFile
    cassette: Cassette


class LiveModels:
    """Real models, each opened when a golden first asks it, and shared by all conversations."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._open: list[tuple[ModelRow, LanguageModel]] = []

    def __call__(self, row: ModelRow) -> LanguageModel:
        for known, model in self._open:
            if known == row:
                return model
        model = open_model(row, self._env)
        self._open.append((row, model))
        return model

    def close(self) -> None:
        for _, model in self._open:
            model.close()
        self._open.clear()


def load_goldens(paths: Iterable[Path], pipelines: Pipelines) -> list[Loaded]:
    """The golden files at `paths`, held against their pipelines; raises `ConfigError` with everything wrong."""
    loaded: list[Loaded] = []
    problems: list[Problem] = []
    for path in paths:
        golden, found = load_golden(path)
        problems.extend(found)
        if golden is not None:
            found = _pipeline_problems(golden, pipelines)
            cassette, broken = read_cassette(golden.cassette_path)
            problems.extend((*found, *broken))
            loaded.append(Loaded(golden=golden, cassette=cassette))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return loaded


def _pipeline_problems(golden: GoldenFile, pipelines: Pipelines) -> list[Problem]:
    if not golden.pipeline_path.is_file():
        return [missing_pipeline(golden)]
    try:
        return list(reference_problems(golden, pipelines.spec(golden.pipeline_path)))
    except ConfigError as error:
        return list(error.problems)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """`env` is the process's environment: only live models see it. `repeat` asks for that many runs of each."""

    pipelines: Pipelines = field(default_factory=Pipelines)
    settings: Settings = field(default_factory=Settings)
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    repeat: int = 1

    def run(self, goldens: Iterable[Loaded], chosen: Chosen = lambda *_: True) -> Iterator[ConversationResult]:
        """The result of each chosen conversation as it ends. When recording, cassettes are written file by file."""
        models = LiveModels(self.env)
        settings = replace(self.settings, open_model=models)
        try:
            for loaded in goldens:
                yield from self._file(loaded, chosen, settings)
        finally:
            models.close()

    def plan(self, golden: GoldenFile, conversation: Conversation) -> Plan:
        """The plan that a conversation runs on: of the environment, it sees what the golden says."""
        return self.pipelines.plan(golden.pipeline_path, conversation.env)

    def _file(self, loaded: Loaded, chosen: Chosen, settings: Settings) -> Iterator[ConversationResult]:
        recorded: list[Recording] = []
        done: set[str] = set()
        try:
            for conversation in loaded.golden.conversations:
                if chosen(loaded.golden, conversation):
                    played = self._conversation(loaded, conversation, settings)
                    recorded.extend(played.recorded)
                    # A model that was not there said nothing new, so what it said once is not to be thrown away.
                    if not any(stale.absent for turn in played.result.turns for stale in turn.stale):
                        done.add(conversation.name.value)
                    yield played.result
        finally:
            # Also where somebody stops it: models may have taken minutes for what is there by then.
            if self.settings.mode == "record" and (recorded or done):
                names = [conversation.name.value for conversation in loaded.golden.conversations]
                old = loaded.cassette.items()
                kept = {key: one for key, one in old if key[0] in names and key[0] not in done}
                write_cassette(loaded.golden.cassette_path, kept | {one.key: one for one in recorded}, names)

    def _conversation(self, loaded: Loaded, conversation: Conversation, settings: Settings) -> Played:
        plan = self.plan(loaded.golden, conversation)
        runs = [play(loaded.golden, conversation, plan, loaded.cassette, settings) for _ in range(self.repeat)]
        if self.repeat == 1:
            return runs[0]
        statuses = tuple(run.result.status for run in runs)
        worst = next((run for run in runs if run.result.status == "failed"), runs[0])
        return replace(worst, result=replace(worst.result, repeats=statuses))
