import pytest

from engine.app import App
from engine.conversations import open_store
from engine.core.errors import RateLimited
from engine.core.events import ignore
from engine.core.turn import ChatRequest, Completion
from engine.golden.listen import Listener, NotSaved
from engine.golden.run import Pipelines, Runner, load_goldens
from engine.models.secrets import Secrets
from tests.fakes.golden import project
from tests.fakes.plans import FakeModel

ANSWER = Completion(
    text="星は、遠い光よ。", finish_reason="stop", model="tiny.gguf", completion_tokens=9, confidence=0.5
)


def talk(tmp_path, *texts: str, answer=ANSWER, env=None, sessions: tuple[str, ...] = ()):
    """Has a conversation and returns the golden file it was saved as."""
    project(tmp_path)
    pipeline = tmp_path / "pipelines" / "bar.yml"
    env = env or {"USE_LOCAL_LLM": "true"}
    plan = Pipelines().plan(pipeline, env)
    listener = Listener(tmp_path / "saved" / "chat.golden.yml", Secrets(env))
    models = {
        "small": listener.wrap("small", FakeModel(answer, engine="local")),
        "large": listener.wrap("large", FakeModel("大きな星よ。")),
    }
    reply = listener.between(App(plan, models=models, rooms=open_store("memory")))
    for place, text in enumerate(texts):
        reply(ChatRequest(text=text, session_id=sessions[place] if sessions else "s1"), ignore)
    return listener.save(plan, pipeline, env), listener.path


def replay(path):
    runner = Runner(env={})
    return list(runner.run(load_goldens([path], runner.pipelines)))


def test_a_conversation_comes_back_as_it_was(tmp_path):
    saved, path = talk(tmp_path, "こんばんは", "星の話をして", "こんばんは")
    assert saved
    (result,) = replay(path)
    assert result.status == "passed", [turn.differences for turn in result.turns]
    assert [turn.outcome.engine for turn in result.turns] == ["canned", "local", "canned"]


def test_models_that_fail_are_part_of_it(tmp_path):
    _, path = talk(tmp_path, "星の話をして", answer=RateLimited("slow down", backend="auto"))
    (result,) = replay(path)
    assert result.status == "passed"
    assert [escalation.detail for escalation in result.turns[0].outcome.escalations] == ["slow down"]


def test_each_session_is_a_conversation(tmp_path):
    _, path = talk(tmp_path, "こんばんは", "星の話をして", "星の歌を歌って", sessions=("a", "b", "b"))
    assert [(result.spec.session, result.status) for result in replay(path)] == [("a", "passed"), ("b", "passed")]


def test_what_was_remembered_is_part_of_it(tmp_path):
    _, path = talk(tmp_path, "ケンって呼んで", "覚えてる")
    (result,) = replay(path)
    assert result.status == "passed", [turn.differences for turn in result.turns]
    assert "remembers: {name: ケン}" in path.read_text("utf-8")


def test_no_secret_is_saved(tmp_path):
    canary = "sk-canary-0123456789"
    answer = Completion(text=f"鍵は{canary}", finish_reason="stop", model="m", completion_tokens=9)
    env = {"OPENAI_API_KEY": canary, "USE_LOCAL_LLM": "true"}
    _, path = talk(tmp_path, "星の話をして", answer=answer, env=env)
    written = "".join(file.read_text(encoding="utf-8") for file in path.parent.iterdir())
    assert "鍵は" in written
    assert canary not in written


def test_without_a_word_nothing_is_saved(tmp_path):
    saved, path = talk(tmp_path)
    assert not saved
    assert not path.exists()


@pytest.mark.parametrize("name", ["chat.yml", "chat.golden.yaml", "bar.golden.yml"])
def test_a_file_that_cannot_be_a_golden_is_refused_before_the_chat(tmp_path, name):
    project(tmp_path)
    with pytest.raises(NotSaved):
        Listener(tmp_path / "golden" / name, Secrets({}))
