import json
import stat

from engine.core.events import ChatResult, Outcome
from engine.golden.gaps import Gap, GapFile, grouped, kind_draft, read_gaps, reply_draft


def result(text, reply, score=None):
    outcome = Outcome(reply=reply, engine="canned", step="listen", reply_id="listen", score=score)
    return ChatResult(text=text, outcome=outcome, session_id="s", latency_ms=1.0)


def test_what_a_trigger_decided_is_no_gap_and_the_file_is_its_owners(tmp_path):
    file = tmp_path / "below" / "gaps.jsonl"
    gaps = GapFile(file)
    gaps(result("こんばんは", "いらっしゃい。", 100.0))
    assert not file.exists()
    gaps(result("イカの話", "イカねえ。"))
    assert list(read_gaps(file.read_text("utf-8").splitlines())) == [
        Gap(text="イカの話", reply="イカねえ。", by="listen")
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_costs_no_turn(tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    GapFile(tmp_path / "taken" / "gaps.jsonl")(result("x", "y"))


def test_a_lambda_log_is_read_alike():
    lines = [
        "START RequestId: 1",
        '2026-11-20T12:00:00Z {"text": "イカの話", "reply": "イカねえ。", "engine": "local", "gap": true}',
        json.dumps({"text": "こんばんは", "reply": "いらっしゃい。", "gap": False}),
        '{"status": 200}',
        "{broken",
    ]
    assert list(read_gaps(lines)) == [Gap(text="イカの話", reply="イカねえ。", by="local")]


def gap(text):
    return Gap(text=text, reply="ええ。", by="listen")


def test_sentences_with_the_same_words_are_one_group_and_the_most_frequent_stands_first():
    texts = ["駐車場はありますか", "猫が好き", "駐車場ある？", "駐車場はありますか", "うーん"]
    groups = grouped([gap(text) for text in texts])
    assert [group.times for group in groups] == [3, 1, 1]
    assert groups[0].texts == ("駐車場はありますか", "駐車場ある？")


def test_drafts_are_yaml_that_only_wants_words():
    (group,) = grouped([gap("駐車場ある？"), gap("駐車場はありますか")])
    assert reply_draft(group, "parking") == (
        "  - id: parking\n    match: [駐車場ある？, 駐車場はありますか]\n"
        "    say:\n      - …\n    examples: [駐車場ある？]\n"
    )
    assert kind_draft(group, "shop_question", "ja") == (
        "kinds:\n  shop_question:\n    examples:\n      ja:\n        - 駐車場ある？\n        - 駐車場はありますか\n"
    )
