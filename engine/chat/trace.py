"""Writes the events of a turn as the trace that clients, terminals and reports show: names and JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.core.events import (
    CandidateRefused,
    ModelAnswered,
    ModelFailed,
    NoReply,
    Outcome,
    ReplyChosen,
    ReplyFailed,
    ReplyMatched,
    StepEnded,
    StepEvent,
    StepPassedOver,
    VariablesSet,
)

_SHOWN: Mapping[type[StepEvent], tuple[str, tuple[str, ...]]] = {
    StepPassedOver: ("not_applicable", ()),
    CandidateRefused: ("condition_refused", ("reply_id", "score")),
    ReplyFailed: ("reply_failed", ("reply_id", "score", "problem")),
    ReplyMatched: ("matched", ("reply_id", "score", "variant")),
    ReplyChosen: ("listened", ("reply_id", "variant", "among")),
    NoReply: ("no_match", ("threshold",)),
    VariablesSet: ("set", ()),
    ModelAnswered: ("generated", ("model", "finish_reason", "prompt_tokens", "tokens", "confidence", "escalates")),
    ModelFailed: ("failed", ("model", "name", "reason", "kind", "status", "code", "problem")),
    StepEnded: ("", ()),
}
"""The events that a trace has, each with its name and the fields that are its data."""


def trace_entries(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """`step`, `event`, `seconds` and `data` of each decision."""
    for event in outcome.trace:
        if type(event) in _SHOWN:
            name, data = _name_and_data(event)
            seconds = round(getattr(event, "seconds", 0.0), 6)
            yield {"step": event.step, "event": name, "seconds": seconds, "data": data}


def trace_lines(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """Each decision as a line of text, with its seconds."""
    for entry in trace_entries(outcome):
        data = (f"{key}={value}" for key, value in entry["data"].items())
        yield " ".join((entry["step"], entry["event"], *data)), entry["seconds"]


def _name_and_data(event: StepEvent) -> tuple[str, Mapping[str, Any]]:
    name, fields = _SHOWN[type(event)]
    data = {field: getattr(event, field) for field in fields}
    match event:
        case StepEnded():
            return event.end, data
        case ModelFailed(called=False):
            return "skipped", data
        case VariablesSet():
            return name, event.values
        case ReplyChosen():
            return name, data | {"among": list(event.among)}
        case NoReply(threshold=None):
            return name, {}
        case _:
            return name, data
