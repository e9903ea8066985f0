"""Compiles a spec: resolves every reference, parses every condition, learns the kinds, and indexes the triggers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePath
from zoneinfo import TZPATH

from engine.core.expression import Template, Value
from engine.core.plan import (
    DEFAULT_THRESHOLD,
    NO_TEMPLATE,
    Detector,
    ExpressionDetector,
    Limits,
    Memory,
    NamedDetector,
    Persona,
    Plan,
    Reply,
    Step,
    Variant,
)
from engine.core.ports import ReplyIndex
from engine.core.record import record
from engine.core.source import EnvRef, Setting, Text
from engine.core.spoken import SpokenTexts
from engine.core.turn import Exchange, Labels
from engine.expressions.parse import parse_condition
from engine.expressions.scope import Scope, condition_scope, detector_scope, template_scope
from engine.kinds.features import features
from engine.kinds.learning import learn
from engine.kinds.model import KindModel
from engine.matching.forms import lexicon
from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger
from engine.pipeline.bind import Compiled, ModelDeclaration, bind
from engine.pipeline.environment import LIMITS, VARIABLES
from engine.pipeline.schema.pipeline import DEFAULT_DEADLINE
from engine.pipeline.spec import (
    LimitsSpec,
    ModelSpec,
    PipelineSpec,
    ReplySpec,
)
from engine.steps.spec import DetectorSpec, ExpressionDetectorSpec, StepSpec
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


def build(
    spec: PipelineSpec, prompts: Mapping[str, str], env: Mapping[str, str], *, index: ReplyIndex | None = None
) -> Plan:
    """Compile `spec` and bind it to `env`; an `index` of the same replies is taken over."""
    return bind(compile_pipeline(spec, prompts, index=index), env)


def compile_pipeline(spec: PipelineSpec, prompts: Mapping[str, str], *, index: ReplyIndex | None = None) -> Compiled:
    """Compile `spec`, which must have passed the checks; `prompts` maps each prompt's path, as written, to its text.

    An `index` of the same replies is taken over.
    """
    names, persona = scopes(spec), spec.persona
    examples = tuple((kind.name.value, example.value) for kind in spec.kinds for example in kind.examples)
    replies = tuple(_reply(reply, names.conditions) for reply in spec.replies)
    plan = Plan(
        name=spec.name.value,
        locale=spec.locale.value,
        timezone=spec.timezone.value,
        zone_rules=_zone_rules(spec.timezone.value),
        deadline=number(spec.deadline) or DEFAULT_DEADLINE,
        persona=Persona(
            name=persona.name.value,
            labels=Labels(user=persona.user_label, reply=persona.reply_label),
            examples=tuple(Exchange(user=one.user.value, reply=one.reply.value) for one in persona.examples),
            data=persona.data,
        ),
        env={},
        replies=replies,
        index=build_index(spec) if index is None else index,
        spoken=SpokenTexts.of(replies),
        models={},
        steps=tuple(_step(step, spec, names, prompts) for step in spec.steps),
        memory={
            row.name.value: Memory(label=row.label, characters=row.characters, forget_after=row.forget_after)
            for row in spec.memory
        },
        kinds=KindModel(lambda: memoryview(_learned(examples))) if examples else None,
        mask=_words(spec.mask),
        closing="" if spec.closing is None else spec.closing.value,
        limits=None if spec.limits is None else _limits(spec.limits, spec.replies),
    )
    limits = {f"{step.id.value}.{name}": getattr(step, name) for step in spec.steps for name in LIMITS}
    return Compiled(
        plan=plan,
        deadline=spec.deadline.value if isinstance(spec.deadline.value, EnvRef) else None,
        numbers={name: one.value for name, one in limits.items() if one and isinstance(one.value, EnvRef)},
        models=tuple(declare_model(model) for model in spec.models.values()),
    )


def declare_model(spec: ModelSpec) -> ModelDeclaration:
    """A model's row without the places where it was written."""
    settings = {key: setting.value for key, setting in spec.settings.items()}
    return ModelDeclaration(id=spec.id.value, backend=spec.backend.value, settings=settings)


def _limits(limits: LimitsSpec, replies: Sequence[ReplySpec]) -> Limits:
    step, reply = None, limits.reply
    if reply is not None:
        place = [one.id.value for one in replies].index(reply.value)
        step = Step(id="limits", kind="say", when=None, span=reply.span, replies=(place,))
    return Limits(
        anonymous=limits.anonymous,
        user=limits.user,
        everyone=limits.everyone,
        step=step,
        prices=limits.prices,
        priced=limits.priced,
    )


