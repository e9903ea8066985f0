import json
import socket

import pytest

from engine.aws.tracing import TurnTracing, daemon_of
from engine.core.events import ChatResult, Outcome, StepEnded, StepPassedOver, VariablesSet

SAMPLED = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a:1"
TWO_STEPS = Outcome(
    reply="いらっしゃい。",
    engine="local",
    step="small_talk",
    trace=(
        VariablesSet(step="canned", values={"text": "猫"}),
        StepEnded(step="canned", end="continued", seconds=0.25),
        StepEnded(step="ask_small", end="escalated", seconds=0.5),
        StepPassedOver(step="skipped"),
        StepEnded(step="small_talk", end="answered", seconds=1.0),
    ),
    seconds=1.75,
)


@pytest.fixture
def daemon():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(5)
        yield listening


def documents(daemon, count):
    for _ in range(count):
        header, _, body = daemon.recv(65536).partition(b"\n")
        assert json.loads(header) == {"format": "json", "version": 1}
        yield json.loads(body)


def tell_of_a_turn(tracing):
    for event in (*TWO_STEPS.trace, ChatResult(text="猫", outcome=TWO_STEPS, session_id="s", latency_ms=1.0)):
        tracing(event)


def ask(daemon, header):
    tell_of_a_turn(TurnTracing(daemon.getsockname(), lambda: header))


def test_each_step_that_ran_is_a_subsegment_of_the_invocation(daemon):
    ask(daemon, SAMPLED)
    sent = list(documents(daemon, 3))
    assert [(one["name"], one["error"]) for one in sent] == [
        ("canned", False),
        ("ask_small", True),
        ("small_talk", False),
    ]
    assert {one["trace_id"] for one in sent} == {"1-5759e988-bd862e3fe1be46a994272793"}
    assert {one["parent_id"] for one in sent} == {"53995c3f42cd8ad8"}
    assert len({one["id"] for one in sent}) == 3
    assert all(len(one["id"]) == 16 for one in sent)
    assert [round(one["end_time"] - one["start_time"], 2) for one in sent] == [0.25, 0.5, 1.0]
    assert sent[0]["end_time"] == sent[1]["start_time"]
    assert "猫" not in json.dumps(sent, ensure_ascii=False)


@pytest.mark.parametrize("header", ["", "Root=1-2-3;Parent=4;Sampled=0", "nonsense"])
def test_an_invocation_that_is_not_sampled_sends_nothing(daemon, header):
    ask(daemon, header)
    daemon.setblocking(False)
    with pytest.raises(BlockingIOError):
        daemon.recv(1)


def test_a_daemon_that_is_not_there_costs_nothing():
    tracing = TurnTracing(("127.0.0.1", 9), lambda: SAMPLED)
    for _ in range(3):
        tell_of_a_turn(tracing)


@pytest.mark.parametrize(
    ("address", "daemon_address"),
    [
        ("169.254.79.129:2000", ("169.254.79.129", 2000)),
        ("tcp:127.0.0.1:2000 udp:127.0.0.2:2001", ("127.0.0.2", 2001)),
        ("", None),
        ("nowhere", None),
        ("host:port", None),
    ],
)
def test_the_daemon_s_address(address, daemon_address):
    assert daemon_of(address) == daemon_address
