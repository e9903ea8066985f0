"""Writes results as files: JUnit XML, the form that CI systems read, and one HTML page that needs nothing else."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

from jinja2 import Environment, FunctionLoader, StrictUndefined
from rich.console import Console

from engine.chat.trace import trace_lines
from engine.core.language import said, spoken, tell
from engine.golden.coverage import Coverage, NearMiss
from engine.golden.report.console import (
    COUNTS,
    STATUSES,
    count_turns,
    expected_side,
    got_side,
    model,
    pieces,
    score,
    show_conversation,
    tally_turns,
)
from engine.golden.result import ConversationResult, Difference, Status, TurnResult, tally_statuses

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_junit(results: Sequence[ConversationResult]) -> str:
    """The whole document."""
    root = ET.Element("testsuites", name="misaki test")
    by_file: dict[str, list[ConversationResult]] = {}
    for result in results:
        by_file.setdefault(result.golden.path.as_posix(), []).append(result)
    for file, of_file in by_file.items():
        root.append(_suite(file, of_file))
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(file: str, results: Sequence[ConversationResult]) -> ET.Element:
    suite = ET.Element(
        "testsuite",
        name=file,
        tests=str(len(results)),
        failures=str(sum(result.status in ("failed", "stale") for result in results)),
        errors="0",
        skipped=str(sum(result.status == "skipped" for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        name = _clean(result.spec.name.value)
        case = ET.SubElement(suite, "testcase", classname=file, name=name, time=f"{result.seconds:.3f}")
        if result.status == "skipped":
            ET.SubElement(case, "skipped", message=_clean(result.skipped or ""))
        elif result.status != "passed":
            element = ET.SubElement(case, "failure", type=result.status, message=_message(result))
            element.text = _clean(as_text(result))
    return suite


def as_text(result: ConversationResult) -> str:
    """The conversation as the terminal shows it, without colours."""
    buffer = io.StringIO()
    show_conversation(result, Console(file=buffer, color_system=None, highlight=False, width=200))
    return buffer.getvalue().strip("\n")


def _message(result: ConversationResult) -> str:
    turns = [turn for turn in result.turns if turn.status != "passed"]
    keys = [difference.expectation.key for turn in turns for difference in turn.differences]
    what = f"differs in {', '.join(dict.fromkeys(keys))}" if keys else "stale"
    return f"turn {', '.join(str(turn.spec.number) for turn in turns)}: {what}"


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)


def render_html(
    results: Sequence[ConversationResult],
    *,
    coverage: Sequence[Coverage] = (),
    near: Sequence[NearMiss] = (),
    seconds: float,
) -> str:
    """The whole page. It opens at what is not as it was, and offers the commands that accept it."""
    counts = tally_statuses(tuple(results))
    return page(
        "report.html.j2",
        {
            "counts": counts,
            "named": COUNTS,
            "summary": tell("{conversations}, {seconds:.2f} s", conversations=tally_turns(results), seconds=seconds),
            "commands": list(_commands(results)),
            "shown_first": "different" if any(counts[status] for status in _OPEN) else "all",
            "labels": {"different": tell("not as it was"), "all": tell("all")}
            | {status: said(name) for status, name in STATUSES.items()},
            "conversations": [_conversation(result) for result in results],
            "coverage": coverage,
            "near": near,
        },
    )


_OPEN: tuple[Status, ...] = ("failed", "stale")


def _commands(results: Sequence[ConversationResult]) -> Iterator[tuple[str, str]]:
    """What the commands are for that make all of these results pass, and the commands."""
    failed = [result for result in results if result.status == "failed"]
    stale = [result for result in results if result.status == "stale"]
    if failed:
        yield tell("To accept what is different now:"), _accepting(failed)
    if stale:
        yield tell("To ask the models anew and accept what they say:"), _accepting(stale)


def _accepting(results: Sequence[ConversationResult], name: str = "") -> str:
    """The command that accepts what came of `results`, which are all failed or all stale."""
    files = dict.fromkeys(result.golden.path.as_posix() for result in results)
    mode = ["--record"] if results[0].status == "stale" else []
    return shlex.join(["misaki", "test", *files, *(["-k", name] if name else []), *mode, "--accept"])


def page(template: str, names: dict[str, Any]) -> str:
    """Renders a template of this package in the language of the command, with everything escaped."""
    here = files("engine.golden.report")
    environment = Environment(
        loader=FunctionLoader(lambda name: here.joinpath(name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**names, t=tell, said=said, language=spoken.get())


def _conversation(result: ConversationResult) -> dict[str, Any]:
    plan = result.plan
    return {
        "name": result.spec.name.value,
        "place": str(result.spec.name.span),
        "pipeline": plan.name if plan else "",
        "locale": plan.locale if plan else "",
        "status": result.status,
        "skipped": said(result.skipped or ""),
        "many": count_turns(len(result.turns)),
        "command": _accepting([result], name=result.spec.name.value) if result.status in _OPEN else "",
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
        "engine": outcome.engine or tell("nobody"),
        "step": outcome.step,
        "source": outcome.reply_id or model(outcome),
        "score": score(outcome),
        "milliseconds": turn.result.latency_ms,
        "escalations": [f"{one.step}: {one.reason}" for one in outcome.escalations],
        "stale": [said(str(stale)) for stale in turn.stale],
        "differences": [_difference(difference) for difference in turn.differences],
        "trace": [line for line, _ in trace_lines(outcome)],
    }


def _difference(difference: Difference) -> dict[str, Any]:
    found = pieces(said(difference.expected), said(difference.got))
    return {
        "key": difference.expectation.key,
        "place": str(difference.expectation.span),
        "expected": expected_side(found),
        "got": got_side(found),
    }
