"""Every fault of the catalogue against every provider: the right type, in time, with one call, and without the key."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.backends.external import ExternalModel
from engine.backends.registry import open_model
from engine.model.deadline import Deadline
from engine.model.errors import BackendError, TimedOut, Unavailable
from engine.model.turn import Completion, Labels, Message, Prompt
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.peer import Behaviour, Peer, black_hole, refusing
from tests.faults.wires import ENVIRONMENT, PROVIDERS, Provider

PROMPT = Prompt(
    system="あなたは美砂樹です。",
    examples=(),
    history=(Message("user", "やあ"), Message("assistant", "あら。")),
    text="こんばんは",
    labels=Labels("お客さん", "美砂樹"),
)
AMPLE = 20.0
SHORT = 0.15


@dataclass(frozen=True, slots=True)
class Stage:
    """A peer, and a model whose SDK is loaded already, so that a short deadline is all for the call."""

    provider: Provider
    peer: Peer
    model: ExternalModel

    def generate(self, seconds: float) -> Completion:
        return self.model.generate(PROMPT, Deadline.after(seconds))

    def failure(self, behaviour: Behaviour, seconds: float) -> BackendError:
        self.peer.play(behaviour)
        with pytest.raises(BackendError) as caught:
            self.generate(seconds)
        return caught.value


def loaded(provider: Provider, url: str) -> ExternalModel:
    model = open_model(wires.row(provider, url), ENVIRONMENT)
    assert isinstance(model, ExternalModel)
    model.warm().result()
    return model


@pytest.fixture(scope="module", params=PROVIDERS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with Peer([behaviours.silence]) as peer:
        yield Stage(request.param, peer, loaded(request.param, peer.url))


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_typed(stage: Stage, fault: Fault) -> None:
    error = stage.failure(fault.behave(stage.provider), SHORT if fault.waits else AMPLE)
    assert (type(error), error.retryable, error.retry_after) == (fault.raises, fault.retryable, fault.retry_after)
    assert error.backend == stage.provider
    assert len(stage.peer.received) == 1
    assert wires.SECRET not in "".join(traceback.format_exception(error)) + repr(vars(error))


def test_a_good_answer_after_all_that(stage: Stage) -> None:
    stage.peer.play(behaviours.respond(wires.answer(stage.provider)))
    completion = stage.generate(AMPLE)
    assert (completion.text, completion.finish_reason) == (wires.REPLY, "stop")
    assert (completion.model, completion.prompt_tokens, completion.completion_tokens) == ("speaker", 11, 7)
    assert len(stage.peer.received) == 1


@pytest.mark.parametrize("behaviour", [behaviours.drip_body, behaviours.drip_headers, behaviours.silence])
def test_nothing_is_left_behind(stage: Stage, behaviour: Behaviour) -> None:
    def left() -> tuple[int, int]:
        stage.peer.settle()
        return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())

    stage.failure(behaviour, SHORT)
    before = left()
    for _ in range(3):
        stage.failure(behaviour, SHORT)
    assert left() == before


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_connection_that_never_opens_ends_at_the_deadline(provider: Provider) -> None:
    with black_hole() as url, pytest.raises(TimedOut):
        loaded(provider, url).generate(PROMPT, Deadline.after(SHORT))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_listening_is_unavailable(provider: Provider) -> None:
    with refusing() as url, pytest.raises(Unavailable) as caught:
        loaded(provider, url).generate(PROMPT, Deadline.after(AMPLE))
    assert caught.value.retryable
