"""Compiles steps of every kind: references become positions, conditions become trees, prompts become templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.core.expression import Condition, Template
from engine.core.plan import DEFAULT_THRESHOLD, NO_TEMPLATE, Detector, ExpressionDetector, NamedDetector, Step
from engine.core.record import field, record
from engine.core.source import EnvRef, Setting, Text
from engine.expressions.parse import parse_condition
from engine.expressions.scope import Scope
from engine.steps.spec import DetectorSpec, ExpressionDetectorSpec, StepSpec


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
    only = {tag.value for tag in spec.tags}
    waiting = [place for place, tags in context.otherwise.items() if not only or only & set(tags)]
    named = [context.reply_places[name.value] for name in spec.replies]
    return Step(
        id=spec.id.value,
        kind=spec.kind,
        when=condition(spec.when, context.conditions),
        span=spec.span,
        searches=spec.searches,
        threshold=number(spec.threshold) or DEFAULT_THRESHOLD,
        tags=tuple(tag.value for tag in spec.tags),
        replies=(*named, *(waiting if spec.listens else ())),
        models=tuple(model.value for model in spec.models),
        prompt=NO_TEMPLATE if spec.prompt is None else context.prompts(spec.prompt.value),
        timeout=number(spec.timeout),
        detectors=tuple(_detector(detector, context.detectors) for detector in spec.detectors),
        escalate_to=None if spec.escalate_to is None else context.step_places[spec.escalate_to.value],
        values=tuple((name.value, parse_condition(text.value, context.conditions)) for name, text in spec.variables),
        own=spec.own,
    )


def condition(text: Text | None, scope: Scope) -> Condition | None:
    return None if text is None else parse_condition(text.value, scope)


def number(setting: Setting | None) -> float | None:
    """A setting that is a number, or a reference with a number as its default."""
    if setting is None:
        return None
    value = setting.value.default if isinstance(setting.value, EnvRef) else setting.value
    return float(value) if isinstance(value, int | float) else None


def _detector(spec: DetectorSpec, scope: Scope) -> Detector:
    if isinstance(spec, ExpressionDetectorSpec):
        return ExpressionDetector(
            test=parse_condition(spec.test.value, scope), reason=spec.reason.value, doubt=spec.doubt
        )
    return NamedDetector(name=spec.name.value, threshold=spec.threshold)
