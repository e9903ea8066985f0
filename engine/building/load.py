"""From a pipeline file to a runnable plan, or to the problems that stand in its way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.building.build import build
from engine.building.checks import essential_problems
from engine.model.errors import ConfigError
from engine.model.plan import Plan
from engine.model.source import Problem
from engine.model.spec import GenerateStepSpec, PipelineSpec
from engine.reading.text import read_text
from engine.schema.load import load_pipeline


def load(path: Path, env: Mapping[str, str]) -> Plan:
    """The plan of the pipeline at `path`; raises `ConfigError` with every error found."""
    spec, problems = load_pipeline(path)
    if spec is None:
        raise ConfigError(problems)
    prompts, unread = read_prompts(spec)
    problems = [*problems, *unread, *essential_problems(spec)]
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    return build(spec, prompts, env)


def read_prompts(spec: PipelineSpec) -> tuple[dict[str, str], list[Problem]]:
    """The text of each prompt by its path as written, and a problem for each that cannot be read."""
    folder = Path(spec.file).parent
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for step in spec.steps:
        if isinstance(step, GenerateStepSpec) and step.prompt.value not in texts:
            path = folder / step.prompt.value
            text, found = read_text(path, path.as_posix())
            texts[step.prompt.value] = text or ""
            problems.extend(found)
    return texts, problems
