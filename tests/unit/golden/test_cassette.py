from dataclasses import replace
from pathlib import Path

import pytest

from engine.core.errors import BackendError, ConfigError, RateLimited, Unavailable
from engine.core.language import said
from engine.core.plan import ModelRow
from engine.core.turn import Exchange, Labels, Message, Prompt
from engine.golden.cassette import Recording, changed_parts, read_cassette, request_digests, write_cassette
from engine.golden.play import Played, play
from engine.golden.run import Pipelines, Runner, load_goldens
from engine.golden.stage import Settings
from engine.models.scripted import Answer, ScriptedModel
from engine.models.secrets import Secrets
from tests.fakes.golden import GOLDEN, PIPELINE, project

SCRIPTED = "{backend: scripted, answers: [星の話なら、いくらでもあるわ。, もうおしまい。]}"
RECORDED = GOLDEN.replace(
    'large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "large: recorded"
).replace("reply: 星は、遠い昔の光なのよ。", "reply: 星の話なら、いくらでもあるわ。")
SCRIPTED_PIPELINE = PIPELINE.replace('{backend: openai, model: "${OPENAI_MODEL:some-model}"}', SCRIPTED).replace(
    "escalate_when: [truncated", "escalate_when: [empty, truncated"
)
ENGINE = "          engine: external\n"


def recorded_project(folder: Path, pipeline: str = SCRIPTED_PIPELINE) -> Path:
    return project(folder, RECORDED.replace(ENGINE, ""), pipeline=pipeline)


def run(path: Path, mode: str, env: dict[str, str] | None = None):
    runner = Runner(pipelines=Pipelines(), settings=Settings(mode=mode, secrets=Secrets(env or {})), env=env or {})
    (result,) = runner.run(load_goldens([path], runner.pipelines))
    return result


def cassette_of(path: Path) -> Path:
    return path.with_name("bar.cassette.yml")


def test_what_was_recorded_is_replayed_without_a_model(tmp_path):
    path = recorded_project(tmp_path)
    assert run(path, "record").status == "passed"
    text = cassette_of(path).read_text(encoding="utf-8")
    assert "answer: 星の話なら、いくらでもあるわ。" in text
    assert "user: 星の話をして" in text
    # A script that says something else now shows that nobody asks it.
    recorded_project(tmp_path)
    assert run(path, "replay").status == "passed"


def test_recording_twice_gives_the_same_bytes(tmp_path):
    path = recorded_project(tmp_path)
    run(path, "record")
    before = cassette_of(path).read_bytes()
    run(path, "record")
    assert cassette_of(path).read_bytes() == before


def test_without_a_recording_the_turn_is_stale(tmp_path):
    result = run(recorded_project(tmp_path), "replay")
    assert result.status == "stale"
    assert str(result.turns[1].stale[0]) == "`large` has no recorded answer for this turn; record it with --record"
    assert result.turns[1].status == "stale"


def test_a_changed_prompt_is_stale_and_says_what_changed(tmp_path):
    path = recorded_project(tmp_path)
    run(path, "record")
    prompt = tmp_path / "pipelines" / "prompts" / "bar.j2"
    prompt.write_text("あなたは{{ persona.name }}、ママです。\n", encoding="utf-8")
    result = run(path, "replay")
    assert result.status == "stale"
    assert str(result.turns[1].stale[0]) == (
        "the request to `large` changed since it was recorded: system; record it with --record"
    )
    assert result.turns[1].outcome.reply == "星の話なら、いくらでもあるわ。"


def test_a_changed_turn_before_it_makes_the_history_stale(tmp_path):
    path = recorded_project(tmp_path)
    run(path, "record")
    text = path.read_text(encoding="utf-8").replace("user: こんばんは", "user: こんばんわ")
    path.write_text(text, encoding="utf-8")
    assert run(path, "replay").turns[1].stale[0].changed == ("history",)


def play_with(path: Path, error: BackendError) -> Played:
    pipelines = Pipelines()
    (loaded,) = load_goldens([path], pipelines)
    (conversation,) = loaded.golden.conversations
    settings = Settings(mode="record", open_model=lambda _: ScriptedModel([Answer(result=error)]))
    plan = pipelines.plan(loaded.golden.pipeline_path, {})
    return play(loaded.golden, conversation, plan, loaded.cassette, settings)


def test_a_failure_is_recorded_too(tmp_path):
    path = recorded_project(tmp_path)
    played = play_with(path, RateLimited("slow down", backend="openai"))
    (recording,) = played.recorded
    assert recording.answer == {"error": "RateLimited", "message": "slow down"}
    write_cassette(cassette_of(path), {recording.key: recording}, [])
    (escalation,) = run(path, "replay").turns[1].outcome.escalations
    assert (escalation.reason, escalation.detail) == ("error", "slow down")


def test_a_model_that_is_not_to_be_had_records_nothing(tmp_path):
    played = play_with(recorded_project(tmp_path), Unavailable("not installed", backend="openai"))
    assert played.recorded == ()
    assert played.result.turns[1].stale


def test_a_secret_never_reaches_the_cassette_or_the_result(tmp_path):
    canary = "sk-canary-0123456789"
    script = f"{{backend: scripted, answers: ['鍵は{canary}よ。']}}"
    path = recorded_project(tmp_path, SCRIPTED_PIPELINE.replace(SCRIPTED, script))
    result = run(path, "record", {"OPENAI_API_KEY": canary})
    assert canary not in cassette_of(path).read_text(encoding="utf-8")
    assert result.turns[1].outcome.reply == "鍵は[secret]よ。"
    assert canary not in repr(result.turns)


