"""Spec to Plan: every reference resolved, every condition parsed, nothing left to look up in YAML."""

from __future__ import annotations

from collections.abc import Mapping

from engine.building.environment import VARIABLES, values
from engine.building.models import build_model
from engine.building.steps import StepContext, build_step, condition, number
from engine.building.triggers import build_index
from engine.model.expression import Template
from engine.model.plan import Persona, Plan, Reply, Variant
from engine.model.ports import ReplyIndex
from engine.model.record import record
from engine.model.spec import PersonaSpec, PipelineSpec, ReplySpec, SetStepSpec
from engine.model.turn import Exchange, Labels
from engine.prompts.grammar import is_constant
from engine.prompts.scope import Scope, condition_scope, detector_scope, template_scope

DEFAULT_DEADLINE = 7.5
"""Seconds; the web client gives up after 8.0."""


@record
class Scopes:
    """The names that each kind of text in one pipeline may use."""

    conditions: Scope
    detectors: Scope
    templates: Scope


def scopes(spec: PipelineSpec) -> Scopes:
    """The scopes of `spec`: its variables and persona, and the environment."""
    variables = {name.value for step in spec.steps if isinstance(step, SetStepSpec) for name, _ in step.vars}
    return Scopes(
        conditions=condition_scope(VARIABLES, variables),
        detectors=detector_scope(VARIABLES, variables),
        templates=template_scope(VARIABLES, variables, spec.persona.data),
    )


def build(
    spec: PipelineSpec, prompts: Mapping[str, str], env: Mapping[str, str], *, index: ReplyIndex | None = None
) -> Plan:
    """Compile `spec`, which must have passed the checks; `prompts` maps each prompt's path, as written, to its text.

    An `index` of the same replies is taken over, since it does not depend on the environment.
    """
    names = scopes(spec)
    context = StepContext(
        conditions=names.conditions,
        detectors=names.detectors,
        prompts=lambda path: _template(prompts[path], path),
        reply_places={reply.id.value: place for place, reply in enumerate(spec.replies)},
        step_places={step.id.value: place for place, step in enumerate(spec.steps)},
        env=env,
    )
    found, notices = values(env)
    return Plan(
        name=spec.name.value,
        locale=spec.locale.value,
        timezone=spec.timezone.value,
        deadline=number(spec.deadline, env, DEFAULT_DEADLINE),
        persona=_persona(spec.persona),
        env=found,
        replies=tuple(_reply(reply, names.conditions) for reply in spec.replies),
        index=build_index(spec.replies) if index is None else index,
        models={name: build_model(model, env) for name, model in spec.models.items()},
        steps=tuple(build_step(step, context) for step in spec.steps),
        notices=tuple(notices),
    )


def _persona(spec: PersonaSpec) -> Persona:
    return Persona(
        name=spec.name.value,
        labels=Labels(user=spec.user_label, reply=spec.reply_label),
        examples=tuple(Exchange(user=example.user.value, reply=example.reply.value) for example in spec.examples),
        data=spec.data,
    )


def _reply(spec: ReplySpec, scope: Scope) -> Reply:
    variants = tuple(
        Variant(text=_template(variant.text.value, str(variant.text.span)), weight=variant.weight)
        for variant in spec.say
    )
    return Reply(
        id=spec.id.value,
        when=condition(spec.when, scope),
        priority=spec.priority,
        say=variants,
        span=spec.span,
    )


def _template(source: str, origin: str) -> Template:
    return Template(source=source, origin=origin, constant=is_constant(source))
