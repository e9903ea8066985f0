"""Compiles steps: references become positions, conditions become trees, prompts become templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core.expression import Condition, Template
from engine.core.plan import (
    Detector,
    ExpressionDetector,
    GenerateStep,
    NamedDetector,
    RepliesStep,
    SayStep,
    SetStep,
    Step,
)
from engine.core.record import field, record
from engine.expressions.parse import parse_condition
from engine.expressions.scope import Scope
from engine.pipeline.compiled import EnvRef
from engine.pipeline.schema.pipeline import DEFAULT_THRESHOLD
from engine.pipeline.spec import (
    DetectorSpec,
    ExpressionDetectorSpec,
    GenerateStepSpec,
    RepliesStepSpec,
    SayStepSpec,
    Setting,
    StepSpec,
    Text,
)


@record
class StepContext:
    """What compiling a step looks things up in; `reply_places` and `step_places` are positions by id.

    `otherwise` are the positions of the replies that are said where no trigger fits, with their tags.
    """

    conditions: Scope
    detectors: Scope
    prompts: Callable[[str], Template]
    reply_places: Mapping[str, int]
    step_places: Mapping[str, int]
    otherwise: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def build_step(spec: StepSpec, context: StepContext) -> Step:
    """`spec` must have passed the checks of references and conditions."""
    when = condition(spec.when, context.conditions)
    match spec:
        case RepliesStepSpec():
            threshold = number(spec.threshold) or DEFAULT_THRESHOLD
            only = tuple(tag.value for tag in spec.only)
            waiting = (place for place, tags in context.otherwise.items() if not only or set(only) & set(tags))
            return RepliesStep(
                id=spec.id.value,
                when=when,
                threshold=threshold,
                span=spec.span,
                otherwise=tuple(waiting) if spec.otherwise else None,
                only=only,
            )
        case GenerateStepSpec():
            return GenerateStep(
                id=spec.id.value,
                when=when,
                models=tuple(model.value for model in spec.models),
                prompt=context.prompts(spec.prompt.value),
                timeout=None if spec.timeout is None else number(spec.timeout),
                detectors=tuple(_detector(detector, context.detectors) for detector in spec.escalate_when),
                escalate_to=None if spec.escalate_to is None else context.step_places[spec.escalate_to.value],
                span=spec.span,
            )
        case SayStepSpec():
            return SayStep(id=spec.id.value, when=when, reply=context.reply_places[spec.reply.value], span=spec.span)
        case _:
            values = tuple((name.value, parse_condition(text.value, context.conditions)) for name, text in spec.vars)
            return SetStep(id=spec.id.value, when=when, values=values, span=spec.span)


def condition(text: Text | None, scope: Scope) -> Condition | None:
    return None if text is None else parse_condition(text.value, scope)


def number(setting: Setting) -> float | None:
    """A setting that is a number, or a reference with a number as its default."""
    value = setting.value.default if isinstance(setting.value, EnvRef) else setting.value
    return float(value) if isinstance(value, int | float) else None


def _detector(spec: DetectorSpec, scope: Scope) -> Detector:
    if isinstance(spec, ExpressionDetectorSpec):
        return ExpressionDetector(
            test=parse_condition(spec.test.value, scope), reason=spec.reason.value, doubt=spec.doubt
        )
    return NamedDetector(name=spec.name.value, threshold=spec.threshold)
