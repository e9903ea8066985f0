"""Finds names that refer to nothing, to themselves, or to two things: steps, models, replies, tags, kinds, ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.core.expression import Comparison, Constant, Expression, Name
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

_PLURAL = {"step": "steps", "reply": "replies", "kind": "kinds"}


def duplicate_ids(subject: Subject) -> Iterator[Problem]:
    """P303: two steps, two replies or two kinds have the same name."""
    yield from _twice("step", (step.id for step in subject.spec.steps))
    yield from _twice("reply", (reply.id for reply in subject.spec.replies))
    yield from _twice("kind", (kind.name for kind in subject.spec.kinds))


def _twice(what: str, ids: Iterable[Text]) -> Iterator[Problem]:
    first: dict[str, Span] = {}
    for name in ids:
        if name.value in first:
            message = f"two {_PLURAL[what]} have the id `{name.value}`"
            hint = f"rename one; the first stands at {first[name.value]}"
            yield P303.problem(message, name.span, hint)
        first.setdefault(name.value, name.span)


def unknown_steps(subject: Subject) -> Iterator[Problem]:
    """P304: `escalate_to` names a step that does not exist."""
    known = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value not in known and "step" not in subject.lost:
            later = [name for name in known[place + 1 :] if name != step.id.value]
            message = f"step `{step.id.value}` escalates to `{target.value}`, which does not exist"
            yield P304.problem(message, target.span, hint(target.value, later or known))


def backward_jumps(subject: Subject) -> Iterator[Problem]:
    """P305: `escalate_to` names a step that does not come later. Jumps go forward only, so that every turn ends."""
    order = [step.id.value for step in subject.spec.steps]
    for place, step in enumerate(subject.spec.steps):
        target = step.escalate_to
        if target is not None and target.value in order[: place + 1] and target.value not in order[place + 1 :]:
            where = "to itself" if target.value == step.id.value else f"back to `{target.value}`"
            message = f"step `{step.id.value}` escalates {where}, so a turn might never end"
            later = order[place + 1 :]
            hint = f"name a later step: {', '.join(f'`{name}`' for name in later)}" if later else "remove the key"
            yield P305.problem(message, target.span, hint)


def unknown_models(subject: Subject) -> Iterator[Problem]:
    """P306: a `generate` step asks a model that `models` does not list."""
    known = list(subject.spec.models)
    for step in subject.spec.steps:
        for model in step.models:
            if model.value not in (*known, STAND_IN) and "model" not in subject.lost:
                message = f"step `{step.id.value}` asks the model `{model.value}`, which does not exist"
                advice = hint(model.value, known) if known else "list it under `models`"
                yield P306.problem(message, model.span, advice)


def unknown_replies(subject: Subject) -> Iterator[Problem]:
    """P307: a `say` step, or `limits`, names a reply that does not exist."""
    known = [reply.id.value for reply in subject.spec.replies]
    named = [(f"step `{one.id.value}`", name) for one in subject.spec.steps for name in one.replies]
    if subject.spec.limits is not None and subject.spec.limits.reply is not None:
        named.append(("`limits`", subject.spec.limits.reply))
    for who, name in named:
        # A reply that is missing only because its own mistakes took it out of the spec is reported as those.
        if name.value not in (*known, STAND_IN) and "reply" not in subject.lost:
            close = nearest(name.value, known)
            hint = f"did you mean `{close}`?" if close else "write a reply with this `id` in a replies file"
            message = f"{who} says the reply `{name.value}`, which does not exist"
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
                message = f"step `{step.id.value}` takes only replies with the tag `{tag.value}`, which none has"
                advice = hint(tag.value, known) or f"write `tags: [{tag.value}]` at the replies that are meant"
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
                yield P313.problem(f"no examples teach a kind `{word}`", place, hint(word, known))


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
