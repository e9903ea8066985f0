"""The pipelines that goldens run on: each read once, and built once for each environment that goldens ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.core.errors import ConfigError
from engine.core.plan import Plan
from engine.core.ports import ReplyIndex
from engine.golden.lookup import RememberingIndex
from engine.pipeline.compile import build
from engine.pipeline.schema.load import load_pipeline
from engine.pipeline.spec import PipelineSpec
from engine.validation.checks import ESSENTIAL, run
from engine.validation.subject import Subject

Change = Callable[[Plan], Plan]


class Pipelines:
    """Specs by file, plans by file and environment; `change` is applied to every plan, for trying what would be."""

    def __init__(self, change: Change = lambda plan: plan) -> None:
        self._change = change
        self._subjects: dict[Path, Subject | ConfigError] = {}
        self._indexes: dict[Path, ReplyIndex] = {}
        self._remembering: dict[Path, RememberingIndex] = {}
        self._plans: dict[tuple[Path, tuple[tuple[str, str], ...]], Plan] = {}

    def spec(self, path: Path) -> PipelineSpec:
        """Raises `ConfigError` with every problem that keeps the pipeline from being built."""
        return self._subject(path).spec

    def plan(self, path: Path, env: Mapping[str, str]) -> Plan:
        """As `spec`, compiled for an environment of nothing but `env`."""
        key = (path.resolve(), tuple(sorted(env.items())))
        if key not in self._plans:
            subject = self._subject(path)
            prompts = {name: prompt.text or "" for name, prompt in subject.prompts.items()}
            plan = build(subject.spec, prompts, env, index=self._indexes.get(key[0]))
            if plan.kinds is not None:
                plan.kinds.chances("")  # What is learned now, no turn's clock has to wait for.
            index = self._indexes.setdefault(key[0], plan.index)
            remembering = self._remembering.setdefault(key[0], RememberingIndex(index))
            self._plans[key] = self._change(replace(plan, index=remembering))
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
