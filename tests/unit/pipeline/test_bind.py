from pathlib import Path

import pytest

from engine.pipeline.bind import bind
from engine.validation.load import load, read

PIPELINE = """
version: 1
name: bar
timezone: Asia/Tokyo
deadline: ${DEADLINE:6}
persona: {name: 舞}
replies: [replies.yml]
models:
  small: {backend: auto, path: "${LOCAL_LLM_MODEL:}", max_tokens: "${LOCAL_LLM_MAX_TOKENS:64}"}
steps:
  - {id: canned, kind: replies, threshold: "${THRESHOLD:85}"}
  - {id: talk, kind: generate, model: small, prompt: prompt.j2, timeout: "${PATIENCE:3}"}
  - {id: sorry, kind: say, reply: sorry}
"""


@pytest.fixture
def compiled(tmp_path: Path):
    (tmp_path / "bar.yml").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "prompt.j2").write_text("{{ persona.name }}", encoding="utf-8")
    (tmp_path / "replies.yml").write_text("replies:\n  - {id: sorry, say: [ごめんなさい。]}\n", encoding="utf-8")
    found = read(tmp_path / "bar.yml")
    assert sorted(Path(file).name for file in found.files) == ["bar.yml", "prompt.j2", "replies.yml"]
    return found.compiled


def test_a_step_asks_with_the_words_of_its_prompt_file(compiled):
    [talk] = [step for step in bind(compiled, {}).steps if step.models]
    assert (talk.prompt.source, Path(talk.prompt.origin).name) == ("{{ persona.name }}", "prompt.j2")


def test_a_turn_has_seven_seconds_and_a_half_where_a_pipeline_says_nothing(tmp_path):
    for name, text in (("bar.yml", PIPELINE.replace("deadline: ${DEADLINE:6}", "")), ("prompt.j2", "x")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "replies.yml").write_text("replies:\n  - {id: sorry, say: [ごめんなさい。]}\n", encoding="utf-8")
    assert load(tmp_path / "bar.yml", {}).deadline == 7.5


def numbers(plan) -> tuple:
    canned, talk, _ = plan.steps
    return plan.deadline, canned.threshold, talk.timeout, plan.models["small"].settings["max_tokens"]


def test_defaults_stand_where_nothing_is_set(compiled):
    assert numbers(bind(compiled, {})) == (6.0, 85.0, 3.0, 64)


def test_one_compiled_pipeline_serves_every_environment(compiled):
    env = {
        "DEADLINE": "5",
        "THRESHOLD": "90",
        "PATIENCE": "2",
        "LOCAL_LLM_MAX_TOKENS": "32",
        "LOCAL_LLM_MODEL": "a.gguf",
    }
    plan = bind(compiled, env)
    assert numbers(plan) == (5.0, 90.0, 2.0, 32)
    assert plan.env["USE_LOCAL_LLM"] is True
    assert numbers(bind(compiled, {})) == (6.0, 85.0, 3.0, 64)


def test_a_value_that_does_not_fit_gives_way_to_the_default(compiled):
    plan = bind(compiled, {"DEADLINE": "soon", "THRESHOLD": "high", "LOCAL_LLM_MAX_TOKENS": "many"})
    assert numbers(plan) == (6.0, 85.0, 3.0, 64)
    assert "LOCAL_LLM_MAX_TOKENS is `many`" in str(plan.models["small"].misconfigured)
    assert any("LOCAL_LLM_MAX_TOKENS" in notice for notice in plan.notices)


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5.0), ("900ms", 0.9), ("2.5", 2.5), (" 4s ", 4.0)])
def test_a_time_from_the_environment_may_have_its_unit(compiled, text, seconds):
    plan = bind(compiled, {"DEADLINE": text, "PATIENCE": text})
    assert (plan.deadline, plan.steps[1].timeout, plan.notices) == (seconds, seconds, ())


@pytest.mark.parametrize("text", ["-3", "0", "nan", "inf", "1e9", "soon", "5m"])
def test_a_time_that_cannot_be_is_noticed_and_not_used(compiled, text):
    plan = bind(compiled, {"DEADLINE": text})
    assert plan.deadline == 6.0
    assert plan.notices == (f"DEADLINE is `{text}`, it must be a time such as 4s or 900ms: set it so, or unset it",)


@pytest.mark.parametrize("text", ["800", "0.8", "90%", "nan"])
def test_a_threshold_that_cannot_be_is_noticed_and_not_used(compiled, text):
    plan = bind(compiled, {"THRESHOLD": text})
    assert plan.steps[0].threshold == 85.0
    assert plan.notices == (f"THRESHOLD is `{text}`, it must be a number from 1 to 100: set it so, or unset it",)


def test_what_does_not_change_is_shared(compiled):
    one, other = bind(compiled, {}), bind(compiled, {"THRESHOLD": "90"})
    assert one.replies is other.replies
    assert one.index is other.index
    assert one.zone_rules.startswith(b"TZif")
