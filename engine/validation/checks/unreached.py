"""Finds what no turn comes to: steps, replies, models, prompts; and turns that come to no answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from engine.core.language import Phrase, phrase
from engine.core.source import Code, Problem
from engine.pipeline.schema.advice import nearest
from engine.pipeline.schema.mend import STAND_IN
from engine.pipeline.spec import PipelineSpec, ReplySpec
from engine.steps.spec import StepSpec
from engine.validation.subject import PromptFile, Subject
from engine.validation.worlds import paths_of

P506 = Code("P506", "a step that is never reached")
P507 = Code("P507", "an end without an answer", severity="warning")
P508 = Code("P508", "a reply that nothing says", severity="warning")
P511 = Code("P511", "a model or a prompt that no step uses", severity="warning")
P308 = Code("P308", "a prompt that cannot be read")


def unreachable_steps(subject: Subject) -> Iterator[Problem]:
    """P506: a step that no turn can come to, because every way before it ends in an answer or jumps past it."""
    if not subject.sound_steps:
        return
    came_to = reachable(subject.spec)
    for place, step in enumerate(subject.spec.steps):
        if place not in came_to:
            message = phrase("step `{step}` is never reached", step=step.id.value)
            hint = phrase("give the step before it that always answers a `when`, or remove this one")
            yield P506.problem(message, step.id.span, hint)


def reachable(spec: PipelineSpec) -> set[int]:
    """The positions that a turn can come to; the number of steps among them when it can fall off the end."""
    order = {step.id.value: place for place, step in enumerate(spec.steps)}
    came_to = {0}
    for place, step in enumerate(spec.steps):
        if place in came_to and not _always_answers(step, spec):
            came_to.update(_ways_on(place, step, order))
    return came_to


def _always_answers(step: StepSpec, spec: PipelineSpec) -> bool:
    """Whether a step without `when` answers, or has a reply to say whatever the conditions of the others."""
    if step.when is not None:
        return False
    listens = step.listens and any(reply.when is None and waits_for(reply, step) for reply in spec.replies)
    return step.answers or listens


def waits_for(reply: ReplySpec, step: StepSpec) -> bool:
    """Whether `step`, which listens, may say `reply`."""
    wanted = {tag.value for tag in step.tags}
    return reply.otherwise and (not wanted or not wanted.isdisjoint(tag.value for tag in reply.tags))


def _ways_on(place: int, step: StepSpec, order: dict[str, int]) -> Iterator[int]:
    """Where a turn goes when the step does not answer."""
    target = step.escalate_to.value if step.escalate_to else None
    # A jump that is wrong by itself is reported as such.
    yield max(order.get(target, 0), place + 1) if target is not None else place + 1
    if step.when is not None:
        yield place + 1


def no_final_answer(subject: Subject) -> Iterator[Problem]:
    """P507: a turn may come to the end of the steps without an answer.

    A last `say` step whose `when` looks at environment variables only is taken for the operator's own choice.
    """
    steps = subject.spec.steps
    if not subject.sound_steps:
        return
    last = steps[-1]
    if len(steps) not in reachable(subject.spec) or _is_operators_choice(subject, last):
        return
    message = phrase("a turn may pass the last step `{last}` and get no answer", last=last.id.value)
    hint = phrase("end with a step of kind `say`, or of kind `replies` with `otherwise: true`, that always answers")
    yield P507.problem(message, last.id.span, hint)


def _is_operators_choice(subject: Subject, step: StepSpec) -> bool:
    """Whether the environment alone decides; a condition that cannot be read may say so."""
    if not step.answers or step.when is None:
        return False
    condition = subject.condition(step.when)
    return condition is None or all(path[0] == "env" for path in paths_of(condition))


def unreachable_replies(subject: Subject) -> Iterator[Problem]:
    """P508: a reply that nothing can select: no trigger, no `say` step, no step that looks for such replies at all."""
    spec = subject.spec
    if not subject.sound_steps:
        return
    said = {reply.value for step in spec.steps for reply in step.replies}
    if spec.limits is not None and spec.limits.reply is not None:
        said.add(spec.limits.reply.value)
    searched = any(step.searches for step in spec.steps)
    listening = [step for step in spec.steps if step.listens]
    if not searched and any(reply.match for reply in spec.replies):
        message = phrase("no step looks for these replies")
        hint = phrase("add a step of kind `replies`")
        yield P508.problem(message, spec.reply_globs[0].span, hint)
    if not said <= {reply.id.value for reply in spec.replies}:
        return
    for place, reply in enumerate(spec.replies):
        waits = any(waits_for(reply, step) for step in listening)
        if not reply.match and not waits and reply.id.value not in said and place not in subject.unsure_replies:
            message = phrase("nothing says the reply `{reply}`", reply=reply.id.value)
            hint = phrase("give it a `match`, or name it in a step of kind `say`")
            if reply.otherwise:
                hint = phrase("add a step of kind `replies` with `otherwise: true`")
            yield P508.problem(message, reply.id.span, hint)


def unused_models(subject: Subject) -> Iterator[Problem]:
    """P511: a model that no step asks. Prompt files that no step names are found where all pipelines are known."""
    asked = {model.value for step in subject.spec.steps for model in step.models}
    if not subject.sound_steps or not asked <= set(subject.spec.models):
        return
    for name, model in subject.spec.models.items():
        if name not in asked:
            message = phrase("no step asks the model `{name}`", name=name)
            hint = phrase("name it in a step of kind `generate`, or remove it")
            yield P511.problem(message, model.id.span, hint)


def missing_prompts(subject: Subject) -> Iterator[Problem]:
    """P308: the file that `prompt` names cannot be read."""
    for prompt in subject.prompts.values():
        for problem in prompt.problems if prompt.path.value != STAND_IN else ():
            if problem.code == "P104":
                reason = cast("Phrase", problem.message).fields["reason"]
                message = phrase("prompt `{file}` cannot be read: {reason}", file=prompt.path.value, reason=reason)
                yield P308.problem(message, prompt.path.span, _hint(prompt))
            else:
                yield problem


def _hint(prompt: PromptFile) -> str:
    """The file that was probably meant: of the same kind, with a name like it, beside it or one folder below."""
    file = Path(prompt.file)
    try:
        there = sorted((*file.parent.glob(f"*{file.suffix}"), *file.parent.glob(f"*/*{file.suffix}")))
    except (OSError, ValueError):
        there = []
    close = nearest(file.name, [found.name for found in there])
    if close is None:
        return phrase("it is looked for at `{file}`", file=file.as_posix())
    meant = next(found for found in there if found.name == close).relative_to(file.parent)
    return phrase("did you mean `{close}`?", close=(Path(prompt.path.value).parent / meant).as_posix())
