"""Every fault of the catalogue against every provider: the right type, with one call, and without the key."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import TimedOut, Unavailable
from engine.core.turn import Completion
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS, Fault
from tests.faults.peer import Behaviour, black_hole, refusing
from tests.faults.stage import PROMPT, Stage, loaded, stage
from tests.faults.wires import PROVIDERS, Provider

AMPLE = 20.0
SHORT = 0.15
PATIENT = (SHORT, 1.0, AMPLE / 4)
"""A call that waits for its deadline is asked again with a later one where a busy machine has not even sent it."""


@pytest.fixture(scope="module", params=PROVIDERS)
def on(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(request.param) as opened:
        yield opened


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_typed(on: Stage, fault: Fault) -> None:
    for seconds in PATIENT if fault.waits else (AMPLE,):
        error = on.ask(fault.behave(on.provider), seconds)
        if on.peer.received:
            break
    assert not isinstance(error, Completion)
    assert (type(error), error.retryable, error.retry_after) == (fault.raises, fault.retryable, fault.retry_after)
    assert error.backend == on.provider
    assert len(on.peer.received) == 1
    assert wires.SECRET not in "".join(traceback.format_exception(error)) + repr(vars(error))


def test_a_good_answer_after_all_that(on: Stage) -> None:
    completion = on.ask(behaviours.respond(wires.answer(on.provider)), AMPLE)
    assert isinstance(completion, Completion)
    assert (completion.text, completion.finish_reason) == (wires.REPLY, "stop")
    assert (completion.model, completion.prompt_tokens, completion.completion_tokens) == ("speaker", 11, 7)
    assert len(on.peer.received) == 1


@pytest.mark.parametrize("behaviour", [behaviours.drip_body, behaviours.drip_headers, behaviours.silence])
def test_nothing_is_left_behind(on: Stage, behaviour: Behaviour) -> None:
    def left() -> tuple[int, int]:
        on.peer.settle()
        return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())

    on.ask(behaviour, SHORT)
    before = left()
    for _ in range(3):
        assert type(on.ask(behaviour, SHORT)) is TimedOut
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
