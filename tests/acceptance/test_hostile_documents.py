"""Documents made to break parsers end in a load or in problems with a place, as YAML and as what a bot says.

`tests/data/hostile_documents.jsonl` holds the texts of public suites: yaml-test-suite, json-test-suite and the big list
of naughty strings. Bombs that would only make the file large, two of the suites' own among them, are written here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.measure import run
from engine.core.node import MAX_NODES
from engine.core.source import Problem
from engine.pipeline.reading.files import UNPRINTABLE, Sources, lines
from engine.validation.project import validate
from engine.validation.reporters import text
from engine.validation.reporters.report import Report, to_github, to_sarif

ROOT = Path(__file__).parent.parent.parent
MOST_MEGABYTES = 200
DATA = ROOT / "tests" / "data" / "hostile_documents.jsonl"
DOCUMENTS = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]
SOURCES = sorted({document["source"] for document in DOCUMENTS})
PIPELINE = """\
version: 1
name: hostile
persona: {name: Mai}
replies: [replies.yml]
steps:
  - {id: canned, kind: replies}
  - {id: sorry, kind: say, reply: sorry}
"""
SORRY = "  - {id: sorry, say: [Sorry.]}\n"
BOMBS = {
    "brackets": "[" * 100_000,
    "braces": "{a: " * 100_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "open array object": '[{"":' * 50_000,
    "aliases": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "merge keys": "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 60)),
    "many anchors": "".join(f"- &a{n} x\n" for n in range(50_000)),
    "long key": "a" * 200_000 + ": x",
    "long line": "replies: [" + "x, " * 200_000 + "]",
    "deep block": "".join(" " * n + "a:\n" for n in range(2_000)),
    "quotes": '"' + "\\x41" * 100_000,
    "folded": "replies: >\n" + " x\n" * 100_000,
    "texts of two lines": "replies:\n" + "  - a\n    b - c\n" * 50_000,
    "glued comments": "replies:\n" + "  - a #b\n" * 90_000,
    "number": "replies: " + "9" * 100_000,
    "marks": "replies: " + "\u0301\u0316" * 40_000,
    "ligatures": "replies: " + "\ufdfa" * 90_000,
}
TEMPLATES = [
    "{{ 10 ** 30000000 }}",
    "{{ 'x' * 1000000000 }}",
    "{% for a in range(10**9) %}{% for b in range(10**9) %}x{% endfor %}{% endfor %}",
    "{{ persona.name.__class__.__mro__ }}",
    "{{ ('%1000000000d' % 1) }}",
    "{{ 'x' | center(1000000000) }}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}",
    "{{ " + "-" * 3_000 + "1 }}",
    "{% if 1 %}" * 500,
    "{{ persona." + "a." * 1_500 + "b }}",
]


def quoted(text: str) -> str:
    """`text` in double quotes, with what no file may hold as an escape."""
    return UNPRINTABLE.sub(lambda found: f"\\U{ord(found[0]):08X}", json.dumps(text, ensure_ascii=False))


def findings(folder: Path, replies: str | bytes, monkeypatch: pytest.MonkeyPatch) -> tuple[Problem, ...]:
    """The problems of a folder whose replies are `replies`, which every report can show."""
    monkeypatch.chdir(folder)
    Path("pipeline.yml").write_text(PIPELINE, "utf-8")
    Path("replies.yml").write_bytes(replies if isinstance(replies, bytes) else replies.encode("utf-8", "surrogatepass"))
    sources = Sources()
    found = validate([Path("pipeline.yml")], sources)
    report = Report(problems=found.problems, files=len(found.files), replies=found.replies, seconds=0.0)
    for rendered in (text.render(report, sources, colour=True), to_github(report), to_sarif(report)):
        rendered.encode("utf-8")
    return found.problems


def assert_placed(problems: tuple[Problem, ...], source: str) -> None:
    written = lines(source)
    for problem in problems:
        if problem.span.file == "replies.yml":
            assert 1 <= problem.span.line <= len(written) + 1
            assert problem.span.column >= 1
            assert len(problem.message) < 1_000


@pytest.mark.parametrize("source", SOURCES)
def test_as_a_file_of_replies(source, tmp_path, monkeypatch):
    for document in DOCUMENTS:
        if document["source"] == source:
            problems = findings(tmp_path, document["text"], monkeypatch)
            assert problems, document["id"]
            assert_placed(problems, document["text"])


@pytest.mark.parametrize("source", SOURCES)
def test_as_what_a_bot_hears_and_says(source, tmp_path, monkeypatch):
    texts = [document["text"] for document in DOCUMENTS if document["source"] == source]
    replies = "".join(
        f"  - {{id: r{number}, match: [{word}, {{contains: {word}}}], say: [{word}], examples: [{word}]}}\n"
        for number, word in enumerate(quoted(text) for text in texts)
    )
    problems = findings(tmp_path, f"replies:\n{SORRY}{replies}", monkeypatch)
    assert_placed(problems, replies)
    assert {problem.code for problem in problems} >= {"P204"}


@pytest.mark.parametrize("source", SOURCES)
def test_as_a_regex_and_a_condition(source, tmp_path, monkeypatch):
    texts = [document["text"] for document in DOCUMENTS if document["source"] == source]
    replies = "".join(
        f"  - {{id: r{number}, match: [{{regex: {word}}}], when: {word}, say: [x]}}\n"
        for number, word in enumerate(quoted(text[:200]) for text in texts)
    )
    problems = findings(tmp_path, f"replies:\n{SORRY}{replies}", monkeypatch)
    assert {problem.code for problem in problems} >= {"P401", "P406"}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(bomb, tmp_path, monkeypatch):
    problems = findings(tmp_path, BOMBS[bomb], monkeypatch)
    assert problems
    assert_placed(problems, BOMBS[bomb])


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template[:20])
def test_template_bombs(template, tmp_path, monkeypatch):
    replies = f"replies:\n{SORRY}  - {{id: bomb, match: [x], say: [{quoted(template)}]}}\n"
    problems = [problem for problem in findings(tmp_path, replies, monkeypatch) if problem.severity == "error"]
    assert problems
    assert all(problem.span.line == 3 for problem in problems)


@pytest.mark.parametrize("bomb", ["long line", "nested lists", "wrong replies", "merge keys"])
def test_a_whole_process_needs_little_memory(bomb, tmp_path):
    """As much as may be read, with mistakes everywhere."""
    largest = {
        "nested lists": "replies: [" + ",".join("[" * 30 + "x" + "]" * 30 for _ in range(MAX_NODES // 33)) + "]",
        "wrong replies": "replies:\n" + "  - {id: a, sya: [b], match: c, when: {}}\n" * (MAX_NODES // 12),
    }
    (tmp_path / "pipeline.yml").write_text(PIPELINE, "utf-8")
    (tmp_path / "replies.yml").write_text((BOMBS | largest)[bomb], "utf-8")
    command = [sys.executable, "-m", "engine", "validate", "pipeline.yml"]
    held = run(command, {"PYTHONPATH": str(ROOT)}, tmp_path, may_end_with=(1,))
    assert held.megabytes < MOST_MEGABYTES


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"\x00" * 1_000, b"\xed\xa0\x80", b"\xc0\xaf", b"\xef\xbb\xbf"])
def test_bytes_that_are_no_text(data, tmp_path, monkeypatch):
    assert findings(tmp_path, data, monkeypatch)
