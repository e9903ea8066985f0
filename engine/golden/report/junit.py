"""Results as JUnit XML, the form that CI systems read: a suite for each file, a case for each conversation."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from rich.console import Console

from engine.golden.report.console import show_conversation
from engine.golden.result import ConversationResult

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(results: Sequence[ConversationResult]) -> str:
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
