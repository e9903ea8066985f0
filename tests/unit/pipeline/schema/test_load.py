from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.source import EnvRef
from engine.pipeline.schema.load import load_pipeline, read_pipeline
from engine.steps.spec import ExpressionDetectorSpec, NamedDetectorSpec

PIPELINE = """\
version: 1
name: bar
deadline: ${DEADLINE:6.5s}
persona:
  name: 舞
  labels: {user: お客さん}
  examples: [{user: やあ, reply: いらっしゃい。}]
  bar: {opens: 19}
replies: [../replies/*.yml]
models:
  small:
    backend: ${LOCAL_LLM_BACKEND:auto}
    path: ${LOCAL_LLM_MODEL:}
    max_tokens: ${N:256}
    temperature: 0.7
    stop: [a, b]
steps:
  - {id: canned, kind: replies, threshold: 75}
  - id: talk
    kind: generate
    model: small
    prompt: p.j2
    timeout: 900ms
    when: now.hour > 3
    escalate_when: [error, {low_confidence: 0.25}, {if: output.tokens < 3, reason: too short}]
    escalate_to: sorry
  - {id: mood, kind: set, vars: {mood: "'good'", n: 3}}
  - {id: sorry, kind: say, reply: sorry}
"""
REPLIES = """\
replies:
  - id: sorry
    match: [ごめん, {contains: すまん}, {regex: '^失礼'}]
    priority: 2
    when: now.hour > 3
    say: [いいのよ。, {text: いいわ。, weight: 2}]
    examples: [ごめんね]
    counterexamples: [ごめんください]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "replies").mkdir()
    (tmp_path / "pipelines" / "bar.yml").write_text(PIPELINE, "utf-8")
    (tmp_path / "replies" / "b.yml").write_text(REPLIES, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_everything_an_editor_writes_is_typed_and_placed():
    spec, problems = load_pipeline(Path("pipelines/bar.yml"))
    assert problems == []
    assert (spec.file, spec.name.value, spec.locale.value, spec.timezone.value) == (
        "pipelines/bar.yml",
        "bar",
        "en",
        "UTC",
    )
    assert spec.deadline.value == EnvRef(name="DEADLINE", default=6.5, has_default=True)
    assert (spec.persona.user_label, spec.persona.reply_label) == ("お客さん", "舞")
    assert spec.persona.examples[0].reply.value == "いらっしゃい。"
    assert spec.persona.data["bar"] == {"opens": 19}
    small = spec.models["small"]
    assert small.backend.value == EnvRef(name="LOCAL_LLM_BACKEND", default="auto", has_default=True)
    assert {key: setting.value for key, setting in small.settings.items()} == {
        "path": EnvRef(name="LOCAL_LLM_MODEL", default=None, has_default=True),
        "max_tokens": EnvRef(name="N", default=256, has_default=True),
        "temperature": 0.7,
        "stop": ("a", "b"),
    }


@pytest.mark.usefixtures("folder")
def test_steps_are_typed_by_their_kind():
    spec, _ = load_pipeline(Path("pipelines/bar.yml"))
    canned, talk, mood, sorry = spec.steps
    assert canned.threshold.value == 75
    assert [model.value for model in talk.models] == ["small"]
    assert (talk.timeout.value, talk.when.value, talk.escalate_to.value) == (0.9, "now.hour > 3", "sorry")
    error, confidence, short = talk.detectors
    assert isinstance(error, NamedDetectorSpec)
    assert (error.name.value, error.threshold) == ("error", None)
    assert isinstance(confidence, NamedDetectorSpec)
    assert (confidence.name.value, confidence.threshold) == ("low_confidence", 0.25)
    assert isinstance(short, ExpressionDetectorSpec)
    assert (short.test.value, short.reason.value) == ("output.tokens < 3", "too short")
    assert [(name.value, text.value) for name, text in mood.variables] == [("mood", "'good'"), ("n", "3")]
    assert [reply.value for reply in sorry.replies] == ["sorry"]


@pytest.mark.usefixtures("folder")
def test_replies_keep_their_file_as_it_was_reached():
    spec, _ = load_pipeline(Path("pipelines/bar.yml"))
    (reply,) = spec.replies
    assert [trigger.kind for trigger in reply.match] == ["fuzzy", "contains", "regex"]
    assert (reply.priority, reply.when.value) == (2, "now.hour > 3")
    assert [(variant.text.value, variant.weight) for variant in reply.say] == [("いいのよ。", 1.0), ("いいわ。", 2.0)]
    assert str(reply.id.span) == "replies/b.yml:2:9"
    assert ([text.value for text in reply.examples], [text.value for text in reply.counterexamples]) == (
        ["ごめんね"],
        ["ごめんください"],
    )


def test_globs_give_each_file_once_in_order_of_names(folder):
    for name in ("a", "c"):
        (folder / "replies" / f"{name}.yml").write_text(f"replies: [{{id: {name}, say: [x]}}]\n", "utf-8")
    pipeline = folder / "pipelines" / "bar.yml"
    pipeline.write_text(PIPELINE.replace("[../replies/*.yml]", "[../replies/c.yml, ../replies/*.yml]"), "utf-8")
    spec, _ = load_pipeline(Path("pipelines/bar.yml"))
    assert [reply.id.value for reply in spec.replies] == ["c", "a", "sorry"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("${N:256}", "${N:many}", "P206"),
        ("${N:256}", "${N:0}", "P204"),
        ("${LOCAL_LLM_BACKEND:auto}", "${LOCAL_LLM_BACKEND:gpt5all}", "P205"),
        ("${DEADLINE:6.5s}", "${DEADLINE:soon}", "P207"),
        ("900ms", "0ms", "P204"),
        ("threshold: 75", "threshold: '${T:101}'", "P204"),
    ],
)
def test_a_default_obeys_the_rules_of_a_literal(folder, old, new, code):
    assert old in PIPELINE
    (folder / "pipelines" / "bar.yml").write_text(PIPELINE.replace(old, new), "utf-8")
    spec, problems = load_pipeline(Path("pipelines/bar.yml"))
    assert spec is None
    assert [problem.code for problem in problems] == [code]
    line = PIPELINE[: PIPELINE.index(old)].count("\n") + 1
    assert problems[0].span.line == line


@pytest.mark.parametrize(
    ("old", "new", "place", "default"),
    [
        ("threshold: 75", "threshold: 800", lambda spec: spec.steps[0].threshold, None),
        ("threshold: 75", "threshold: '${T:800}'", lambda spec: spec.steps[0].threshold, None),
        ("${DEADLINE:6.5s}", "0", lambda spec: spec.deadline.value, 7.5),
        ("900ms", "0ms", lambda spec: spec.steps[1].timeout, None),
    ],
)
def test_a_number_out_of_bounds_is_not_used_for_anything(folder, old, new, place, default):
    (folder / "pipelines" / "bar.yml").write_text(PIPELINE.replace(old, new), "utf-8")
    loaded = read_pipeline(Path("pipelines/bar.yml"))
    assert [problem.code for problem in loaded.problems] == ["P204"]
    assert place(loaded.spec) == default


def test_what_is_left_out_for_a_mistake_is_no_second_one(folder):
    broken = "  - id: a\n    match: [{contains: [x]}]\n    say: [x]\n  - id: b\n    match: [{text: x}]\n    say: [x]\n"
    (folder / "replies" / "b.yml").write_text(REPLIES + broken, "utf-8")
    loaded = read_pipeline(Path("pipelines/bar.yml"))
    assert [(problem.code, problem.span.line) for problem in loaded.problems] == [("P202", 10), ("P203", 13)]


def test_a_broken_reply_keeps_its_name_and_what_is_right_in_it(folder):
    more = REPLIES + "  - id: broken\n    match: [x, [y]]\n    says: [x]\n  - id: fine\n    sya: [y]\n"
    (folder / "replies" / "b.yml").write_text(more, "utf-8")
    loaded = read_pipeline(Path("pipelines/bar.yml"))
    sorry, broken, fine = loaded.spec.replies
    assert [reply.id.value for reply in (sorry, broken, fine)] == ["sorry", "broken", "fine"]
    assert [trigger.text.value for trigger in broken.match] == ["x"]
    assert [variant.text.value for variant in (*broken.say, *fine.say)] == ["x", "y"]
    assert loaded.unsure == {broken.span}
    assert loaded.lost == frozenset()
    assert [problem.code for problem in loaded.problems] == ["P202", "P203", "P203"]
    assert load_pipeline(Path("pipelines/bar.yml"))[0] is None


@pytest.mark.parametrize("pattern", ["../replies/none*.yml", "/", "[", "a\tb", "../" * 50 + "etc/nothing"])
def test_a_glob_that_matches_nothing_is_a_problem_at_the_glob(folder, pattern):
    (folder / "pipelines" / "bar.yml").write_text(PIPELINE.replace("[../replies/*.yml]", f"['{pattern}']"), "utf-8")
    spec, problems = load_pipeline(Path("pipelines/bar.yml"))
    assert spec is None
    assert problems[0].code in {"P301", "P104"}


def test_files_that_cannot_be_read_are_problems(folder):
    (folder / "replies" / "z.yml").mkdir()
    assert [problem.code for problem in load_pipeline(Path("pipelines/bar.yml"))[1]] == ["P104"]
    assert [problem.code for problem in load_pipeline(Path("pipelines/none.yml"))[1]] == ["P104"]


def test_mistakes_before_broken_yaml_are_found_with_it(folder):
    broken = REPLIES + "  - id: fine\n    say: [x]\n  - id: a\n    sya: [x]\n  - id: b\n    say: ['x\n"
    (folder / "replies" / "b.yml").write_text(broken, "utf-8")
    loaded = read_pipeline(Path("pipelines/bar.yml"))
    assert [problem.code for problem in loaded.problems] == ["P203", "P101"]
    assert [reply.id.value for reply in loaded.spec.replies] == ["sorry", "fine", "a", "b"]
    assert "reply" in loaded.lost
