"""From a pipeline file to a runnable plan, or to the problems that stand in its way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.building.build import build
from engine.building.checks import ESSENTIAL, run
from engine.building.checks.subject import Subject
from engine.model.errors import ConfigError
from engine.model.plan import Plan
from engine.schema.load import load_pipeline


def load(path: Path, env: Mapping[str, str]) -> Plan:
    """The plan of the pipeline at `path`; raises `ConfigError` with every error found."""
    spec, problems = load_pipeline(path)
    if spec is None:
        raise ConfigError(problems)
    subject = Subject(spec=spec)
    errors = [problem for problem in (*problems, *run(ESSENTIAL, subject)) if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    prompts = {path: prompt.text or "" for path, prompt in subject.prompts.items()}
    return build(spec, prompts, env)