def test_recordings_of_conversations_that_are_gone_go(tmp_path):
    path = recorded_project(tmp_path)
    run(path, "record")
    renamed = path.read_text(encoding="utf-8").replace("name: 夕方の挨拶", "name: 夜の挨拶")
    path.write_text(renamed, encoding="utf-8")
    run(path, "record")
    text = cassette_of(path).read_text(encoding="utf-8")
    assert "夜の挨拶:" in text
    assert "夕方の挨拶:" not in text


def test_a_model_that_is_not_to_be_had_takes_no_recording_with_it(tmp_path):
    path = recorded_project(tmp_path)
    run(path, "record")
    before = cassette_of(path).read_bytes()
    recorded_project(tmp_path, PIPELINE)
    result = run(path, "record")
    assert result.status == "stale"
    assert "`large` could not be asked: OPENAI_API_KEY is not set" in str(result.turns[1].stale[0])
    assert cassette_of(path).read_bytes() == before


def test_what_was_recorded_before_somebody_stopped_it_is_kept(tmp_path):
    path = recorded_project(tmp_path)
    runner = Runner(settings=Settings(mode="record"), env={})
    playing = runner.run(load_goldens([path], runner.pipelines))
    next(playing)
    assert not cassette_of(path).exists()
    with pytest.raises(KeyboardInterrupt):
        playing.throw(KeyboardInterrupt())
    assert "星の話なら" in cassette_of(path).read_text("utf-8")


def test_live_asks_and_keeps_nothing(tmp_path):
    path = recorded_project(tmp_path)
    assert run(path, "live").status == "passed"
    assert not cassette_of(path).exists()


def test_a_broken_cassette_is_a_problem_with_its_place(tmp_path):
    path = recorded_project(tmp_path)
    cassette_of(path).write_text("recorded: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="this is not a cassette") as caught:
        run(path, "replay")
    (problem,) = caught.value.problems
    assert "別の版のカセット" in said(problem.message, "ja")
    assert "録音し直して" in said(problem.hint, "ja")


PROMPT = Prompt(
    system="あなたは美砂樹。",
    examples=(Exchange("やあ", "あら"),),
    history=(Message("user", "やあ"),),
    text="星の話",
    labels=Labels("客", "美砂樹"),
)
ROW = ModelRow(id="small", backend="auto", settings={"path": "/somewhere/gemma.gguf", "temperature": 0})


@pytest.mark.parametrize(
    ("prompt", "row", "part"),
    [
        (replace(PROMPT, system="x"), ROW, "system"),
        (replace(PROMPT, examples=()), ROW, "examples"),
        (replace(PROMPT, history=()), ROW, "history"),
        (replace(PROMPT, text="x"), ROW, "text"),
        (replace(PROMPT, labels=Labels("客", "ママ")), ROW, "labels"),
        (PROMPT, replace(ROW, settings={**ROW.settings, "temperature": 0.7}), "settings"),
        (PROMPT, replace(ROW, backend="gpt4all"), "settings"),
        (PROMPT, replace(ROW, settings={**ROW.settings, "path": "other.gguf"}), "settings"),
    ],
)
def test_each_part_of_a_request_counts(prompt, row, part):
    recording = Recording(key=("a", 1, "small"), request=request_digests(PROMPT, ROW), user="", answer={})
    assert changed_parts(recording, request_digests(prompt, row)) == (part,)


def test_where_a_model_file_lies_does_not_count():
    elsewhere = replace(ROW, settings={**ROW.settings, "path": ".models/gemma.gguf"})
    assert request_digests(PROMPT, elsewhere) == request_digests(PROMPT, ROW)


@pytest.mark.parametrize("words", ["a: b", "- x", "二行\nです", "'", "yes", "# 注", "🍑", "\u3000空白", ""])
def test_a_cassette_reads_back_what_was_written(tmp_path, words):
    recording = Recording(
        key=(f"会話 {words}", 2, "small"),
        request=request_digests(PROMPT, ROW),
        user=words,
        answer={"answer": words, "finish_reason": "stop", "tokens": 3, "confidence": 0.25, "seconds": 0.5},
    )
    path = tmp_path / "x.cassette.yml"
    write_cassette(path, {recording.key: recording}, [recording.key[0]])
    again, problems = read_cassette(path)
    assert problems == []
    assert again == {recording.key: recording}


def test_recording_some_conversations_keeps_the_others(tmp_path):
    more = "\n" + RECORDED.replace(ENGINE, "").split("conversations:\n")[1].replace("夕方の挨拶", "夜の挨拶")
    path = project(tmp_path, RECORDED.replace(ENGINE, "") + more, pipeline=SCRIPTED_PIPELINE)
    runner = Runner(settings=Settings(mode="record"), env={})
    list(runner.run(load_goldens([path], runner.pipelines), lambda _, one: one.name.value == "夜の挨拶"))
    assert "夕方の挨拶:" not in cassette_of(path).read_text(encoding="utf-8")
    runner = Runner(settings=Settings(mode="record"), env={})
    list(runner.run(load_goldens([path], runner.pipelines), lambda _, one: one.name.value == "夕方の挨拶"))
    recorded = cassette_of(path).read_text(encoding="utf-8")
    assert recorded.index("夕方の挨拶:") < recorded.index("夜の挨拶:")


def test_several_runs_of_one_conversation_are_counted(tmp_path):
    path = recorded_project(tmp_path)
    runner = Runner(settings=Settings(mode="live"), env={}, repeat=2)
    (result,) = runner.run(load_goldens([path], runner.pipelines))
    # The script has another answer for the second run, as a model that is not sure of itself.
    assert result.repeats == ("passed", "failed")
    assert result.status == "failed"
