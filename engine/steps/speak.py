"""Says a declared reply: picks a variant and renders it. Shared by the step kinds that say declared words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.core.errors import TurnError
from engine.core.plan import Reply
from engine.core.turn import Engine
from engine.steps.result import Answer, Scene
from engine.steps.variants import Choice, preferred

PATIENCE = 3
"""Words that are tried though the time is over: they need none, unless they fail for what they take."""


def speak(replies: Sequence[Reply], scene: Scene, step_id: str, engine: Engine) -> Answer:
    """The best variant of `replies` that her earlier words in this conversation do not hold already.

    Raises `TurnError` where every template fails on this turn's data, or `PATIENCE` of them and the time is over.
    """
    earlier = {message.text for message in scene.turn.history if message.role == "assistant"}
    said_before: Answer | None = None
    failed: TurnError | None = None
    for tried, choice in enumerate(preferred(replies, scene.turn)):
        if failed is not None and tried >= PATIENCE and scene.deadline.passed:
            break
        try:
            answer = _rendered(choice, scene, step_id, engine)
        except TurnError as error:
            failed = failed or error
            continue
        if answer.reply not in earlier:
            return answer
        said_before = said_before or answer
    if said_before is not None:
        return said_before
    raise failed or TurnError("there is no reply to say", step_id=step_id)


def _rendered(choice: Choice, scene: Scene, step_id: str, engine: Engine) -> Answer:
    reply, place = choice
    variant = reply.say[place]
    names = scene.names.also(persona=scene.plan.persona.data)
    render = scene.services.renderer.render
    remembered: Mapping[str, str | None] = {}
    try:
        if reply.captures or reply.remember or reply.forget:
            from engine.steps.remember import remember  # noqa: PLC0415 - for replies that take something up

            names, remembered = remember(reply, scene.plan.memory, names, render, scene.deadline)
        text = render(variant.text, names, scene.deadline).strip()
        offers = None if variant.offers is None else render(variant.offers, names, scene.deadline).strip()
    except ValueError as error:
        raise TurnError(str(error), step_id=step_id, span=reply.span) from error
    return Answer(
        reply=text,
        engine=engine,
        reply_id=reply.id,
        variant=place,
        offers=offers or None,
        topic=reply.topic,
        remembered=remembered,
    )
