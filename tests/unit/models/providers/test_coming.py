"""Answers as they come from each provider: told while they come, whole only where they say so, ended when nobody
listens.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Cancelled, Malformed, RateLimited, TimedOut, Unavailable
from engine.core.ports import LanguageModel, Streaming
from engine.core.record import replace
from engine.core.turn import Completion
from engine.models.providers.coming import ANSWER_LIMIT
from engine.models.providers.external import ExternalModel
from engine.models.registry import open_model
from engine.resilience.guarded import make_guard
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, Connection, Peer
from tests.faults.stage import PROMPT, loaded
from tests.faults.wires import ENVIRONMENT, PROVIDERS, Provider

AMPLE = 20.0
PIECES = ("まあ、", "いらっしゃい。", "寒か", "ったでしょう。", "お茶", "をどうぞ。")
WHOLE = "".join(PIECES)


def heard(
    model: Streaming, deadline: Deadline | None = None, *, enough: str = "\0", then: Callable[[], None] = lambda: None
) -> tuple[list[str], Completion | None]:
    """The pieces of an answer and the answer; closed, and without an answer, after the piece that holds `enough`."""
    pieces: list[str] = []
    with closing(model.stream(PROMPT, deadline or Deadline.after(AMPLE))) as stream:
        while True:
            try:
                pieces.append(next(stream).text)
            except StopIteration as end:
                completion: Completion = end.value
                assert "".join(pieces) == completion.text
                return pieces, completion
            then()
            if enough in pieces[-1]:
                return pieces, None


def streaming(
    provider: Provider, parts: Sequence[bytes], then: Behaviour = lambda _: None, go: threading.Event | None = None
) -> Behaviour:
    """A stream of `parts`, the second half of which waits for `go`; then whatever `then` does."""

    def behave(connection: Connection) -> None:
        connection.read_request()
        kind = {"Content-Type": wires.content_type(provider), "Transfer-Encoding": "chunked"}
        connection.send(behaviours.head(200, kind, None))
        for place, part in enumerate(parts):
            if go is not None and place == len(parts) // 2:
                go.wait(AMPLE)
            connection.send(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        then(connection)

    return behave


def over(connection: Connection) -> None:
    connection.send(b"0\r\n\r\n")


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


@pytest.fixture
def peer() -> Iterator[Peer]:
    with Peer([behaviours.silence]) as opened:
        yield opened


@pytest.fixture
def model(provider: Provider, peer: Peer) -> ExternalModel:
    return loaded(provider, peer.url)


def test_sentences_are_told_as_they_come(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    go = threading.Event()
    peer.play(streaming(provider, wires.events(provider, PIECES), over, go))
    pieces, completion = heard(model, then=go.set)
    assert pieces == ["まあ、いらっしゃい。", "寒かったでしょう。", "お茶をどうぞ。"]
    assert completion is not None
    assert (completion.finish_reason, completion.prompt_tokens, completion.completion_tokens) == ("stop", 11, 7)
    assert (completion.model, completion.seconds > 0) == ("speaker", True)
    assert len(peer.received) == 1
    if provider != "bedrock":
        sent = json.loads(peer.received[0].body)
        assert (sent["stream"], sent["stream_options"]) == (True, {"include_usage": True})


def test_without_a_listener_it_is_asked_for_in_one_piece(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(behaviours.respond(wires.answer(provider)))
    assert model.generate(PROMPT, Deadline.after(AMPLE)).text == wires.REPLY
    assert not json.loads(peer.received[0].body).get("stream")
    assert peer.received[0].line.split()[1].endswith(("/converse", "/chat/completions"))


def test_an_answer_needs_an_end(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(streaming(provider, wires.events(provider, PIECES, finish=None), over))
    with pytest.raises(Malformed) as caught:
        heard(model)
    assert caught.value.retryable


@pytest.mark.parametrize("place", [0, 1, 3])
@pytest.mark.parametrize(
    ("then", "raised"),
    [
        (lambda _: None, {Malformed}),
        (Connection.reset, {Unavailable, Malformed}),
        (Connection.hold, {TimedOut}),
        (lambda connection: connection.drip(b"1\r\n:\r\n" * 1000, 0.01), {TimedOut, Malformed}),
        (lambda connection: connection.send(b"zz\r\n"), {Malformed}),
        (lambda connection: connection.send(b"5\r\ndata:\r\n0\r\n\r\n"), {Malformed}),
    ],
    ids=["cut", "reset", "silent", "drips", "no chunk", "half an event"],
)
def test_what_breaks_off_is_a_failure(  # noqa: PLR0917 — pytest names them
    provider: Provider, peer: Peer, model: ExternalModel, place: int, then: Behaviour, raised: set[type[BackendError]]
) -> None:
    peer.play(streaming(provider, wires.events(provider, PIECES)[:place], then))
    began = time.monotonic()
    with pytest.raises(BackendError) as caught:
        heard(model, Deadline.after(0.5))
    assert type(caught.value) in raised
    assert time.monotonic() - began < 5
    assert wires.SECRET not in str(caught.value)


def test_an_error_may_come_in_the_stream(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(streaming(provider, [*wires.events(provider, PIECES)[:3], wires.broken_event(provider)], over))
    with pytest.raises(BackendError) as caught:
        heard(model)
    assert type(caught.value) is (RateLimited if provider == "bedrock" else Malformed)
    assert wires.SECRET not in str(caught.value)


def test_what_breaks_behind_the_end_costs_only_the_count(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    parts = wires.events(provider, PIECES)
    end = next(place for place, part in enumerate(parts) if b'finish_reason": "stop' in part or b"messageStop" in part)
    for then in (Connection.reset, Connection.hold):
        peer.play(streaming(provider, parts[: end + 1], then))
        _, completion = heard(model)
        assert completion is not None
        assert (completion.text, completion.finish_reason, completion.completion_tokens) == (WHOLE, "stop", None)


def test_nothing_is_waited_for_once_all_is_there(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    parts = wires.events(provider, PIECES)
    peer.play(streaming(provider, parts[:-1] if provider != "bedrock" else parts, Connection.hold))
    began = time.monotonic()
    _, completion = heard(model)
    assert completion is not None
    assert (completion.text, completion.completion_tokens) == (WHOLE, 7)
    assert time.monotonic() - began < AMPLE / 2


def test_who_wants_no_more_ends_it(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(streaming(provider, wires.events(provider, PIECES)[:5], Connection.hold))
    assert heard(model, enough="いらっしゃい。") == (["まあ、いらっしゃい。"], None)
    peer.settle()


@pytest.mark.parametrize("events", [0, 3])
def test_a_call_that_is_called_off_closes_its_socket(
    provider: Provider, peer: Peer, model: ExternalModel, events: int
) -> None:
    gone, closed = threading.Event(), [0.0]

    def hold(connection: Connection) -> None:
        gone.set()
        began = time.monotonic()
        try:
            connection.hold()
        finally:
            closed[0] = time.monotonic() - began

    peer.play(streaming(provider, wires.events(provider, PIECES)[:events], hold) if events else _holding(hold))
    with pytest.raises(Cancelled):
        heard(model, Deadline.after(AMPLE, gone=gone))
    peer.settle()
    assert 0 < closed[0] < 1


def _holding(hold: Behaviour) -> Behaviour:
    def behave(connection: Connection) -> None:
        connection.read_request()
        hold(connection)

    return behave


def test_a_provider_is_not_blamed_for_guests_that_leave(peer: Peer) -> None:
    guarded = make_guard()(loaded("openai", peer.url), "openai")
    for _ in range(6):
        gone = threading.Event()
        peer.play(_holding(lambda connection, gone=gone: (gone.set(), connection.hold())[1]))  # type: ignore[misc]
        with pytest.raises(Cancelled):
            heard(guarded, Deadline.after(AMPLE, gone=gone))
    assert guarded.status().state == "ready"


def test_thoughts_are_never_told(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    pieces = ["<th", "ink>客は。", "寒い。</thi", "nk>", "こんば", "んは。", "ようこそ。"]
    peer.play(streaming(provider, wires.events(provider, pieces), over))
    assert heard(model)[0] == ["こんばんは。", "ようこそ。"]


def test_a_model_that_thinks_aloud_is_told_when_it_has_thought(peer: Peer) -> None:
    pieces = ["客は寒い。", "お茶だ。", "</think>", "どうぞ。", "お茶よ。"]
    for name, is_known in (("deepseek-r1", True), ("plain-mumbler", False), ("plain-mumbler", True)):
        peer.play(streaming("openai", wires.events("openai", pieces), over))
        model = opened("openai", peer, model=name)
        if is_known:
            assert heard(model)[0] == ["どうぞ。", "お茶よ。"]
        else:
            with pytest.raises(Malformed):
                heard(model)


def test_an_answer_has_an_end_to_its_length(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    many = wires.events(provider, ["あ。" * 500] * (ANSWER_LIMIT // 900))
    peer.play(streaming(provider, many, over))
    began = time.process_time()
    with pytest.raises(Malformed) as caught:
        heard(model)
    assert "longer than" in str(caught.value)
    assert time.process_time() - began < AMPLE


def test_a_server_that_does_not_stream_is_asked_whole_from_then_on(provider: Provider, peer: Peer) -> None:
    model = opened(provider, peer, model=f"whole-{provider}")
    peer.play(behaviours.respond(wires.answer(provider)))
    for calls in (2, 3):
        assert (heard(model)[0], len(peer.received)) == ([wires.REPLY], calls)


def test_a_row_may_forbid_it(provider: Provider, peer: Peer) -> None:
    model = opened(provider, peer, stream=False)
    peer.play(behaviours.respond(wires.answer(provider)))
    assert heard(model)[0] == [wires.REPLY]
    assert len(peer.received) == 1


def test_a_refused_count_of_tokens_is_done_without(peer: Peer) -> None:
    refused = wires.refusal("openai", 400, words="Unknown parameter: 'stream_options'")

    def behave(connection: Connection) -> None:
        picky = "stream_options" in json.loads(connection.read_request().body)
        body = refused.body if picky else b"".join(wires.events("openai", PIECES))
        kind = {"Content-Type": "application/json" if picky else "text/event-stream"}
        connection.send(behaviours.head(400 if picky else 200, kind, len(body)) + body)

    peer.play(behave)
    model = opened("openai", peer, model="no-options")
    assert "".join(heard(model)[0]) == WHOLE
    assert len(peer.received) == 2


@pytest.mark.parametrize(("parts", "calls"), [(3, 2), (5, 1)])
def test_once_a_sentence_was_told_nobody_is_asked_again(peer: Peer, parts: int, calls: int) -> None:
    guarded = make_guard()(loaded("openai", peer.url), "openai")
    peer.play(streaming("openai", wires.events("openai", PIECES)[:parts], Connection.reset))
    with pytest.raises(BackendError):
        heard(guarded)
    assert len(peer.received) == calls
    assert guarded.status().data["circuit"]["failures"] == calls


def test_nothing_is_left_behind(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    def left() -> tuple[int, int]:
        peer.settle()
        return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())

    def once() -> None:
        peer.play(streaming(provider, wires.events(provider, PIECES)[:5], Connection.hold))
        heard(model, enough="いらっしゃい。")

    once()
    before = left()
    for _ in range(10):
        once()
    assert left() == before


def opened(provider: Provider, peer: Peer, **settings: str | bool) -> ExternalModel:
    row = wires.row(provider, peer.url)
    model: LanguageModel = open_model(replace(row, settings={**row.settings, **settings}), ENVIRONMENT)
    assert isinstance(model, ExternalModel)
    model.warm().result()
    return model
