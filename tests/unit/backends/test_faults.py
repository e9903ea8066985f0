"""Every fault of the catalogue against every provider: the right type, in time, with one call, and without the key."""

from __future__ import annotations

import threading
import traceback
from pathlib import Path

import pytest

from engine.backends.external import ExternalModel
from engine.backends.registry import open_model
from engine.model.deadline import Deadline
from engine.model.errors import BackendError, TimedOut, Unavailable
from engine.model.turn import Labels, Message, Prompt
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.peer import Peer, black_hole, refusing
from tests.faults.wires import ENVIRONMENT, KEYS, PROVIDERS, Provider

PROMPT = Prompt(
    system="あなたは美砂樹です。",
    examples=(),
    history=(Message("user", "やあ"), Message("assistant", "あら。")),
    text="こんばんは",
    labels=Labels("お客さん", "美砂樹"),
)
AMPLE = 20.0
SHORT = 0.15


def loaded(provider: Provider, url: str) -> ExternalModel:
    """A model whose SDK is imported, so that a short deadline is all for the call."""
    model = open_model(wires.row(provider, url), ENVIRONMENT)
    assert isinstance(model, ExternalModel)
    model.warm().result()
    return model


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def failure(provider: Provider, url: str, seconds: float) -> BackendError:
    model = loaded(provider, url)
    with pytest.raises(BackendError) as caught:
        model.generate(PROMPT, Deadline.after(seconds))
    return caught.value


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_fault_is_typed(provider: Provider, fault: Fault) -> None:
    with Peer([fault.behave(provider)]) as peer:
        error = failure(provider, peer.url, SHORT if fault.waits else AMPLE)
    assert (type(error), error.retryable, error.retry_after) == (fault.raises, fault.retryable, fault.retry_after)
    assert error.backend == provider
    assert len(peer.received) == 1
    assert KEYS[provider] not in "".join(traceback.format_exception(error)) + repr(vars(error))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_connection_that_never_opens_ends_at_the_deadline(provider: Provider) -> None:
    with black_hole() as url:
        assert type(failure(provider, url, SHORT)) is TimedOut


@pytest.mark.parametrize("provider", PROVIDERS)
def test_nobody_listening_is_unavailable(provider: Provider) -> None:
    with refusing() as url:
        error = failure(provider, url, AMPLE)
    assert (type(error), error.retryable) == (Unavailable, True)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_good_answer(provider: Provider) -> None:
    with Peer([behaviours.respond(wires.answer(provider))]) as peer:
        completion = loaded(provider, peer.url).generate(PROMPT, Deadline.after(AMPLE))
    assert (completion.text, completion.finish_reason) == (wires.REPLY, "stop")
    assert (completion.model, completion.prompt_tokens, completion.completion_tokens) == ("speaker", 11, 7)
    assert len(peer.received) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("behaviour", [behaviours.drip_body, behaviours.drip_headers, behaviours.silence])
def test_nothing_is_left_behind(provider: Provider, behaviour: behaviours.Behaviour) -> None:
    with Peer([behaviour]) as peer:
        failure(provider, peer.url, SHORT)
    before = threading.active_count(), descriptors()
    with Peer([behaviour]) as peer:
        for _ in range(3):
            failure(provider, peer.url, SHORT)
    assert (threading.active_count(), descriptors()) == before
