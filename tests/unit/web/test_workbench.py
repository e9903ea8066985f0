"""What the page writes: goldens that pass, and sentences that a reply gains, each only after it was tried."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.app import App
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.events import Outcome
from engine.core.record import replace
from engine.core.turn import ChatRequest, Completion
from engine.golden.run import Pipelines, Runner, load_goldens
from engine.models.secrets import Secrets
from engine.pipeline.reading.files import at
from engine.validation.load import load
from engine.web.workbench import NotPossible, Said, golden_of_talk, reply_with
from tests.fakes.plans import turn

PIPELINE = """\
version: 1
name: bar
persona: {name: 小春, labels: {user: 客, reply: 小春}}
replies: [replies.yml]
steps: [{id: talk, kind: replies}]
"""
REPLIES = """\
# 挨拶
replies:
  - id: evening
    match: [こんばんは, 今晩は]  # 夜
    say: [いらっしゃい。]
    examples:
      - こんばんわ  # 仮名

  # 注文
  - id: beer
    match:
      - ビールください
      - contains: 生ビール
    say:
      - はい、{{ client.name }}さん、ビールね。
      - ビール、ただいま。
  - id: bye
    match: [さようなら]
    say: [またね。]
    counterexamples: []
"""
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=ZoneInfo("Asia/Tokyo"))


@pytest.fixture
def bar(tmp_path, monkeypatch):
    """The pipeline of a small project, in the working directory."""
    monkeypatch.chdir(tmp_path)
    Path("replies.yml").write_text(REPLIES, encoding="utf-8")
    Path("bar.yml").write_text(PIPELINE, encoding="utf-8")
    return Path("bar.yml")


def added(bar, reply, part, sentence):
    return reply_with(bar, reply, at("replies.yml", 1, 1), part, sentence)


@pytest.mark.parametrize(
    ("reply", "part", "line"),
    [
        ("evening", "match", "    match: [こんばんは, 今晩は, ばんは]  # 夜"),
        ("evening", "examples", "      - こんばんわ  # 仮名\n      - ばんは"),
        ("evening", "counterexamples", "  - id: evening\n    counterexamples:\n      - ばんは"),
        ("beer", "match", "      - contains: 生ビール\n      - ばんは"),
        ("beer", "examples", "  - id: beer\n    examples:\n      - ばんは"),
        ("bye", "counterexamples", "    counterexamples: [ばんは]"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_sentence_is_added_in_the_form_of_its_list_and_nothing_else_changes(bar, reply, part, line, newline):
    old = REPLIES.replace("\n", newline)
    Path("replies.yml").write_text(old, encoding="utf-8", newline="")
    change = added(bar, reply, part, "ばんは")
    new = change.text
    assert line.replace("\n", newline) in new
    assert len(new) > len(old)
    gone = [row for row in change.diff.splitlines() if row.startswith("-") and not row.startswith("---")]
    assert len(gone) == (1 if "[" in line else 0)
    assert Path("replies.yml").read_bytes() == old.encode()
    change.write()
    assert Path("replies.yml").read_bytes() == new.encode()


def test_an_anchor_and_a_byte_order_mark_stay(bar):
    Path("replies.yml").write_text(REPLIES.replace("[さようなら]", "&bye [さようなら]"), encoding="utf-8-sig")
    change = added(bar, "bye", "match", "ではまた")
    change.write()
    assert Path("replies.yml").read_bytes().startswith(b"\xef\xbb\xbf# ")
    assert "match: &bye [さようなら, ではまた]" in change.text


def test_what_yaml_would_read_otherwise_is_quoted(bar):
    assert '"12:30 # お昼"' in added(bar, "bye", "match", "12:30 # お昼").text


def test_an_example_that_selects_another_reply_is_not_sound_and_names_its_place(bar):
    change = added(bar, "evening", "examples", "ビールください")
    assert not change.sound
    told = next(one for one in change.problems if one["severity"] == "error")
    assert told["code"] == "P503"
    assert told["span"].startswith("replies.yml:")
    assert added(bar, "evening", "examples", "こんばんは！").sound


def test_a_mistake_that_stands_in_the_file_already_is_mended_first(bar):
    Path("replies.yml").write_text(REPLIES + "  - id： x\n", encoding="utf-8")
    assert not added(bar, "bye", "match", "ではまた").sound
    Path("replies.yml").write_text(REPLIES + "  - [\n", encoding="utf-8")
    with pytest.raises(NotPossible, match="has a mistake"):
        added(bar, "bye", "match", "ではまた")


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("{id: bye, match: [さようなら], say: [またね。]}", "examples"),
        ("id: bye\n    match: &m [さようなら]\n    say: *m", "match"),
    ],
)
def test_a_form_without_room_is_left_alone(bar, form, part):
    Path("replies.yml").write_text(f"replies:\n  - {form}\n", encoding="utf-8")
    with pytest.raises(NotPossible, match="by hand"):
        added(bar, "bye", part, "ではまた")


def test_a_file_outside_the_project_is_not_touched(bar, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "replies.yml"
    elsewhere.write_text(REPLIES, encoding="utf-8")
    with pytest.raises(NotPossible, match="outside the project"):
        reply_with(bar, "bye", at(elsewhere.as_posix(), 1, 1), "match", "ではまた")


def talked(bar, *words, client=None):
    plan = load(bar, {})
    app = App(plan, models={}, rooms=open_store("memory"))
    try:
        asked = [ChatRequest(text=text, session_id="page", now=NOON, client=client or {}) for text in words]
        results = [app.reply(one, Deadline.after(5)) for one in asked]
    finally:
        app.close()
    said = [
        Said(turn=turn(text=one.text, now=NOON, session_id="page", client=one.client), outcome=result.outcome)
        for one, result in zip(asked, results, strict=True)
    ]
    return plan, said


def test_a_conversation_becomes_a_golden_that_passes(bar):
    plan, said = talked(bar, "こんばんは", "ビールください", "ビールください", client={"name": "健"})
    change = golden_of_talk(bar, plan, "ビール: 二杯", said, Secrets({}))
    assert (change.sound, change.path) == (True, Path("tests/golden/saved_1.golden.yml"))
    change.write()
    runner = Runner(pipelines=Pipelines())
    (loaded,) = load_goldens([change.path], runner.pipelines)
    (result,) = runner.run([loaded])
    assert result.status == "passed"
    assert [one.outcome.reply_id for one in result.turns] == ["evening", "beer", "beer"]
    assert golden_of_talk(bar, plan, "once more", said, Secrets({})).path.name == "saved_2.golden.yml"


def test_a_golden_stands_beside_those_of_its_pipeline(bar):
    folder = Path("golden/bar")
    folder.mkdir(parents=True)
    (folder / "one.golden.yml").write_text("version: 1\npipeline: '../../bar.yml'\nconversations: []\n")
    plan, said = talked(bar, "こんばんは")
    assert golden_of_talk(bar, plan, "evening", said, Secrets({})).path == folder / "saved_1.golden.yml"


def test_what_does_not_come_again_is_told_and_forbids_the_golden(bar):
    plan, said = talked(bar, "こんばんは")
    other = replace(said[0], outcome=replace(said[0].outcome, reply="お帰りなさい。"))
    change = golden_of_talk(bar, plan, "evening", [other], Secrets({}))
    assert not change.sound
    assert "お帰りなさい。" in change.problems[0]["message"]


def test_a_models_words_are_kept_in_the_golden(bar):
    plan, said = talked(bar, "こんばんは")
    words = Completion(text="やあ。", finish_reason="stop", model="gpt")
    spoken = replace(said[0], outcome=Outcome(reply="やあ。", engine="external", model="gpt", completion=words))
    assert "models: {gpt: {says: やあ。}}" in golden_of_talk(bar, plan, "evening", [spoken], Secrets({})).text
