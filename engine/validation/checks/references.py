"""Finds names that refer to nothing, to themselves, or to two things: steps, models, replies, tags, kinds, ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.expression import Comparison, Constant, Expression, Name
from engine.core.language import phrase
from engine.core.source import Code, Problem, Span, Text
from engine.expressions.evaluate import parts_of
from engine.expressions.parse import ConditionError
from engine.pipeline.schema.advice import hint, nearest
from engine.pipeline.schema.mend import STAND_IN
from engine.validation.checks.broken_conditions import conditions
from engine.validation.subject import Subject

P303 = Code("P303", "an id that stands twice")
P304 = Code("P304", "an unknown step")
P305 = Code("P305", "a jump backward")
P306 = Code("P306", "an unknown model")
P307 = Code("P307", "an unknown reply")
P314 = Code("P314", "a tag that no reply has")
P313 = Code("P313", "an unknown kind of sentence")

_PLURAL = {"step": phrase("steps"), "reply": phrase("replies"), "kind": phrase("kinds")}


def duplicate_ids(subject: Subject) -> Iterator[Problem]:
    """P303: two steps, two replies or two kinds have the same name."""
    yield from _twice("step", (step.id for step in subject.spec.steps))
    yield from _twice("reply", (reply.id for reply in subject.spec.replies))
    yield from _twice("kind", (kind.name for kind in subject.spec.kinds))


def _twice(what: str, ids: Iterable[Text]) -> Iterator[Problem]:
    first: dict[str, Span] = {}
    for name in ids:
        if name.value in first:
            message = phrase("two {plural} have the id `{name}`", plural=_PLURAL[what], name=name.value)
            hint = phrase("rename one; the first stands at {place}", place=first[name.value])
            yield P303.problem(message, name.span, hint)
        first.setdefault(name.value, name.span)


def unknown_steps(subject: Subject) -> Iterator[Problem]:
    """P304: `escalate_to` names a step that does not exist."""
    known = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value not in known and "step" not in subject.lost:
            later = [name for name in known[place + 1 :] if name != step.id.value]
            message = phrase(
                "step `{step}` escalates to `{target}`, which does not exist", step=step.id.value, target=target.value
            )
            yield P304.problem(message, target.span, hint(target.value, later or known))


def backward_jumps(subject: Subject) -> Iterator[Problem]:
    """P305: `escalate_to` names a step that does not come later. Jumps go forward only, so that every turn ends."""
    order = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value in order[: place + 1] and target.value not in order[place + 1 :]:
            later = order[place + 1 :]
            if target.value == step.id.value:
                message = phrase("step `{step}` escalates to itself, so a turn might never end", step=target.value)
            else:
                message = phrase(
                    "step `{step}` escalates back to `{target}`, so a turn might never end",
                    step=step.id.value,
                    target=target.value,
                )
            hint = (
                phrase("name a later step: {names}", names=", ".join(f"`{name}`" for name in later))
                if later
                else phrase("remove the key")
            )
            yield P305.problem(message, target.span, hint)


def unknown_models(subject: Subject) -> Iterator[Problem]:
    """P306: a `generate` step asks a model that `models` does not list."""
    known = list(subject.spec.models)
    for step in subject.spec.steps:
        for model in step.models:
            if model.value not in (*known, STAND_IN) and "model" not in subject.lost:
                message = phrase(
                    "step `{step}` asks the model `{model}`, which does not exist",
                    step=step.id.value,
                    model=model.value,
                )
                advice = hint(model.value, known) if known else phrase("list it under `models`")
                yield P306.problem(message, model.span, advice)


def unknown_replies(subject: Subject) -> Iterator[Problem]:
    """P307: a `say` step, or `limits`, names a reply that does not exist."""
    known = [reply.id.value for reply in subject.spec.replies]
    steps = subject.spec.steps
    named: list[tuple[str, Text]] = [
        (phrase("step `{step}`", step=step.id.value), name) for step in steps for name in step.replies
    ]
    if subject.spec.limits is not None and subject.spec.limits.reply is not None:
        named.append(("`limits`", subject.spec.limits.reply))
    for who, name in named:
        # A reply that is missing only because its own mistakes took it out of the spec is reported as those.
        if name.value not in (*known, STAND_IN) and "reply" not in subject.lost:
            close = nearest(name.value, known)
            hint = (
                phrase("did you mean `{close}`?", close=close)
                if close
                else phrase("write a reply with this `id` in a replies file")
            )
            message = phrase("{who} says the reply `{name}`, which does not exist", who=who, name=name.value)
            yield P307.problem(message, name.span, hint)


def unknown_tags(subject: Subject) -> Iterator[Problem]:
    """P314: a step takes only replies with a tag that no reply has."""
    known = sorted({tag.value for reply in subject.spec.replies for tag in reply.tags})
    # One that is unsure may have the tag.
    if "reply" in subject.lost or subject.unsure_replies:
        return
    for step in subject.spec.steps:
        for tag in step.tags:
            if tag.value not in known:
                message = phrase(
                    "step `{step}` takes only replies with the tag `{tag}`, which none has",
                    step=step.id.value,
                    tag=tag.value,
                )
                advice = hint(tag.value, known) or phrase(
                    "write `tags: [{tag}]` at the replies that are meant", tag=tag.value
                )
                yield P314.problem(message, tag.span, advice)


_OF_KINDS = {("kind", "name"), ("kind", "second"), ("last", "kind")}


def unknown_kinds(subject: Subject) -> Iterator[Problem]:
    """P313: a condition compares with a kind that no example teaches."""
    known = [kind.name.value for kind in subject.spec.kinds]
    if not known or "kind" in subject.lost:
        return
    for text, scope in conditions(subject):
        if "kind" not in text.value:
            continue
        try:
            tree = subject.parsed(text, scope).tree
        except ConditionError:
            continue
        for word in dict.fromkeys(_compared(tree)):
            if word not in known:
                place = subject.sources.find(text.span, word)
                yield P313.problem(phrase("no examples teach a kind `{word}`", word=word), place, hint(word, known))


def _compared(tree: Expression) -> Iterator[str]:
    """The texts that are compared with the name of a kind."""
    if isinstance(tree, Comparison):
        sides = [tree.first, *(side for _, side in tree.rest)]
        if any(isinstance(side, Name) and side.path in _OF_KINDS for side in sides):
            for side in sides:
                values = side.value if isinstance(side, Constant) else ()
                yield from (one for one in (values if isinstance(values, tuple) else (values,)) if isinstance(one, str))
    for part in parts_of(tree):
        yield from _compared(part)
