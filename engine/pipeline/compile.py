"""Compiles a spec: resolves every reference, parses every condition, learns the kinds, and indexes the triggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path, PurePath
from zoneinfo import TZPATH

from engine.core.expression import Condition, Template
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
from engine.core.record import field, record
from engine.core.source import EnvRef, Setting, Span, Text
from engine.core.turn import Exchange, Labels
from engine.expressions.parse import parse_condition
from engine.expressions.scope import Scope, condition_scope, detector_scope, template_scope
from engine.kinds.features import features
from engine.kinds.learning import learn
from engine.kinds.model import KindModel
from engine.matching.index import Trigger, TriggerIndex
from engine.matching.trigger import lexicon
from engine.pipeline.bind import Compiled, ModelDeclaration, bind
from engine.pipeline.environment import LIMITS, VARIABLES
from engine.pipeline.schema.pipeline import DEFAULT_DEADLINE
from engine.pipeline.spec import (
    ContainsTrigger,
    FuzzyTrigger,
    KindSpec,
    MemorySpec,
    ModelSpec,
    PersonaSpec,
    PipelineSpec,
    ReplySpec,
    TriggerSpec,
    WordsTrigger,
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


__all__ = ["Scopes", "build", "scopes"]


def build(
    spec: PipelineSpec, prompts: Mapping[str, str], env: Mapping[str, str], *, index: ReplyIndex | None = None
) -> Plan:
    """Compile `spec` and bind it to `env`; an `index` of the same replies is taken over."""
    return bind(compile_pipeline(spec, prompts, index=index), env)


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


def build_index(spec: PipelineSpec, replies: Sequence[ReplySpec] | None = None) -> TriggerIndex:
    """The pipeline's own `replies` in file order, or others: a candidate's `reply` is a position in this sequence."""
    chosen = spec.replies if replies is None else replies
    words = lexicon((one.value for one in spec.address), [[one.value for one in group] for group in spec.synonyms])
    triggers = (
        _trigger(trigger, place, reply.priority) for place, reply in enumerate(chosen) for trigger in reply.match
    )
    return TriggerIndex.build(triggers, words)


def _trigger(trigger: TriggerSpec, reply: int, priority: int) -> Trigger:
    match trigger:
        case FuzzyTrigger(text=text):
            return Trigger(kind="fuzzy", text=text.value, reply=reply, priority=priority)
        case ContainsTrigger(text=text):
            return Trigger(kind="contains", text=text.value, reply=reply, priority=priority)
        case WordsTrigger(text=text):
            return Trigger(kind="words", text=text.value, reply=reply, priority=priority)
        case _:
            return Trigger(kind="regex", text=trigger.pattern.value, reply=reply, priority=priority)


def kind_model(kinds: Sequence[KindSpec]) -> KindModel | None:
    """None for a pipeline without kinds."""
    examples = tuple((kind.name.value, example.value) for kind in kinds for example in kind.examples)
    return KindModel(lambda: memoryview(_learned(examples))) if examples else None


def learn_kinds(plan: Plan) -> None:
    """Learn now what the first turn that asks for a kind would wait for; a stored plan holds it already."""
    if isinstance(plan.kinds, KindModel):
        plan.kinds.learn()


@lru_cache(maxsize=4)
def _learned(examples: tuple[tuple[str, str], ...]) -> bytes:
    """The stored model; a pipeline that is loaded again with the same examples learns nothing anew."""
    return learn([(kind, features(text)) for kind, text in examples])


def zone_rules(name: str) -> bytes:
    """The file of the zone `name`, from this machine or from the package `tzdata`; empty where neither has it."""
    for folder in TZPATH:
        path = Path(folder, name)
        if path.is_file():
            return path.read_bytes()
    try:
        return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (ImportError, OSError):
        return b""
