"""Accepting changes the expectations that differ and not one byte more, in every golden file there is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.node import ScalarNode
from engine.golden.accept import rewrite
from engine.golden.result import Difference
from engine.golden.run import find_goldens
from engine.pipeline.schema.golden import Expectation, load_golden

ROOT = Path(__file__).resolve().parents[2]
FILES = [path.relative_to(ROOT).as_posix() for path in find_goldens([ROOT / "tests" / "golden"])]
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=40).filter(str.strip)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "reply": WORDS,
    "engine": st.sampled_from(["canned", "local", "external", "fallback", None]),
    "step": st.none() | NAMES,
    "reply_id": st.none() | NAMES,
    "model": st.none() | NAMES,
    "escalations": st.lists(st.fixed_dictionaries({"step": NAMES, "reason": WORDS}), max_size=3),
}


@cache
def source(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def expectations(file: str) -> list[Expectation]:
    golden, problems = load_golden(ROOT / file)
    assert golden is not None, problems
    turns = [turn for conversation in golden.conversations for turn in conversation.turns]
    return [one for turn in turns for one in turn.expect if one.key in VALUES]


def without(text: str, edited: list[Expectation]) -> list[str]:
    """The stretches of `text` before, between and after the edited expectations."""
    lines = text.splitlines(keepends=True)
    cuts: list[int] = [0]
    for one in sorted(edited, key=lambda one: one.span):
        span = one.span
        start = sum(map(len, lines[: span.line - 1])) + span.column - 1
        end = sum(map(len, lines[: span.end_line - 1])) + span.end_column - 1
        cuts += [start, start + len(text[start:end].rstrip())]
    cuts.append(len(text))
    return [text[cuts[place] : cuts[place + 1]] for place in range(0, len(cuts), 2)]


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_everything_else_stays_byte_for_byte(tmp_path, file, data):
    known = expectations(file)
    edited = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=5, unique_by=lambda one: one.span))
    values = {one.span: data.draw(VALUES[one.key], label=one.key) for one in edited}
    path = tmp_path / "copy.golden.yml"
    path.write_text(source(file), encoding="utf-8", newline="")

    differences = [Difference(expectation=one, expected="", got="", value=values[one.span]) for one in edited]
    assert rewrite(path, differences) == differences

    new = path.read_text(encoding="utf-8")
    rest = new
    for stretch in without(source(file), edited):
        assert stretch in rest
        rest = rest[rest.index(stretch) + len(stretch) :]
    golden, problems = load_golden(path)
    assert golden is not None, problems
    now = [one for conversation in golden.conversations for turn in conversation.turns for one in turn.expect]
    now = [one for one in now if one.key in VALUES]
    for before, after in zip(known, now, strict=True):
        assert after.value == values.get(before.span, before.value)


def test_what_is_met_is_not_touched(tmp_path):
    """Scalars rewritten to what they are give the same bytes."""
    for file in FILES:
        path = tmp_path / "copy.golden.yml"
        path.write_text(source(file), encoding="utf-8", newline="")
        plain = [one for one in expectations(file) if isinstance(one.node, ScalarNode) and one_line(one)]
        same = [Difference(expectation=one, expected="", got="", value=one.value) for one in plain]
        rewrite(path, same)
        assert path.read_text(encoding="utf-8") == source(file), file


def one_line(one: Expectation) -> bool:
    return one.span.line == one.span.end_line
