"""What may be remembered, what captures it and what uses it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.validation.checks.broken_conditions import broken_conditions
from engine.validation.checks.broken_templates import broken_templates, missing_captures
from engine.validation.checks.memories import idle_memories, unknown_memories
from tests.unit.validation.conftest import PIPELINE

MEMORY = "memory:\n  name: {label: 呼び名, max: 4}\n"
REMEMBERING = PIPELINE + MEMORY
CALL_ME = (
    "{id: call, match: [{regex: '(?P<name>.+)って呼んで'}], remember: {name: '{{ captured.name }}'}, "
    "say: ['{{ memory.name }}さんね。']}"
)
TALK = "{id: talk, kind: generate, model: small, prompt: p.j2}"


def told(check, made):
    return [(problem.code, problem.message, problem.hint) for problem in check(made)]


def test_what_is_remembered_and_used_is_no_problem(subject):
    made = subject(CALL_ME, pipeline=REMEMBERING)
    for check in (unknown_memories, missing_captures, idle_memories, broken_templates):
        assert told(check, made) == []


@pytest.mark.parametrize(
    "use", ["when: memory.name", "say: ['{% if memory.name %}ああ{% endif %}']", "when: len(memory.name) > 2"]
)
def test_a_condition_or_a_template_uses_a_memory(subject, use):
    silent = CALL_ME.replace("{{ memory.name }}さんね。", "覚えたわ。")
    user = f"{{id: other, match: [やあ], {use}" + ("}" if "say" in use else ", say: [はい。]}")
    assert told(idle_memories, subject(silent, user, pipeline=REMEMBERING)) == []
    assert [code for code, *_ in told(idle_memories, subject(silent, pipeline=REMEMBERING))] == ["P525"]


def test_a_prompt_uses_a_memory_and_sees_no_captures(subject):
    silent = CALL_ME.replace("{{ memory.name }}さんね。", "覚えたわ。")
    made = subject(silent, steps=(TALK,), pipeline=MEMORY + PIPELINE)
    Path("p.j2").write_text("一行目\n{{ memory.name }}{{ captured.name }}", "utf-8")
    assert told(idle_memories, made) == []
    (found,) = missing_captures(made)
    assert (found.code, found.span.file, found.span.line) == ("P317", "p.j2", 2)


def test_a_name_that_is_nowhere_is_told_with_the_near_one(subject):
    made = subject(
        CALL_ME.replace("{name: '", "{nam: '"),
        "{id: f, match: [忘れて], forget: [drink], say: [はい。]}",
        pipeline=REMEMBERING,
    )
    assert [hint for _, _, hint in told(unknown_memories, made)] == ["did you mean `name`?", "known: `name`"]
    assert "add `name: {label: …}`" in told(unknown_memories, subject(CALL_ME))[0][2]


def test_without_memory_its_names_say_what_is_missing(subject):
    made = subject(CALL_ME, "{id: b, match: [やあ], when: memory.name, say: [はい。]}")
    remedy = "say under `memory:` of the pipeline first what may be remembered"
    assert told(broken_templates, made) == [("P402", "unknown name `memory.name`", remedy)]
    assert told(broken_conditions, made) == [("P402", "unknown name `memory.name`", remedy)]


def test_conditions_see_no_captures(subject):
    made = subject("{id: b, match: [やあ], when: captured.name, say: [はい。]}")
    assert told(broken_conditions, made)[0][2] == "conditions see no captures: write `matches(text, '…')`"


def test_a_capture_needs_its_group(subject):
    made = subject(CALL_ME.replace("captured.name", "captured.nama"), pipeline=REMEMBERING)
    assert told(missing_captures, made) == [("P317", "no regex of this reply captures `nama`", "did you mean `name`?")]
    made = subject("{id: b, match: [やあ], say: ['{{ captured.name }}{{ captured }}']}")
    assert [hint for _, _, hint in told(missing_captures, made)] == [
        "write `captured.NAME`",
        "write `(?P<name>…)` in a regex",
    ]


def test_a_value_that_is_too_long_or_forgotten_at_once(subject):
    made = subject(CALL_ME.replace("'{{ captured.name }}'}", "いつものお客さん}, forget: [name]"), pipeline=REMEMBERING)
    assert [code for code, *_ in told(idle_memories, made)] == ["P526", "P526"]
