"""The words of a report around what the checks found, by language.

A check says in English what it found. In another language its kind stands first, by the title of its page, and the
check's own words under the place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Protocol

from engine.core.language import Language
from engine.core.source import Problem
from engine.validation.reporters.report import Report

Paint = Callable[[str, str], str]
"""Colours words in a style."""


class Frame(Protocol):
    def severity(self, problem: Problem) -> str:
        """How much it matters."""

    def head(self, problem: Problem) -> str:
        """What it is, after its code."""

    def notes(self, problem: Problem) -> Sequence[str]:
        """What stands under its place, a line each."""

    def summary(self, report: Report, paint: Paint) -> str:
        """Counts and time, and where to read on."""


class English:
    def severity(self, problem: Problem) -> str:
        return problem.severity

    def head(self, problem: Problem) -> str:
        return problem.message

    def notes(self, problem: Problem) -> Sequence[str]:
        return (problem.hint,)

    def summary(self, report: Report, paint: Paint) -> str:
        where = f"in {_count(report.files, 'file')} with {_count(report.replies, 'reply', 'replies')}"
        counts = [
            paint("error", _count(report.errors, "error")) if report.errors else "",
            paint("warning", _count(report.warnings, "warning")) if report.warnings else "",
        ]
        found = ", ".join(filter(None, counts)) or paint("good", "no problems")
        return f"{found} {where}, {report.seconds:.2f} s"


class Japanese:
    def severity(self, problem: Problem) -> str:
        return "エラー" if problem.severity == "error" else "警告"

    def head(self, problem: Problem) -> str:
        return title_of(problem.code)

    def notes(self, problem: Problem) -> Sequence[str]:
        return (problem.message, problem.hint)

    def summary(self, report: Report, paint: Paint) -> str:
        where = f"（{report.files:,} ファイル、返事 {report.replies:,} 件、{report.seconds:.2f} 秒）"
        counts = [
            paint("error", f"エラー {report.errors:,} 件") if report.errors else "",
            paint("warning", f"警告 {report.warnings:,} 件") if report.warnings else "",
        ]
        found = "、".join(filter(None, counts)) or paint("good", "問題はありません")
        codes = ",".join(sorted({problem.code for problem in report.problems}))
        pages = f"\n意味と直し方: misaki validate --lang ja --explain {codes}" if codes else ""
        return f"{found}{where}{pages}"


FRAMES: Mapping[Language, Frame] = {"en": English(), "ja": Japanese()}


def title_of(code: str) -> str:
    """What kind of problem `code` is: the heading of its Japanese page, without an import of the checks."""
    page = (files("engine.validation") / "pages" / "ja" / f"{code}.md").read_text("utf-8")
    return page.partition("\n")[0].removeprefix(f"# {code}: ")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
