"""What a check looks at: one pipeline with its prompts, and the source files for finding words in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from engine.building.build import Scopes, scopes
from engine.building.triggers import build_index
from engine.matching.index import TriggerIndex
from engine.matching.regexes import regex_problem
from engine.model.source import Located, Problem
from engine.model.spec import GenerateStepSpec, PipelineSpec, RegexTrigger, ReplySpec, TriggerSpec
from engine.reading.sources import Sources
from engine.reading.text import read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """A prompt as a step names it; no `text` where it cannot be read, for the reason that `problems` give."""

    path: Located[str]
    file: str
    text: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A pipeline under check. `complete` is false where replies with mistakes are missing from the spec."""

    spec: PipelineSpec
    complete: bool = True
    sources: Sources = field(default_factory=Sources)

    @cached_property
    def prompts(self) -> Mapping[str, PromptFile]:
        """The prompts of all steps, each once, by their path as written."""
        found: dict[str, PromptFile] = {}
        for step in self.generate_steps:
            if step.prompt.value not in found:
                found[step.prompt.value] = _read_prompt(self.spec, step.prompt)
        return found

    @cached_property
    def scopes(self) -> Scopes:
        return scopes(self.spec)

    @property
    def generate_steps(self) -> Iterator[GenerateStepSpec]:
        return (step for step in self.spec.steps if isinstance(step, GenerateStepSpec))

    @property
    def triggers(self) -> Iterator[tuple[int, ReplySpec, TriggerSpec]]:
        """Every trigger with its reply and the reply's position."""
        return ((place, reply, trigger) for place, reply in enumerate(self.spec.replies) for trigger in reply.match)

    @cached_property
    def index(self) -> TriggerIndex:
        """The index that a turn would search; triggers with a regex that cannot run are left out."""
        return build_index([_runnable(reply) for reply in self.spec.replies])


def trigger_text(trigger: TriggerSpec) -> Located[str]:
    """What the editor wrote as the trigger."""
    return trigger.pattern if isinstance(trigger, RegexTrigger) else trigger.text


def _read_prompt(spec: PipelineSpec, path: Located[str]) -> PromptFile:
    file = Path(spec.file).parent / path.value
    text, problems = read_text(file, file.as_posix())
    return PromptFile(path=path, file=file.as_posix(), text=text, problems=tuple(problems))


def _runnable(reply: ReplySpec) -> ReplySpec:
    kept = tuple(
        trigger
        for trigger in reply.match
        if not isinstance(trigger, RegexTrigger) or regex_problem(trigger.pattern.value) is None
    )
    return reply if len(kept) == len(reply.match) else replace(reply, match=kept)
