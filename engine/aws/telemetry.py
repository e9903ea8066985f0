"""Tells CloudWatch what turns count, and X-Ray how long each step took; neither costs a turn.

Dimension names and values come from closed lists, those of the engine and of the plan: no text of a user, no reply and
no secret can become one. Numbers go out in the embedded metric format, one line for each set of dimensions, by
aws-lambda-powertools, which is imported only where metrics are wanted. A step is a subsegment, sent to Lambda's own
daemon as one datagram, in the form that X-Ray publishes
(https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Literal, get_args

from engine.core.events import ChatResult, Event, ModelAnswered, ModelAsked, Outcome, StepEnded
from engine.core.plan import Plan
from engine.core.record import record
from engine.core.turn import Engine
from engine.usage import Prices

NAMESPACE = "Misaki"
ERRORS = ("error", "timeout", "refusal", "empty", "budget", "turns")
"""Reasons that need no detector."""
OTHER = "other"

Unit = Literal["Count", "Milliseconds", "NoUnit"]
Dimension = Literal["engine", "reason", "step", "model"]


@record
class Measure:
    """Values that share one dimension besides the function's name, or none."""

    values: tuple[tuple[str, Unit, float], ...]
    dimension: Dimension | None = None
    of: str = ""


Emit = Callable[[Measure], None]


class TurnMetrics:
    """Listens to turns and counts them; `health` is the application's."""

    def __init__(self, plan: Plan, health: Callable[[], Mapping[str, Any]], emit: Emit, prices: Prices) -> None:
        self._health = health
        self._emit = emit
        self._count = Vocabulary.of(plan)
        self._prices = prices
        self._loaded: set[str] = set()
        self._open: set[str] = set()

    def started(self, seconds: float, plan_seconds: float) -> None:
        """Count a cold start that took `seconds`, and what of it the pipeline's plan took."""
        plan, start = plan_seconds * 1000, seconds * 1000
        times: tuple[tuple[str, Unit, float], ...] = (
            ("PlanTime", "Milliseconds", plan),
            ("StartTime", "Milliseconds", start),
        )
        self._emit(Measure(values=(("ColdStart", "Count", 1), *times)))

    def __call__(self, event: Event) -> None:
        if not isinstance(event, ChatResult):
            return
        for measure in self._count.turn(event, self._prices):
            self._emit(measure)
        # `health` opens every model, which the first canned reply need not wait for.
        if any(isinstance(one, ModelAsked) for one in event.outcome.trace):
            for measure in self._models():
                self._emit(measure)

    def _models(self) -> Iterator[Measure]:
        """Load times when they are first known; breakers while they are open, and when they close."""
        for name, status in self._health()["models"].items():
            seconds = status.get("load_seconds")
            if seconds is not None and name not in self._loaded:
                self._loaded.add(name)
                yield self._count.model(name, (("ModelLoadTime", "Milliseconds", seconds * 1000),))
            is_open = (status.get("circuit") or {}).get("state", "closed") != "closed"
            if is_open or name in self._open:
                yield self._count.model(name, (("BreakerOpen", "Count", float(is_open)),))
            (self._open.add if is_open else self._open.discard)(name)


