"""Says a declared reply: chooses the wording and renders it. Shared by the step kinds that say declared words.

The choice is weighted, repeatable for a seed, and the less a wording was said before, the sooner it is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from engine.core.digest import digest
from engine.core.errors import TurnError
from engine.core.plan import Reply
from engine.core.turn import Engine, Turn
from engine.steps.kinds import Answer, Scene

Choice = tuple[Reply, int]
"""A variant by its position in the reply's `say`."""


def choose(reply: Reply, turn: Turn) -> int:
    """The position in `reply.say`; the same turn always gets the same one."""
    return next(preferred((reply,), turn))[1]


def preferred(replies: Sequence[Reply], turn: Turn) -> Iterator[Choice]:
    """Every variant of `replies`, the best first: those said least often in the conversation, each reply's last at the
    end; where that leaves several, by weight and the turn's seed.
    """
    ranks: dict[tuple[bool, int], list[Choice]] = {}
    for reply in replies:
        said = _said(reply, turn)
        times = Counter(said)
        for place in range(len(reply.say)):
            ranks.setdefault((said[-1:] == (place,), times[place]), []).append((reply, place))
    key = f"{turn.seed}\x1f{turn.session_id}\x1f{turn.number}\x1f{'+'.join(reply.id for reply in replies)}"
    for rank in sorted(ranks):
        yield from _shuffled(ranks[rank], key)


def _shuffled(choices: list[Choice], key: str) -> Iterator[Choice]:
    """Draws one after the other, each by its weight among those that are left."""
    for drawn in range(len(choices)):
        # A number in [0, 1) that depends on the key alone, the same in every process.
        fraction = int.from_bytes(digest(f"{key}\x1f{drawn}" if drawn else key)) / 2**64
        point = fraction * sum(reply.say[place].weight for reply, place in choices)
        for choice in choices:
            point -= choice[0].say[choice[1]].weight
            if point < 0:
                break
        choices.remove(choice)
        yield choice


def _said(reply: Reply, turn: Turn) -> tuple[int, ...]:
    """The variants said before, from the session or else from the history that the client sent."""
    if reply.id in turn.said:
        return turn.said[reply.id]
    texts = {variant.text.source: place for place, variant in enumerate(reply.say)}
    hers = (message.text for message in turn.history if message.role == "assistant")
    return tuple(texts[text] for text in hers if text in texts)


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
