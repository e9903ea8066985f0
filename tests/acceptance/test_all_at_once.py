"""Every mistake is told at once, and one mistake is told once, without what only follows from it.

Every key of the example that uses all keys is spoilt in turn, in the text as an editor would type it. What is wrong in
the shape of a part must hide no mistake of the others, and must not make them look wrong.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.node import Entry, MappingNode, Node, SequenceNode, plain
from engine.core.source import Problem, Span
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.files import Sources
from engine.validation.project import validate

EVERYTHING = Path(__file__).parent.parent / "configs" / "good" / "everything"
FILES = sorted(path.relative_to(EVERYTHING) for path in EVERYTHING.rglob("*.yml"))
OWN = {"shop", "opens", "drinks"}
"""Keys of the persona's own data: what templates do not find there is told where they look for it."""

ODD = ("[[]]", "{}", "{zz: 1}", "null", "7", "' '", "no", "${X", "2026-13-45")


def entries(node: Node, outer: int) -> Iterator[tuple[Entry, frozenset[int]]]:
    """Each entry with the lines at which a mistake in it may be told: its own, and the first of what it belongs to."""
    if isinstance(node, MappingNode):
        for entry in node.entries:
            line = entry.key.span.line
            yield entry, frozenset((line, node.span.line, outer))
            yield from entries(entry.value, line)
    if isinstance(node, SequenceNode):
        for item in node.items:
            yield from entries(item, item.span.line)


def with_word(lines: list[str], span: Span, word: str) -> str:
    line = lines[span.line - 1]
    changed = line[: span.column - 1] + word + line[span.end_column - 1 :]
    return "\n".join([*lines[: span.line - 1], changed, *lines[span.line :]])


def spoilt(lines: list[str], entry: Entry) -> Iterator[str]:
    """The file with the key misspelt or unknown, and with odd values in the place of its own."""
    key, value = entry.key, entry.value.span
    middle = len(key.value) // 2
    yield with_word(lines, key.span, f"{key.value[:middle]}q{key.value[middle:]}")
    yield with_word(lines, key.span, "zzqxwv")
    if value.line == value.end_line:
        yield from (with_word(lines, value, odd) for odd in ODD)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(EVERYTHING, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found() -> tuple[Problem, ...]:
    return validate([Path()], Sources()).problems


def is_of_shape(problem: Problem) -> bool:
    return problem.severity == "error" and problem.code[:2] in ("P1", "P2")


@pytest.mark.parametrize("file", FILES, ids=str)
@pytest.mark.usefixtures("folder")
def test_a_mistake_of_shape_is_told_where_it_stands_and_nowhere_else(file):
    text = file.read_text("utf-8")
    root, _ = compose(text, file.as_posix())
    assert root is not None
    assert found() == ()
    tried = 0
    for entry, lines in entries(root, 1):
        for changed in spoilt(text.split("\n"), entry) if entry.key.value not in OWN else ():
            file.write_text(changed, "utf-8")
            problems = found()
            if any(map(is_of_shape, problems)):
                tried += 1
                places = {(problem.span.file, problem.span.line) for problem in problems}
                assert places <= {(file.as_posix(), line) for line in lines}, (entry.key, list(map(str, problems)))
    file.write_text(text, "utf-8")
    assert tried > 5 * len(FILES)


PIPELINE = """\
version: 1
name: bar
persona: {name: 舞}
replies: [replies.yml]
models:
  small: {backend: scripted, answers: はい。, temprature: 3}
steps:
  - {id: canned, kind: replys, treshold: high}
  - {id: ask, kind: generate, model: smal, promt: p.j2, when: now.houre > 3, escalate_when: timeout}
  - {id: sorry, kind: say, reply: [sory]}
  - {id: last, kind: say, reply: sorry}
"""
REPLIES = """\
replies:
  - id: Greet
    match: [こんにちは, {contain: やあ}, {regex: "("}]
    sya: ["{{ persona.nmae }}よ", 7]
    wehn: now.houre >= 17
    priority: たかい
  - id: sorry
    match: ごめん
    say: {txt: "{{ nope }}"}
"""


def test_mistakes_behind_other_mistakes_are_told_with_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("pipeline.yml").write_text(PIPELINE, "utf-8")
    Path("replies.yml").write_text(REPLIES, "utf-8")
    Path("p.j2").write_text("{{ persona.name", "utf-8")
    problems = validate([Path()], Sources()).problems
    assert [(problem.span.file, problem.span.line, problem.code) for problem in problems] == [
        ("p.j2", 1, "P404"),
        *(("pipeline.yml", 6, code) for code in ("P202", "P203", "P204")),
        *(("pipeline.yml", 8, code) for code in ("P205", "P203", "P206")),
        *(("pipeline.yml", 9, code) for code in ("P306", "P203", "P402", "P202")),
        ("pipeline.yml", 10, "P202"),
        ("replies.yml", 2, "P206"),
        *(("replies.yml", 3, code) for code in ("P203", "P406")),
        *(("replies.yml", 4, code) for code in ("P203", "P402", "P202")),
        *(("replies.yml", 5, code) for code in ("P203", "P402")),
        ("replies.yml", 6, "P202"),
        ("replies.yml", 8, "P202"),
        *(("replies.yml", 9, code) for code in ("P202", "P203", "P402")),
    ]


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 200)
    | st.sampled_from(["", "x", "generate", "${A:1}", "4s", "{{ x", "a b"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "kind", "say", "x"]), inner),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(item, (*path, key))


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_is_broken_at_once_ends_in_problems(folder, data):
    file = data.draw(st.sampled_from(FILES))
    root, _ = compose((EVERYTHING / file).read_text("utf-8"), file.as_posix())
    assert root is not None
    value = plain(root)
    for _ in range(data.draw(st.integers(1, 5))):
        *way, last = data.draw(st.sampled_from(list(places(value))))
        holder = value
        for part in way:
            holder = holder[part]
        if data.draw(st.booleans()):
            holder[last] = data.draw(JUNK)
        else:
            del holder[last]
        if not list(places(value)):
            break
    (folder / file).write_text(yaml.safe_dump(value, allow_unicode=True), "utf-8")
    problems = found()
    (folder / file).write_bytes((EVERYTHING / file).read_bytes())
    assert all(problem.span.line >= 1 for problem in problems)
    assert all(problem.message and "None" not in problem.message for problem in problems)
