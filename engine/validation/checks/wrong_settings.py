"""Finds settings that are missing, misspelt, in each other's way, or without effect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rapidfuzz.distance import OSA

from engine.core.language import phrase
from engine.core.source import Code, EnvRef, Problem, Setting, Span
from engine.models.registry import BACKENDS
from engine.models.secrets import is_refused, is_secret
from engine.pipeline.compile import literal, number
from engine.pipeline.environment import VARIABLES
from engine.pipeline.reading.files import at
from engine.pipeline.schema.advice import nearest
from engine.pipeline.schema.shape import schema_of
from engine.pipeline.spec import ModelSpec
from engine.steps.spec import ExpressionDetectorSpec, StepSpec
from engine.text.cleaning import CREDENTIAL
from engine.validation.subject import Subject

P309 = Code("P309", "a model without a setting that it needs")
P310 = Code("P310", "an unknown environment variable")
P311 = Code("P311", "an unknown time zone")
P514 = Code("P514", "timeouts that do not fit the deadline")
P515 = Code("P515", "a confidence that is never known", severity="warning")
P527 = Code("P527", "a mask that nothing needs", severity="warning")
P517 = Code("P517", "something that looks like a secret", heuristic=True)
P203 = Code("P203", "an unknown key")
"""An error where the schema refuses a key."""


def missing_settings(subject: Subject) -> Iterator[Problem]:
    """P309: a model lacks a setting without which its backend cannot open it."""
    for name, model in subject.spec.models.items():
        usual = literal(model.backend)
        row = BACKENDS.get(str(usual))
        for setting in row.required if row else ():
            if setting not in model.settings and model.span not in subject.unsure:
                message = phrase(
                    "model `{name}` lacks `{setting}`, which the backend `{usual}` needs",
                    name=name,
                    setting=setting,
                    usual=usual,
                )
                yield P309.problem(message, model.id.span, phrase("add `{key}: …`", key=setting))


NEAR = 2
"""Edits between a name and a known one up to which it is taken for a misspelling."""


def unknown_variables(subject: Subject) -> Iterator[Problem]:
    """P310: `${NAME}` names an environment variable that the engine does not know.

    A near miss of a known name is an error; any other name may be the pipeline's own, which is a warning. Secrets are
    refused: they are read by the backend that needs them and stand in no setting.
    """
    for setting in subject.spec.settings:
        if isinstance(setting.value, EnvRef) and setting.value.name not in VARIABLES:
            yield _unknown(setting, setting.value.name)


def _unknown(setting: Setting, name: str) -> Problem:
    if is_refused(name):
        message = (
            phrase("`{name}` is a secret", name=name)
            if is_secret(name)
            else phrase("`{name}` is AWS's own, and may be a secret", name=name)
        )
        hint = phrase("remove it: what needs it reads it from the environment by itself")
        return P310.problem(message, setting.span, hint)
    close = min(VARIABLES, key=lambda known: OSA.distance(name, known))
    message = phrase("environment variable `{name}` is not one that the engine knows", name=name)
    if OSA.distance(name, close) <= NEAR:
        return P310.problem(message, setting.span, phrase("did you mean `{close}`?", close=close))
    hint = phrase("leave it when it is your own; its default gives it its type")
    return P310.problem(message, setting.span, hint, severity="warning")


def unknown_timezone(subject: Subject) -> Iterator[Problem]:
    """P311: `timezone` is none that the time zone database knows."""
    zone = subject.spec.timezone
    try:
        ZoneInfo(zone.value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = _meant(zone.value)
        hint = phrase("did you mean `{close}`?", close=close) if close else phrase("write a name such as `Asia/Tokyo`")
        message = phrase("time zone `{zone}` does not exist", zone=zone.value)
        yield P311.problem(message, zone.span, hint)


def _meant(name: str) -> str | None:
    """The zone of a city without its continent, or one that is spelt alike; abbreviations are all alike."""
    known = sorted(zone for zone in available_timezones() if "/" in zone)
    city = next((zone for zone in known if zone.rpartition("/")[2].casefold() == name.casefold()), None)
    return city or nearest(name, known)


def timeouts(subject: Subject) -> Iterator[Problem]:
    """P514: timeouts that do not fit into the deadline, alone or one after the other."""
    deadline = literal(subject.spec.deadline)
    if not subject.sound_steps or not isinstance(deadline, int | float):
        return
    spent = 0.0
    steps = [step for step in subject.spec.steps if step.models]
    for place, step in enumerate(steps):
        seconds = number(step.timeout)
        if seconds is None or step.timeout is None:
            continue
        spent += seconds
        following = steps[place + 1].id.value if place + 1 < len(steps) else None
        if seconds > deadline:
            message = phrase(
                "timeout of {seconds:g} s is longer than the deadline of {deadline:g} s",
                seconds=seconds,
                deadline=deadline,
            )
            yield P514.problem(message, step.timeout.span, phrase("shorten it, or raise `deadline`"))
        elif spent >= deadline and following is not None:
            message = phrase(
                "after {spent:g} s in all, step `{following}` has nothing left of the deadline of {deadline:g} s",
                spent=spent,
                following=following,
                deadline=deadline,
            )
            hint = phrase("shorten the timeouts so that they leave time for the steps behind them")
            yield P514.problem(message, step.timeout.span, hint, severity="warning")


def unknown_confidence(subject: Subject) -> Iterator[Problem]:
    """P515: an escalation that relies on a confidence which the model's backend never gives."""
    for step in subject.spec.steps:
        for span in _reliances(subject, step):
            silent = [model.value for model in step.models if _is_silent(subject, model.value)]
            if silent:
                names = ", ".join(f"`{name}`" for name in silent)
                message = phrase("confidence is never known for {names}, so this never escalates there", names=names)
                hint = phrase("remove it, or use a backend that gives probabilities")
                yield P515.problem(message, span, hint)


