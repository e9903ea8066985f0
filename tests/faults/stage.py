"""One provider's adapter in front of the peer that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from engine.core.deadline import Deadline
from engine.core.errors import BackendError
from engine.core.turn import Completion, Labels, Message, Prompt
from engine.models.providers.external import ExternalModel
from engine.models.registry import open_model
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, Peer
from tests.faults.wires import ENVIRONMENT, Provider

PROMPT = Prompt(
    system="あなたは美砂樹です。",
    examples=(),
    history=(Message("user", "やあ"), Message("assistant", "あら。")),
    text="こんばんは",
    labels=Labels("お客さん", "美砂樹"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """The model's SDK is loaded already, so a short deadline is all for the call."""

    provider: Provider
    peer: Peer
    model: ExternalModel

    def ask(self, behaviour: Behaviour, seconds: float) -> Completion | BackendError:
        """The answer or the error of one call with `seconds` to go."""
        self.peer.play(behaviour)
        try:
            return self.model.generate(PROMPT, Deadline.after(seconds))
        except BackendError as error:
            return error


@contextmanager
def stage(provider: Provider) -> Iterator[Stage]:
    with Peer([behaviours.silence]) as peer:
        yield Stage(provider, peer, loaded(provider, peer.url))


def loaded(provider: Provider, url: str) -> ExternalModel:
    model = open_model(wires.row(provider, url), ENVIRONMENT)
    assert isinstance(model, ExternalModel)
    model.warm().result()
    return model
