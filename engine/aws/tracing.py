"""Tells X-Ray how long each step of a turn took: a subsegment a step, sent to Lambda's own daemon as one datagram.

The document is the one that X-Ray publishes (https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html);
sending it takes no SDK, and nobody waits for an answer. Names and values come from the plan and the engine, as with
metrics.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from engine.core.events import ChatResult, Event, Outcome, StepEnded

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
