"""The `generate` step: asks its models, in turn or hedged, until one gives an answer that no detector objects to."""

from __future__ import annotations

from engine.model.errors import TurnError
from engine.model.plan import GenerateStep
from engine.model.turn import Prompt
from engine.steps.asking import Asking, Attempt
from engine.steps.result import Scene, StepResult


def run(step: GenerateStep, scene: Scene) -> StepResult:
    asking = Asking(step, scene, compose(step, scene))
    if step.hedge is None:
        return asking.result(_ask_in_turn(asking))
    from engine.steps.hedge import ask_hedged  # noqa: PLC0415 - few pipelines hedge

    return asking.result(ask_hedged(asking, step.hedge))


def _ask_in_turn(asking: Asking) -> Attempt | None:
    attempts = (asking.ask(place, asking.until(place)) for place in range(len(asking.models)))
    return next((attempt for attempt in attempts if asking.accepts(attempt)), None)


def compose(step: GenerateStep, scene: Scene) -> Prompt:
    """The prompt of `step` in this turn; raises `TurnError` when its template fails."""
    persona = scene.plan.persona
    try:
        system = scene.services.renderer.render(step.prompt, {**scene.names, "persona": persona.data})
    except ValueError as error:
        raise TurnError(str(error), step_id=step.id, span=step.span) from error
    return Prompt(
        system=system.strip(),
        examples=persona.examples,
        history=scene.turn.history,
        text=scene.turn.text,
        labels=persona.labels,
    )
