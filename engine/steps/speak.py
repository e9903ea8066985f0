"""Says a declared reply: picks a variant and renders it. Shared by the step kinds that say declared words."""

from __future__ import annotations

from engine.model.errors import TurnError
from engine.model.plan import Reply
from engine.steps.result import Scene
from engine.steps.variants import choose


def speak(reply: Reply, scene: Scene, step_id: str) -> tuple[str, int]:
    """The rendered text and the variant's position; raises `TurnError` when the template fails on this turn's data."""
    variant = choose(reply, scene.turn)
    names = {**scene.names, "persona": scene.plan.persona.data}
    try:
        return scene.services.renderer.render(reply.say[variant].text, names).strip(), variant
    except ValueError as error:
        raise TurnError(str(error), step_id=step_id, span=reply.span) from error