def _reply(spec: ReplySpec, scope: Scope) -> Reply:
    variants = tuple(
        Variant(
            text=_template(variant.text),
            weight=variant.weight,
            offers=None if variant.offers is None else _template(variant.offers),
        )
        for variant in spec.say
    )
    return Reply(
        id=spec.id.value,
        when=None if spec.when is None else parse_condition(spec.when.value, scope),
        priority=spec.priority,
        say=variants,
        span=spec.span,
        topic=spec.topic,
        tags=_words(spec.tags),
        captures=tuple(pattern.value for pattern in spec.regexes if named_groups(pattern.value)),
        remember=tuple((name.value, _template(text)) for name, text in spec.remember),
        forget=_words(spec.forget),
    )


def _words(texts: Iterable[Text]) -> tuple[str, ...]:
    return tuple(text.value for text in texts)


def _template(text: Text) -> Template:
    """A template whose origin names its file alone: the trace may show it to strangers."""
    origin = f"{PurePath(text.span.file).name}:{text.span.line}:{text.span.column}"
    return Template(source=text.value, origin=origin, constant=is_constant(text.value))


def _step(step: StepSpec, spec: PipelineSpec, names: Scopes, prompts: Mapping[str, str]) -> Step:
    only, replies = set(_words(step.tags)), [reply.id.value for reply in spec.replies]
    said = [replies.index(name.value) for name in step.replies]
    if step.listens:
        waiting = [place for place, reply in enumerate(spec.replies) if reply.otherwise]
        said += [place for place in waiting if not only or only & set(_words(spec.replies[place].tags))]
    template, target = NO_TEMPLATE, step.escalate_to
    if step.prompt is not None:
        source = prompts[step.prompt.value]
        template = Template(source=source, origin=step.prompt.value, constant=is_constant(source))
    return Step(
        id=step.id.value,
        kind=step.kind,
        when=None if step.when is None else parse_condition(step.when.value, names.conditions),
        span=step.span,
        searches=step.searches,
        threshold=number(step.threshold) or DEFAULT_THRESHOLD,
        tags=_words(step.tags),
        replies=tuple(said),
        models=_words(step.models),
        prompt=template,
        timeout=number(step.timeout),
        detectors=tuple(_detector(detector, names.detectors) for detector in step.detectors),
        escalate_to=None if target is None else [one.id.value for one in spec.steps].index(target.value),
        values=tuple((name.value, parse_condition(text.value, names.conditions)) for name, text in step.variables),
        own=step.own,
    )


def literal(setting: Setting) -> Value:
    """What a setting is where its variable is not set."""
    return setting.value.default if isinstance(setting.value, EnvRef) else setting.value


def number(setting: Setting | None) -> float | None:
    """A setting that is a number, or a reference with a number as its default."""
    value = None if setting is None else literal(setting)
    return float(value) if isinstance(value, int | float) else None


def _detector(spec: DetectorSpec, scope: Scope) -> Detector:
    if isinstance(spec, ExpressionDetectorSpec):
        return ExpressionDetector(
            test=parse_condition(spec.test.value, scope), reason=spec.reason.value, doubt=spec.doubt
        )
    return NamedDetector(name=spec.name.value, threshold=spec.threshold)


def build_index(spec: PipelineSpec, replies: Sequence[ReplySpec] | None = None) -> TriggerIndex:
    """The pipeline's own `replies` in file order, or others: a candidate's `reply` is a position in this sequence."""
    chosen = spec.replies if replies is None else replies
    triggers = (
        Trigger(kind=trigger.kind, text=trigger.text.value, reply=place, priority=reply.priority)
        for place, reply in enumerate(chosen)
        for trigger in reply.match
    )
    return TriggerIndex.build(triggers, lexicon(_words(spec.address), map(_words, spec.synonyms)))


def learn_kinds(plan: Plan) -> None:
    """Learn now what the first turn that asks for a kind would wait for; a stored plan holds it already."""
    if isinstance(plan.kinds, KindModel):
        plan.kinds.learn()


@lru_cache(maxsize=4)
def _learned(examples: tuple[tuple[str, str], ...]) -> bytes:
    """The stored model; a pipeline that is loaded again with the same examples learns nothing anew."""
    return learn([(kind, features(text)) for kind, text in examples])


def _zone_rules(name: str) -> bytes:
    """The file of the zone `name`, from this machine or from the package `tzdata`; empty where neither has it."""
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    try:
        return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (ImportError, OSError):
        return b""
