"""Writes the prompt of a `generate` step: its template rendered, and of the turn the text, the history and examples.

Asks no model, so that one may get ready for a prompt before it is asked.
"""

from __future__ import annotations

from engine.core.errors import TurnError
from engine.core.plan import Step
from engine.core.turn import Exchange, Message, Prompt
from engine.steps.kinds import Scene


def compose(step: Step, scene: Scene) -> Prompt:
    """The prompt of `step` in this turn; raises `TurnError` when its template fails.

    No text in it holds a control token: values that a turn brings are cleaned before the template sees them, and the
    whole once more, because two halves may stand side by side in it.
    """
    from engine.templates.sandbox import for_prompt, without_marks

    persona = scene.plan.persona
    try:
        names = for_prompt(scene.names, (persona.labels.user, persona.labels.reply)).also(persona=persona.data)
        system = scene.services.renderer.render(step.prompt, names, scene.deadline)
    except ValueError as error:
        raise TurnError(str(error), step_id=step.id, span=step.span) from error
    return Prompt(
        system=without_marks(system.strip()),
        examples=persona.examples,
        history=tuple(Message(message.role, without_marks(message.text)) for message in scene.turn.history),
        text=without_marks(scene.turn.text),
        labels=persona.labels,
        near=_near(step, scene),
    )


def _near(step: Step, scene: Scene) -> tuple[Exchange, ...]:
    """The examples for a model on this machine; a large one learns enough from the instructions."""
    models = scene.services.models
    if not scene.turn.text or not any(name in models and models[name].engine == "local" for name in step.models):
        return ()
    from engine.steps.examples import nearest

    return nearest(scene.plan, scene.turn.text)
