from pathlib import Path

import pytest

from engine.building.bind import bind
from engine.building.load import read
from engine.model.plan import GenerateStep, RepliesStep

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


def numbers(plan) -> tuple:
    canned, talk, _ = plan.steps
    assert isinstance(canned, RepliesStep)
    assert isinstance(talk, GenerateStep)
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


def test_what_does_not_change_is_shared(compiled):
    one, other = bind(compiled, {}), bind(compiled, {"THRESHOLD": "90"})
    assert one.replies is other.replies
    assert one.index is other.index
    assert one.zone_rules.startswith(b"TZif")
