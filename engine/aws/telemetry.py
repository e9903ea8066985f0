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

from engine.api.answer import Log
from engine.app import App
from engine.core.events import ChatResult, Event, ModelAnswered, ModelAsked, Outcome, StepEnded
from engine.core.plan import Plan
from engine.core.record import record
from engine.core.turn import Engine
from engine.usage import Prices, known_prices

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


def count_turns(app: App, env: Mapping[str, str], started: float, log: Log) -> None:
    """Have the turns of `app` counted, which began to load at `started`; what keeps it from counting is logged."""
    try:
        emit = emf(env.get("AWS_LAMBDA_FUNCTION_NAME", "local"))
    except ImportError:
        log({"level": "warning", "event": "no_metrics", "message": "METRICS needs aws-lambda-powertools: install it"})
        return
    prices, problem = known_prices(app.plan, env)
    if problem:
        log({"level": "warning", "event": "no_prices", "message": problem})
    metrics = TurnMetrics(app.plan, app.health, emit, prices)
    metrics.started(time.monotonic() - started, app.phases.get("plan", 0.0))
    app.add_listener(metrics)


def trace_turns(app: App, env: Mapping[str, str]) -> None:
    """Show the steps of `app` to X-Ray, where there is a daemon to send them to."""
    daemon = daemon_of(env["AWS_XRAY_DAEMON_ADDRESS"])
    if daemon is not None:
        # Lambda puts each invocation's trace into the environment.
        app.add_listener(TurnTracing(daemon, lambda: env.get("_X_AMZN_TRACE_ID", "")))


class TurnMetrics:
    """Listens to turns and counts them; `health` is the application's.

    A name that is in none of the plan's lists is counted as `other`.
    """

    def __init__(self, plan: Plan, health: Callable[[], Mapping[str, Any]], emit: Emit, prices: Prices) -> None:
        self._health = health
        self._emit = emit
        self._prices = prices
        reasons = {detector.reason for step in plan.steps for detector in step.detectors}
        self._names: Mapping[Dimension, frozenset[str]] = {
            "engine": frozenset({*get_args(Engine), "none"}),
            "reason": _nameable({*reasons, *ERRORS}),
            "step": _nameable(step.id for step in plan.steps),
            "model": _nameable(plan.models),
        }
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
        outcome = event.outcome
        engine = outcome.engine if outcome.reply is not None and outcome.engine else "none"
        self._count("engine", engine, ("Turns", "Count", 1), ("TurnTime", "Milliseconds", event.latency_ms))
        reasons = (escalation.reason for escalation in outcome.escalations)
        for reason, times in Counter(self._known("reason", reason) for reason in reasons).items():
            self._count("reason", reason, ("Escalations", "Count", times))
        for one in outcome.trace:
            if isinstance(one, StepEnded):
                self._count("step", one.step, ("StepTime", "Milliseconds", one.seconds * 1000))
            elif isinstance(one, ModelAnswered):
                self._count_tokens(one)
        # `health` opens every model, which the first canned reply need not wait for.
        if any(isinstance(one, ModelAsked) for one in outcome.trace):
            self._count_models()

    def _count(self, dimension: Dimension, name: str, *values: tuple[str, Unit, float]) -> None:
        self._emit(Measure(dimension=dimension, of=self._known(dimension, name), values=values))

    def _known(self, dimension: Dimension, name: str) -> str:
        return name if name in self._names[dimension] else OTHER

    def _count_tokens(self, event: ModelAnswered) -> None:
        name, read, written = event.model, event.prompt_tokens, event.tokens
        values: list[tuple[str, Unit, float]] = []
        if read is not None:
            values.append(("PromptTokens", "Count", read))
        if written is not None:
            values.append(("CompletionTokens", "Count", written))
        if name in self._prices and values:
            per_read, per_written = self._prices[name]
            dollars = ((read or 0) * per_read + (written or 0) * per_written) / 1e6
            values.append(("EstimatedCost", "NoUnit", dollars))
        if values:
            self._count("model", name, *values)

    def _count_models(self) -> None:
        """Count load times when they are first known; breakers while they are open, and when they close."""
        for name, status in self._health()["models"].items():
            seconds = status.get("load_seconds")
            if seconds is not None and name not in self._loaded:
                self._loaded.add(name)
                self._count("model", name, ("ModelLoadTime", "Milliseconds", seconds * 1000))
            is_open = (status.get("circuit") or {}).get("state", "closed") != "closed"
            if is_open or name in self._open:
                self._count("model", name, ("BreakerOpen", "Count", float(is_open)))
            (self._open.add if is_open else self._open.discard)(name)


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
    """Keeps the names that CloudWatch takes as the value of a dimension."""
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
        # `Root=…;Parent=…;Sampled=1`
        pairs = (field.partition("=") for field in self._header().split(";"))
        trace = {name.strip(): value.strip() for name, _, value in pairs}
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
    """Makes a document for each step that ran; `ended` is the turn's end in seconds since 1970."""
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
