"""Holds a golden file against its pipeline: every reply, step, model, memory and variable that it names must be there,
and every pattern has to run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from engine.core.language import phrase
from engine.core.node import MappingNode, Node, ScalarNode, entries, items
from engine.core.source import EnvRef, Located, Problem, Span
from engine.models.secrets import is_refused
from engine.pipeline.environment import VARIABLES
from engine.pipeline.schema.advice import hint, pipeline_meant
from engine.pipeline.schema.golden import Expectation, GoldenFile, TurnSpec, load_golden
from engine.pipeline.spec import PipelineSpec
from engine.text.regexes import compile_pattern

_NOUNS = {
    "reply": phrase("reply"),
    "step": phrase("step"),
    "model": phrase("model"),
    "memory": phrase("memory"),
}
_CODES = {"reply": "P307", "step": "P304", "model": "P306", "memory": "P316"}


def golden_problems(path: Path, spec_of: Callable[[Path], PipelineSpec | None]) -> list[Problem]:
    """Everything wrong with a golden file, sorted by place; `spec_of` reads its pipeline, and tells what is wrong there
    elsewhere.
    """
    golden, problems = load_golden(path)
    if golden is None:
        return problems
    if not golden.pipeline_path.is_file():
        return [*problems, missing_pipeline(golden)]
    spec = spec_of(golden.pipeline_path)
    found = () if spec is None else reference_problems(golden, spec)
    return sorted((*problems, *found), key=lambda problem: problem.sort_key)


def missing_pipeline(golden: GoldenFile) -> Problem:
    """For a golden whose pipeline is not there, with the near one that is."""
    meant = pipeline_meant(golden.pipeline_path)
    folder = golden.path.parent
    advice = phrase("it is looked for in `{folder}`", folder=folder.as_posix())
    if meant is not None:
        advice = phrase("did you mean `{close}`?", close=Path(os.path.relpath(meant, folder)).as_posix())
    message = phrase("no pipeline at `{pipeline}`", pipeline=golden.pipeline.value)
    return Problem(code="P301", message=message, span=golden.pipeline.span, hint=advice)


def reference_problems(golden: GoldenFile, spec: PipelineSpec) -> Iterator[Problem]:
    """What `golden` names and `spec` does not have, and patterns that cannot run."""
    known = {
        "reply": [reply.id.value for reply in spec.replies],
        "step": [step.id.value for step in spec.steps],
        "model": list(spec.models),
        "memory": [row.name.value for row in spec.memory],
    }
    for what, name in _names(golden):
        if name.value not in known[what]:
            yield Problem(
                code=_CODES[what],
                message=phrase("the pipeline has no {what} `{name}`", what=_NOUNS[what], name=name.value),
                span=name.span,
                hint=hint(name.value, known[what]),
            )
    yield from _wrong_variables(golden, spec)
    yield from _wrong_patterns(golden)


def _wrong_patterns(golden: GoldenFile) -> Iterator[Problem]:
    turns = (turn for conversation in golden.conversations for turn in conversation.turns)
    for expectation in (one for turn in turns for one in turn.expect if one.key == "matches"):
        try:
            compile_pattern(expectation.value)
        except ValueError as error:
            yield Problem(code="P406", message=str(error), span=expectation.span)


def _names(golden: GoldenFile) -> Iterator[tuple[str, Located[str]]]:
    for conversation in golden.conversations:
        yield from (("memory", name) for name in conversation.memory_names)
        for turn in conversation.turns:
            yield from (("model", name) for name in turn.model_names)
            yield from _expected_names(turn)


def _expected_names(turn: TurnSpec) -> Iterator[tuple[str, Located[str]]]:
    keys = {"reply_id": "reply", "step": "step", "model": "model"}
    for expectation in turn.expect:
        if expectation.key in keys and expectation.value is not None:
            yield keys[expectation.key], Located(value=str(expectation.value), span=expectation.span)
        elif expectation.key == "remembers":
            yield from (("memory", entry.key) for entry in entries(expectation.node))
        elif expectation.key == "escalations":
            yield from _escalation_names(expectation)


def _escalation_names(expectation: Expectation) -> Iterator[tuple[str, Located[str]]]:
    for item in items(expectation.node):
        for key in ("step", "model"):
            node: Node | None = item.get(key) if isinstance(item, MappingNode) else None
            if isinstance(node, ScalarNode):
                yield key, Located(value=node.source, span=node.span)


def _wrong_variables(golden: GoldenFile, spec: PipelineSpec) -> Iterator[Problem]:
    referenced = {setting.value.name for setting in spec.settings if isinstance(setting.value, EnvRef)}
    known = {*VARIABLES, *referenced}
    for name in golden.env_names:
        if is_refused(name.value):
            message = phrase("`{name}` is a secret, and no golden needs one", name=name.value)
            yield _variable_problem(message, name.span, phrase("remove it; live models read it from the environment"))
        elif name.value not in known:
            message = phrase("unknown environment variable `{name}`", name=name.value)
            yield _variable_problem(message, name.span, hint(name.value, sorted(known)))


def _variable_problem(message: str, span: Span, advice: str) -> Problem:
    return Problem(code="P310", message=message, span=span, hint=advice)
