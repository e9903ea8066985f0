"""Answers as they come from each provider: told while they come, whole only where they say so, ended when nobody
listens.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import BackendError, Cancelled, Malformed, RateLimited, TimedOut, Unavailable
from engine.core.ports import LanguageModel
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


class Ear:
    """Keeps what it hears; wants no more once it heard `enough`, and is committed once it heard anything if so told."""

    def __init__(self, enough: str = "\0", *, commits: bool = False, then: Callable[[], None] = lambda: None) -> None:
        self.heard: list[str] = []
        self._enough, self._commits, self._then = enough, commits, then

    @property
    def committed(self) -> bool:
        return self._commits and bool(self.heard)

    def hear(self, so_far: Completion) -> bool:
        self.heard.append(so_far.text)
        self._then()
        return self._enough not in so_far.text


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


def test_text_is_told_as_it_comes(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    go = threading.Event()
    peer.play(streaming(provider, wires.events(provider, PIECES), over, go))
    ear = Ear(then=go.set)
    completion = model.stream(PROMPT, Deadline.after(AMPLE), ear)
    assert completion.text == WHOLE
    assert (completion.finish_reason, completion.prompt_tokens, completion.completion_tokens) == ("stop", 11, 7)
    assert ear.heard == ["".join(PIECES[: n + 1]) for n in range(len(PIECES))]
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
        model.stream(PROMPT, Deadline.after(AMPLE), Ear())
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
        model.stream(PROMPT, Deadline.after(0.5), Ear())
    assert type(caught.value) in raised
    assert time.monotonic() - began < 5
    assert wires.SECRET not in str(caught.value)


def test_an_error_may_come_in_the_stream(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(streaming(provider, [*wires.events(provider, PIECES)[:3], wires.broken_event(provider)], over))
    with pytest.raises(BackendError) as caught:
        model.stream(PROMPT, Deadline.after(AMPLE), Ear())
    assert type(caught.value) is (RateLimited if provider == "bedrock" else Malformed)
    assert wires.SECRET not in str(caught.value)


def test_what_breaks_behind_the_end_costs_only_the_count(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    parts = wires.events(provider, PIECES)
    end = next(place for place, part in enumerate(parts) if b'finish_reason": "stop' in part or b"messageStop" in part)
    for then in (Connection.reset, Connection.hold):
        peer.play(streaming(provider, parts[: end + 1], then))
        completion = model.stream(PROMPT, Deadline.after(AMPLE), Ear())
        assert (completion.text, completion.finish_reason, completion.completion_tokens) == (WHOLE, "stop", None)


def test_who_wants_no_more_ends_it(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    peer.play(streaming(provider, wires.events(provider, PIECES)[:4], Connection.hold))
    completion = model.stream(PROMPT, Deadline.after(AMPLE), Ear("いらっしゃい。"))
    assert (completion.finish_reason, completion.text) == ("interrupted", "まあ、いらっしゃい。")
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
        model.stream(PROMPT, Deadline.after(AMPLE, gone=gone), Ear())
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
            guarded.stream(PROMPT, Deadline.after(AMPLE, gone=gone), Ear())
    assert guarded.status().state == "ready"


def test_thoughts_are_never_told(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    pieces = ["<th", "ink>客は。", "寒い。</thi", "nk>", "こんば", "んは。", "ようこそ。"]
    peer.play(streaming(provider, wires.events(provider, pieces), over))
    ear = Ear()
    assert model.stream(PROMPT, Deadline.after(AMPLE), ear).text == "こんばんは。ようこそ。"
    assert [one for one in ear.heard if not "こんばんは。ようこそ。".startswith(one)] == []


def test_a_model_that_thinks_aloud_is_told_when_it_has_thought(peer: Peer) -> None:
    pieces = ["客は寒い。", "お茶だ。", "</think>", "どうぞ。", "お茶よ。"]
    for name, heard in (("deepseek-r1", ["どうぞ。"]), ("plain-mumbler", None), ("plain-mumbler", ["どうぞ。"])):
        peer.play(streaming("openai", wires.events("openai", pieces), over))
        ear = Ear()
        model = opened("openai", peer, model=name)
        assert model.stream(PROMPT, Deadline.after(AMPLE), ear).text == "どうぞ。お茶よ。"
        if heard is not None:
            assert [one for one in ear.heard if one.startswith("客")] == []
            assert ear.heard[: len(heard)] == heard


def test_an_answer_has_an_end_to_its_length(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    many = wires.events(provider, ["あ。" * 500] * (ANSWER_LIMIT // 900))
    peer.play(streaming(provider, many, over))
    began = time.process_time()
    with pytest.raises(Malformed) as caught:
        model.stream(PROMPT, Deadline.after(AMPLE), Ear())
    assert "longer than" in str(caught.value)
    assert time.process_time() - began < AMPLE


def test_a_server_that_does_not_stream_is_asked_whole_from_then_on(provider: Provider, peer: Peer) -> None:
    model = opened(provider, peer, model=f"whole-{provider}")
    peer.play(behaviours.respond(wires.answer(provider)))
    for calls in (2, 3):
        ear = Ear()
        assert model.stream(PROMPT, Deadline.after(AMPLE), ear).text == wires.REPLY
        assert (ear.heard, len(peer.received)) == ([], calls)


def test_a_row_may_forbid_it(provider: Provider, peer: Peer) -> None:
    model = opened(provider, peer, stream=False)
    peer.play(behaviours.respond(wires.answer(provider)))
    assert model.stream(PROMPT, Deadline.after(AMPLE), Ear()).text == wires.REPLY
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
    ear = Ear()
    assert model.stream(PROMPT, Deadline.after(AMPLE), ear).text == WHOLE
    assert ear.heard
    assert len(peer.received) == 2


@pytest.mark.parametrize("commits", [False, True])
def test_once_something_was_said_nobody_is_asked_again(peer: Peer, *, commits: bool) -> None:
    guarded = make_guard()(loaded("openai", peer.url), "openai")
    peer.play(streaming("openai", wires.events("openai", PIECES)[:3], Connection.reset))
    with pytest.raises(BackendError):
        guarded.stream(PROMPT, Deadline.after(AMPLE), Ear(commits=commits))
    assert len(peer.received) == (1 if commits else 2)


def test_nothing_is_left_behind(provider: Provider, peer: Peer, model: ExternalModel) -> None:
    def left() -> tuple[int, int]:
        peer.settle()
        return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())

    def once() -> None:
        peer.play(streaming(provider, wires.events(provider, PIECES)[:4], Connection.hold))
        model.stream(PROMPT, Deadline.after(AMPLE), Ear("いらっしゃい。"))

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
