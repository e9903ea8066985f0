"""Results as one HTML page that needs nothing else: no script, style, font or picture from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from engine.chat.trace import trace_lines
from engine.golden.coverage import Coverage
from engine.golden.overmatch import NearMiss
from engine.golden.report.console import model, score
from engine.golden.result import ConversationResult, Difference, TurnResult, tally_statuses
from engine.golden.word_differences import expected_side, got_side, pieces


def render(
    results: Sequence[ConversationResult],
    *,
    coverage: Sequence[Coverage] = (),
    near: Sequence[NearMiss] = (),
    seconds: float,
) -> str:
    """The whole page."""
    return page(
        "report.html.j2",
        {
            "counts": tally_statuses(tuple(results)),
            "turns": sum(len(result.turns) for result in results),
            "seconds": seconds,
            "conversations": [_conversation(result) for result in results],
            "coverage": coverage,
            "near": near,
        },
    )


def page(template: str, names: dict[str, Any]) -> str:
    """A template of this package, rendered with everything escaped."""
    here = files("engine.golden.report")
    environment = Environment(
        loader=FunctionLoader(lambda name: here.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**names)


def _conversation(result: ConversationResult) -> dict[str, Any]:
    plan = result.plan
    return {
        "name": result.spec.name.value,
        "place": str(result.spec.name.span),
        "pipeline": plan.name if plan else "",
        "locale": plan.locale if plan else "",
        "status": result.status,
        "skipped": result.skipped,
        "milliseconds": result.seconds * 1000,
        "repeats": result.repeats,
        "user": plan.persona.labels.user if plan else "",
        "persona": plan.persona.name if plan else "",
        "turns": [_turn(turn) for turn in result.turns],
    }


def _turn(turn: TurnResult) -> dict[str, Any]:
    outcome = turn.outcome
    return {
        "status": turn.status,
        "at": turn.now.strftime("%Y-%m-%d %H:%M"),
        "user": turn.spec.user.value,
        "reply": outcome.reply,
        "engine": outcome.engine or "nobody",
        "step": outcome.step,
        "source": outcome.reply_id or model(outcome),
        "score": score(outcome),
        "milliseconds": turn.result.latency_ms,
        "escalations": [f"{one.step}: {one.reason}" for one in outcome.escalations],
        "stale": [str(stale) for stale in turn.stale],
        "differences": [_difference(difference) for difference in turn.differences],
        "trace": [line for line, _ in trace_lines(outcome)],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    found = pieces(difference.expected, difference.got)
    return {
        "key": difference.expectation.key,
        "place": str(difference.expectation.span),
        "expected": expected_side(found),
        "got": got_side(found),
    }
