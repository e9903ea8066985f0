"""What CloudWatch counts, and that nothing but numbers and listed names can get there."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from engine.aws.telemetry import Measure, TurnMetrics, TurnTracing, daemon_of, emf
from engine.core.events import (
    ChatResult,
    Escalation,
    ModelAnswered,
    ModelAsked,
    Outcome,
    StepEnded,
    StepPassedOver,
    TurnStarted,
    VariablesSet,
)
from engine.core.plan import ExpressionDetector, NamedDetector
from engine.usage import read_prices
from tests.fakes.plans import condition, generate_step, plan, replies_step

SCHEMA = Draft202012Validator(json.loads((Path(__file__).parents[2] / "data" / "emf.schema.json").read_text()))
CANARY = "猫の名前はカナリア"
DETECTORS = (
    NamedDetector(name="low_confidence", threshold=0.25),
    ExpressionDetector(test=condition("output.tokens < 3"), reason="too short"),
    ExpressionDetector(test=condition("output.tokens < 2"), reason="短すぎる"),
)
PLAN = plan(replies_step("canned"), generate_step("small_talk", "small", detectors=DETECTORS))


def generated(step, model, prompt_tokens, tokens, seconds=0.0):
    return ModelAnswered(
        step=step, model=model, finish_reason="stop", prompt_tokens=prompt_tokens, tokens=tokens, seconds=seconds
    )


CANNED = Outcome(
    reply="いらっしゃい。", engine="canned", step="canned", trace=(StepEnded(step="canned", end="answered"),)
)
LARGE = Outcome(
    reply=CANARY,
    engine="external",
    step="ask_large",
    escalations=(
        Escalation(step="small_talk", reason="too short", model="small", detail=CANARY),
        Escalation(step="small_talk", reason="短すぎる", model="small"),
        Escalation(step="small_talk", reason=CANARY, model="small"),
    ),
    trace=(
        VariablesSet(step="canned", values={"text": CANARY}),
        StepEnded(step="canned", end="continued", seconds=0.0002),
        generated("small_talk", "small", 1000, 2, seconds=0.5),
        StepEnded(step="small_talk", end="escalated", seconds=0.6),
        generated(CANARY, CANARY, None, 7),
        StepEnded(step=CANARY, end="answered", seconds=1.0),
    ),
)


class Turns:
    """Turns that all come to `outcome`, and what is counted of them."""

    def __init__(self, outcome=CANNED, emit=None, **prices):
        self.outcome = outcome
        self.models = {}
        self.measures: list[Measure] = []
        self.metrics = TurnMetrics(PLAN, lambda: {"models": self.models}, emit or self.measures.append, prices)

    def take(self, times=1):
        for _ in range(times):
            self.metrics(TurnStarted(session_id=CANARY, number=1))
            self.metrics(ChatResult(text=CANARY, outcome=self.outcome, session_id=CANARY, latency_ms=12.5))
        return self.measures


def of(measures, dimension):
    return [
        (measure.of, *((name, value) for name, _, value in measure.values))
        for measure in measures
        if measure.dimension == dimension
    ]


def test_a_turn_is_counted_by_its_engine():
    assert of(Turns().take(), "engine") == [("canned", ("Turns", 1), ("TurnTime", 12.5))]
    assert of(Turns(Outcome(reply=None)).take(), "engine") == [("none", ("Turns", 1), ("TurnTime", 12.5))]


def test_escalations_are_counted_by_reason_and_unknown_ones_together():
    assert of(Turns(LARGE).take(), "reason") == [("too short", ("Escalations", 1)), ("other", ("Escalations", 2))]


def test_each_step_that_ran_has_its_time():
    assert of(Turns(LARGE).take(), "step") == [
        ("canned", ("StepTime", 0.2)),
        ("small_talk", ("StepTime", 600.0)),
        ("other", ("StepTime", 1000.0)),
    ]


def test_tokens_and_their_price_are_counted_by_model():
    assert of(Turns(LARGE, small=(1.0, 10.0)).take(), "model") == [
        ("small", ("PromptTokens", 1000), ("CompletionTokens", 2), ("EstimatedCost", pytest.approx(0.00102))),
        ("other", ("CompletionTokens", 7)),
    ]


@pytest.mark.parametrize(("told", "dollars"), [((None, 7), 7e-5), ((7, None), 7e-6)])
def test_what_is_known_of_a_price_is_counted(told, dollars):
    half = Outcome(reply="", trace=(generated("small_talk", "small", *told),))
    [(_, _, cost)] = of(Turns(half, small=(1.0, 10.0)).take(), "model")
    assert cost == ("EstimatedCost", pytest.approx(dollars))


ASKED = Outcome(reply=None, trace=(ModelAsked(step="small_talk", model="small"),))


def test_a_turn_that_asks_no_model_opens_none():
    turns = Turns()
    turns.models = None
    assert of(turns.take(), "engine")


def test_a_load_time_is_counted_once_and_only_when_it_is_known():
    turns = Turns(ASKED)
    turns.models = {"small": {"load_seconds": None}}
    assert of(turns.take(), "model") == []
    turns.models = {"small": {"load_seconds": 0.25}}
    assert of(turns.take(3), "model") == [("small", ("ModelLoadTime", 250.0))]


def test_a_breaker_is_counted_while_it_is_open_and_when_it_closes():
    turns = Turns(ASKED)
    for state in ("closed", "open", "half_open", "closed", "closed"):
        turns.models = {"small": {"circuit": {"state": state}}}
        turns.take()
    assert of(turns.measures, "model") == [("small", ("BreakerOpen", value)) for value in (1.0, 1.0, 0.0)]


def test_a_start_is_counted_with_the_plan_s_part_of_it():
    turns = Turns()
    turns.metrics.started(0.125, 0.0045)
    [start] = turns.measures
    assert [(name, value) for name, _, value in start.values] == [
        ("ColdStart", 1),
        ("PlanTime", 4.5),
        ("StartTime", 125.0),
    ]


def test_every_line_is_in_the_embedded_metric_format_and_holds_no_text_of_a_user(capsys):
    turns = Turns(LARGE, emf("misaki"), small=(0.15, 0.6))
    turns.metrics.started(0.123, 0.004)
    turns.take()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 1 + 2 + 3 + 2
    for line in lines:
        record = json.loads(line)
        SCHEMA.validate(record)
        [directive] = record["_aws"]["CloudWatchMetrics"]
        named = {dimension for dimensions in directive["Dimensions"] for dimension in dimensions}
        assert named <= {"function", "engine", "reason", "step", "model"}
        assert {metric["Name"] for metric in directive["Metrics"]} | named == record.keys() - {"_aws"}
        assert CANARY not in json.dumps(record, ensure_ascii=False)
        assert line.isascii()


@pytest.mark.parametrize(
    "text",
    ["[]", "{", '{"openai": 1}', '{"openai": [1]}', '{"a": [-1, 0]}', '{"a": [NaN, 0]}', '{"a": [Infinity, 0]}'],
)
def test_prices_that_are_none_are_refused_with_the_variable_s_name(text):
    with pytest.raises(ValueError, match="MODEL_PRICES"):
        read_prices(text)


def test_prices_are_dollars_for_a_million_tokens():
    assert read_prices("") == {}
    assert read_prices('{"openai": [0.15, 0.6], "own": [0, 0]}') == {"openai": (0.15, 0.6), "own": (0.0, 0.0)}


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