@record
class Vocabulary:
    """The closed lists; a value that is in none of them is counted as `other`."""

    engines: frozenset[str]
    reasons: frozenset[str]
    steps: frozenset[str]
    models: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> Vocabulary:
        reasons = {detector.reason for step in plan.steps for detector in step.detectors}
        return cls(
            engines=frozenset({*get_args(Engine), "none"}),
            reasons=_nameable({*reasons, *ERRORS}),
            steps=_nameable(step.id for step in plan.steps),
            models=_nameable(plan.models),
        )

    def turn(self, result: ChatResult, prices: Prices) -> Iterator[Measure]:
        """Everything that one turn counts."""
        outcome = result.outcome
        engine = outcome.engine if outcome.reply is not None and outcome.engine else "none"
        yield Measure(
            dimension="engine",
            of=engine if engine in self.engines else OTHER,
            values=(("Turns", "Count", 1), ("TurnTime", "Milliseconds", result.latency_ms)),
        )
        for reason, times in self._reasons(outcome).items():
            yield Measure(dimension="reason", of=reason, values=(("Escalations", "Count", times),))
        for event in outcome.trace:
            if isinstance(event, StepEnded):
                step = event.step if event.step in self.steps else OTHER
                yield Measure(dimension="step", of=step, values=(("StepTime", "Milliseconds", event.seconds * 1000),))
            elif isinstance(event, ModelAnswered):
                yield from self._tokens(event, prices)

    def model(self, name: str, values: tuple[tuple[str, Unit, float], ...]) -> Measure:
        return Measure(dimension="model", of=name if name in self.models else OTHER, values=values)

    def _reasons(self, outcome: Outcome) -> Counter[str]:
        reasons = (escalation.reason for escalation in outcome.escalations)
        return Counter(reason if reason in self.reasons else OTHER for reason in reasons)

    def _tokens(self, event: ModelAnswered, prices: Prices) -> Iterator[Measure]:
        name, read, written = event.model, event.prompt_tokens, event.tokens
        values: list[tuple[str, Unit, float]] = []
        if read is not None:
            values.append(("PromptTokens", "Count", read))
        if written is not None:
            values.append(("CompletionTokens", "Count", written))
        if name in prices and values:
            per_read, per_written = prices[name]
            dollars = ((read or 0) * per_read + (written or 0) * per_written) / 1e6
            values.append(("EstimatedCost", "NoUnit", dollars))
        if values:
            yield self.model(name, tuple(values))


def emf(function: str) -> Emit:
    """Writes measures to standard output, which Lambda hands to CloudWatch."""
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    units = {"Count": MetricUnit.Count, "Milliseconds": MetricUnit.Milliseconds, "NoUnit": MetricUnit.NoUnit}

    def emit(measure: Measure) -> None:
        metrics = EphemeralMetrics(namespace=NAMESPACE)
        metrics.add_dimension(name="function", value=function)
        if measure.dimension is not None:
            metrics.add_dimension(name=measure.dimension, value=measure.of)
        for name, unit, value in measure.values:
            metrics.add_metric(name=name, unit=units[unit], value=value)
        # A number that is lost costs no turn.
        with suppress(OSError, ValueError):
            metrics.flush_metrics()

    return emit


def _nameable(names: Iterable[str]) -> frozenset[str]:
    """Those that CloudWatch takes as the value of a dimension."""
    return frozenset(name for name in names if name.isascii() and name.isprintable() and name.strip())


_HEADER = b'{"format": "json", "version": 1}\n'


class TurnTracing:
    """Listens to turns and shows them to X-Ray; `header` gives the trace of the invocation under way."""

    def __init__(self, daemon: tuple[str, int], header: Callable[[], str]) -> None:
        self._daemon = daemon
        self._header = header

    def __call__(self, event: Event) -> None:
        if not isinstance(event, ChatResult):
            return
        trace = _fields(self._header())
        if trace.get("Sampled") == "1":
            # A trace that is lost is no reason to lose the turn.
            with suppress(OSError):
                self._send(subsegments(event.outcome, trace, time.time()))

    def _send(self, documents: Iterable[Mapping[str, Any]]) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
            sending.setblocking(False)
            for document in documents:
                sending.sendto(_HEADER + json.dumps(document).encode(), self._daemon)


def daemon_of(address: str) -> tuple[str, int] | None:
    """The UDP address in `AWS_XRAY_DAEMON_ADDRESS`: `HOST:PORT`, or `tcp:HOST:PORT udp:HOST:PORT`."""
    for part in reversed(address.split()):
        host, _, port = part.removeprefix("udp:").rpartition(":")
        if host and port.isdecimal() and not part.startswith("tcp:"):
            return host, int(port)
    return None


def subsegments(outcome: Outcome, trace: Mapping[str, str], ended: float) -> Iterator[dict[str, Any]]:
    """A document for each step that ran; `ended` is the turn's end in seconds since 1970."""
    started = ended - outcome.seconds
    for event in outcome.trace:
        if not isinstance(event, StepEnded):
            continue
        yield {
            "type": "subsegment",
            "id": os.urandom(8).hex(),
            "trace_id": trace.get("Root", ""),
            "parent_id": trace.get("Parent", ""),
            "name": event.step,
            "start_time": started,
            "end_time": started + event.seconds,
            "error": event.end == "escalated",
            "annotations": {"end": event.end},
        }
        started += event.seconds


def _fields(header: str) -> dict[str, str]:
    """`Root=…;Parent=…;Sampled=1` by its names."""
    pairs = (field.partition("=") for field in header.split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs}