def _reliances(subject: Subject, step: StepSpec) -> Iterator[Span]:
    for detector in step.detectors:
        if isinstance(detector, ExpressionDetectorSpec):
            if "output.confidence" in detector.test.value:
                yield subject.sources.find(detector.test.span, "output.confidence")
        elif detector.name.value == "low_confidence":
            yield detector.name.span


def _is_silent(subject: Subject, model: str) -> bool:
    row = subject.spec.models.get(model)
    backend = BACKENDS.get(str(literal(row.backend))) if row else None
    return backend is not None and not backend.gives_confidence


def idle_mask(subject: Subject) -> Iterator[Problem]:
    """P527: a mask in a pipeline that asks no external model, so that nothing is kept from anybody."""
    spec = subject.spec
    if spec.mask and not any(_may_be_external(model) for model in spec.models.values()):
        message = phrase("`{mask}` is masked for external models, and the pipeline has none", mask=spec.mask[0].value)
        hint = phrase("remove `mask`: local models see the text as it is")
        yield P527.problem(message, spec.mask[0].span, hint)


def _may_be_external(model: ModelSpec) -> bool:
    row = None if isinstance(model.backend.value, EnvRef) else BACKENDS.get(str(model.backend.value))
    return row is None or row.engine == "external"


def literal_secrets(subject: Subject) -> Iterator[Problem]:
    """P517: something that looks like a credential stands in a file. A heuristic on well-known forms of keys."""
    spec = subject.spec
    files = {spec.file: None} | dict.fromkeys(reply.span.file for reply in spec.replies)
    files |= dict.fromkeys(prompt.file for prompt in subject.prompts.values())
    for file in files:
        for row, line in enumerate(subject.sources.lines(file), start=1):
            for found in re.finditer(CREDENTIAL, line):
                span = at(file, row, found.start() + 1, len(found[0]))
                message = phrase("this looks like a secret, and files are no place for one")
                hint = phrase("remove it and revoke it; backends read their secrets from the environment")
                yield P517.problem(message, span, hint)


def near_persona_keys(subject: Subject) -> Iterator[Problem]:
    """P203: a key of the persona's own data, one edit away from a key that the engine reads. A warning: it may be
    meant.
    """
    persona = subject.spec.persona
    known = set(schema_of("pipeline")["$defs"]["persona"]["properties"])
    for key in persona.data:
        close = next((name for name in sorted(known) if OSA.distance(key, name) == 1), None)
        if key not in known and close is not None and close not in persona.data:
            message = phrase("key `{key}` in `persona` is your own data, which only templates read", key=key)
            span = subject.sources.find(persona.span, key)
            yield P203.problem(message, span, phrase("did you mean `{close}`?", close=close), severity="warning")
