"""A model that its settings keep from working. It opens like any other, and says what is wrong when it is asked."""

from __future__ import annotations

from engine.core.deadline import Deadline
from engine.core.errors import Unavailable
from engine.core.ports import ModelStatus
from engine.core.record import record
from engine.core.turn import Completion, Engine, Prompt


@record
class ClosedModel:
    """`problem` names the setting and the remedy."""

    engine: Engine
    backend: str
    problem: str

    def generate(self, _prompt: Prompt, _deadline: Deadline) -> Completion:
        """Raises `Unavailable`."""
        raise Unavailable(self.problem, backend=self.backend, called=False)

    def status(self) -> ModelStatus:
        return ModelStatus(state="unavailable", detail=self.problem, data={"backend": self.backend})

    def close(self) -> None:
        """Nothing is open."""
