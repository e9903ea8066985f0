"""Spec to a compiled pipeline: every reference resolved, every condition parsed, nothing left to look up in YAML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath

from engine.core.expression import Template
from engine.core.plan import Limits, Memory, Persona, Plan, Reply, Step, Variant
from engine.core.ports import ReplyIndex
from engine.core.record import record
from engine.core.source import EnvRef, Setting, Span
from engine.core.turn import Exchange, Labels
from engine.expressions.scope import Scope, condition_scope, detector_scope, template_scope
from engine.pipeline.compile_steps import StepContext, build_step, condition, number
from engine.pipeline.compile_triggers import build_index
from engine.pipeline.compiled import Compiled, ModelDeclaration
from engine.pipeline.environment import LIMITS, VARIABLES
from engine.pipeline.learned_kinds import kind_model
from engine.pipeline.schema.pipeline import DEFAULT_DEADLINE
from engine.pipeline.spec import MemorySpec, ModelSpec, PersonaSpec, PipelineSpec, ReplySpec
from engine.pipeline.zone import zone_rules
from engine.steps.spec import StepSpec
from engine.templates.grammar import is_constant
from engine.text.regexes import named_groups


@record
class Scopes:
    """The names that each kind of text in one pipeline may use."""

    conditions: Scope
    detectors: Scope
    templates: Scope


def scopes(spec: PipelineSpec) -> Scopes:
    """The scopes of `spec`: its variables, persona, kinds and memory, and the environment."""
    kinds = [kind.name.value for kind in spec.kinds]
    variables = {name.value for step in spec.steps for name, _ in step.variables}
    conditions = condition_scope(VARIABLES, variables, kinds, [row.name.value for row in spec.memory])
    return Scopes(
        conditions=conditions,
        detectors=detector_scope(conditions),
        templates=template_scope(conditions, spec.persona.data),
    )


def compile_pipeline(spec: PipelineSpec, prompts: Mapping[str, str], *, index: ReplyIndex | None = None) -> Compiled:
    """Compile `spec`, which must have passed the checks; `prompts` maps each prompt's path, as written, to its text.

    An `index` of the same replies is taken over.
    """
    names = scopes(spec)
    context = StepContext(
        conditions=names.conditions,
        detectors=names.detectors,
        prompts=lambda path: _template(prompts[path], path),
        reply_places={reply.id.value: place for place, reply in enumerate(spec.replies)},
        otherwise={place: _tags(reply) for place, reply in enumerate(spec.replies) if reply.otherwise},
        step_places={step.id.value: place for place, step in enumerate(spec.steps)},
    )
    plan = Plan(
        name=spec.name.value,
        locale=spec.locale.value,
        timezone=spec.timezone.value,
        zone_rules=zone_rules(spec.timezone.value),
        deadline=number(spec.deadline) or DEFAULT_DEADLINE,
        persona=_persona(spec.persona),
        env={},
        replies=tuple(_reply(reply, names.conditions) for reply in spec.replies),
        index=build_index(spec) if index is None else index,
        models={},
        steps=tuple(build_step(step, context) for step in spec.steps),
        memory={row.name.value: _memory(row) for row in spec.memory},
        kinds=kind_model(spec.kinds),
        mask=tuple(one.value for one in spec.mask),
        limits=_limits(spec),
    )
    return Compiled(
        plan=plan,
        deadline=_reference(spec.deadline),
        numbers=dict(_numbers(spec.steps)),
        models=tuple(declare_model(model) for model in spec.models.values()),
    )


def _numbers(steps: Iterable[StepSpec]) -> Iterator[tuple[str, EnvRef]]:
    for step in steps:
        for name in LIMITS:
            setting: Setting | None = getattr(step, name)
            if setting is not None and isinstance(setting.value, EnvRef):
                yield f"{step.id.value}.{name}", setting.value


def _reference(setting: Setting) -> EnvRef | None:
    return setting.value if isinstance(setting.value, EnvRef) else None


def declare_model(spec: ModelSpec) -> ModelDeclaration:
    """A model's row without the places where it was written."""
    settings = {key: setting.value for key, setting in spec.settings.items()}
    return ModelDeclaration(id=spec.id.value, backend=spec.backend.value, settings=settings)


def _limits(spec: PipelineSpec) -> Limits | None:
    limits = spec.limits
    if limits is None:
        return None
    step = None
    if limits.reply is not None:
        place = next(place for place, reply in enumerate(spec.replies) if reply.id.value == limits.reply.value)
        step = Step(id="limits", kind="say", when=None, span=limits.reply.span, replies=(place,))
    return Limits(anonymous=limits.anonymous, user=limits.user, everyone=limits.everyone, step=step)


def _persona(spec: PersonaSpec) -> Persona:
    return Persona(
        name=spec.name.value,
        labels=Labels(user=spec.user_label, reply=spec.reply_label),
        examples=tuple(Exchange(user=example.user.value, reply=example.reply.value) for example in spec.examples),
        data=spec.data,
    )


def _reply(spec: ReplySpec, scope: Scope) -> Reply:
    variants = tuple(
        Variant(
            text=_template(variant.text.value, _origin(variant.text.span)),
            weight=variant.weight,
            offers=None if variant.offers is None else _template(variant.offers.value, _origin(variant.offers.span)),
        )
        for variant in spec.say
    )
    return Reply(
        id=spec.id.value,
        when=condition(spec.when, scope),
        priority=spec.priority,
        say=variants,
        span=spec.span,
        topic=spec.topic,
        tags=_tags(spec),
        captures=tuple(pattern.value for pattern in spec.regexes if named_groups(pattern.value)),
        remember=tuple((name.value, _template(text.value, _origin(text.span))) for name, text in spec.remember),
        forget=tuple(name.value for name in spec.forget),
    )


def _memory(spec: MemorySpec) -> Memory:
    return Memory(label=spec.label, characters=spec.characters, forget_after=spec.forget_after)


def _tags(spec: ReplySpec) -> tuple[str, ...]:
    return tuple(tag.value for tag in spec.tags)


def _origin(span: Span) -> str:
    """Where a text stands, by the name of its file alone: the trace may show it to strangers."""
    return f"{PurePath(span.file).name}:{span.line}:{span.column}"


def _template(source: str, origin: str) -> Template:
    return Template(source=source, origin=origin, constant=is_constant(source))
