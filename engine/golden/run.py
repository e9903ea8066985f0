"""Runs golden files one conversation at a time: loads what they need, plays them, keeps what is recorded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.core.errors import ConfigError
from engine.core.plan import ModelRow, Plan
from engine.core.ports import LanguageModel
from engine.core.source import Problem
from engine.golden.cassette import Cassette, Recording, read_cassette, write_cassette
from engine.golden.pipelines import Pipelines
from engine.golden.play import Played, play
from engine.golden.result import ConversationResult
from engine.golden.stage import Settings
from engine.models.registry import open_model
from engine.pipeline.schema.golden import Conversation, GoldenFile, load_golden
from engine.validation.checks.goldens import missing_pipeline, reference_problems

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
                    done |= {conversation.name.value} if _all_were_asked(played.result) else set()
                    yield played.result
        finally:
            # Also where somebody stops it: models may have taken minutes for what is there by then.
            if self.settings.mode == "record" and (recorded or done):
                _keep(loaded, recorded, done)

    def _conversation(self, loaded: Loaded, conversation: Conversation, settings: Settings) -> Played:
        plan = self.plan(loaded.golden, conversation)
        runs = [play(loaded.golden, conversation, plan, loaded.cassette, settings) for _ in range(self.repeat)]
        if self.repeat == 1:
            return runs[0]
        statuses = tuple(run.result.status for run in runs)
        worst = next((run for run in runs if run.result.status == "failed"), runs[0])
        return replace(worst, result=replace(worst.result, repeats=statuses))


def _all_were_asked(result: ConversationResult) -> bool:
    """A model that was not to be had said nothing new, so what it said once is not to be thrown away."""
    return not any(stale.absent for turn in result.turns for stale in turn.stale)


def _keep(loaded: Loaded, recorded: list[Recording], done: set[str]) -> None:
    """Recordings of conversations that were `done` replace theirs, further ones are added or replace their likes; those
    of conversations no longer there go.
    """
    names = [conversation.name.value for conversation in loaded.golden.conversations]
    kept = [key for key in loaded.cassette.recordings if key[0] in names and key[0] not in done]
    write_cassette(loaded.golden.cassette_path, loaded.cassette.with_recordings(recorded, kept), names)
