from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.core.language import said
from engine.golden.result import ConversationResult
from engine.golden.run import Pipelines, Runner, load_goldens
from engine.golden.stage import Settings
from tests.fakes.golden import GOLDEN, project


def run(path: Path, **settings) -> list[ConversationResult]:
    runner = Runner(pipelines=Pipelines(), settings=Settings(**settings), env={})
    return list(runner.run(load_goldens([path], runner.pipelines)))


def one_turn(tmp_path: Path, turn: str, conversation: str = ""):
    head = 'version: 1\npipeline: ../pipelines/bar.yml\nclock: "2026-11-20 19:30"\nconversations:\n'
    golden = f"{head}  - name: one\n    session: seat-3\n{conversation}    turns:\n      - {turn}\n"
    (result,) = run(project(tmp_path, golden))
    return result.turns[0]


def test_a_golden_that_is_met_passes(tmp_path):
    (result,) = run(project(tmp_path))
    assert result.status == "passed", [turn.differences for turn in result.turns]
    assert [turn.outcome.engine for turn in result.turns] == ["canned", "external"]


def test_a_reply_that_changed_fails_at_the_expectation(tmp_path):
    path = project(tmp_path, GOLDEN.replace("expect: いらっしゃい。今夜も", "expect: いらっしゃい。今日も"))
    (result,) = run(path)
    (difference,) = result.turns[0].differences
    assert (difference.expected, difference.got) == (
        "いらっしゃい。今日も来てくれて嬉しいわ。",
        "いらっしゃい。今夜も来てくれて嬉しいわ。",
    )
    assert difference.expectation.span.line == 10
    assert result.status == "failed"


def test_a_scripted_answer_takes_its_time_on_the_turns_clock_only(tmp_path):
    talk = "    env: {USE_LOCAL_LLM: true}\n"
    slow = "{user: 星の話, models: {small: {says: 遅い星よ。, tokens: 9, seconds: 5s}, large: {says: 速い星よ。}}}"
    turn = one_turn(tmp_path, slow, talk)
    assert turn.outcome.reply == "速い星よ。"
    assert [escalation.reason for escalation in turn.outcome.escalations] == ["timeout"]
    assert turn.result.latency_ms == 4000


def test_what_this_machine_takes_counts_for_nothing(tmp_path):
    assert one_turn(tmp_path, "{user: こんばんは, expect: {engine: canned, latency: 0s}}").differences == ()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("{error: RateLimited}", "error"),
        ("{error: TimedOut}", "timeout"),
        ("{error: Refused}", "refusal"),
        ('{says: ""}', "empty"),
        ("{says: 途中で切れた言葉, finish_reason: length, tokens: 9}", "truncated"),
        ("{says: 自信がないわ。, tokens: 9, confidence: 0.1}", "low_confidence"),
        ("{says: そう。, tokens: 2}", "too short"),
    ],
)
def test_every_way_to_escalate_can_be_scripted(tmp_path, answer, reason):
    turn = one_turn(
        tmp_path,
        f"{{user: 星の話, models: {{small: {answer}}}, expect: {{escalations: [{reason}, error]}}}}",
        "    env: {USE_LOCAL_LLM: true}\n",
    )
    assert turn.status == "passed", turn.differences


def test_a_model_that_is_not_named_cannot_be_reached(tmp_path):
    turn = one_turn(tmp_path, "{user: 星の話}")
    assert turn.outcome.reply is None
    assert "gives `large` no words" in turn.outcome.escalations[0].detail


def test_the_clock_moves_only_where_the_file_says_so(tmp_path):
    golden = GOLDEN.split("      - user: 星の話", maxsplit=1)[0]
    golden += '      - user: こんばんは\n        clock: "2026-11-20 09:00"\n      - user: こんばんは\n'
    (result,) = run(project(tmp_path, golden))
    assert [turn.outcome.reply_id for turn in result.turns] == ["greet_evening", "greet_day", "greet_day"]


def test_history_and_attributes_reach_the_turn(tmp_path):
    history = "    attributes: {name: 薫}\n    history: [{user: やあ, reply: "
    history += "いらっしゃい。今夜も来てくれて嬉しいわ。}]\n"
    turn = one_turn(tmp_path, "{user: こんばんは, expect: {reply: 美砂樹よ。待ってたわ。}}", history)
    assert turn.status == "passed"


def test_a_conversation_that_needs_a_live_model_is_skipped_and_says_so(tmp_path):
    golden = GOLDEN.replace('large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "large: live")
    (result,) = run(project(tmp_path, golden))
    assert result.status == "skipped"
    assert "--live" in (result.skipped or "")
    assert "モデルに" in said(result.skipped or "", "ja")


def test_what_the_pipeline_does_not_have_is_said_with_its_place(tmp_path):
    golden = GOLDEN.replace("engine: external", "reply_id: greet_evning")
    with pytest.raises(ConfigError) as caught:
        run(project(tmp_path, golden))
    assert "P307" in str(caught.value)
    assert "did you mean `greet_evening`?" in str(caught.value)


def test_a_pattern_that_cannot_run_is_said_with_its_place(tmp_path):
    path = project(
        tmp_path, GOLDEN.replace("expect: いらっしゃい。今夜も来てくれて嬉しいわ。", "expect: {matches: '(?=あ)'}")
    )
    with pytest.raises(ConfigError, match="lookaround is not supported") as caught:
        load_goldens([path], Pipelines())
    assert [(problem.code, problem.span.line) for problem in caught.value.problems] == [("P406", 10)]


KNOWN = "    memory: {name: 健太, bottle: 麦焼酎}\n"


def test_a_golden_may_begin_with_a_memory_and_a_visitor_who_was_away(tmp_path):
    visitor = KNOWN + "    visitor: {visits: 4, days_away: 21}\n"
    expect = "{reply: 健太さん、4度目。ボトルは麦焼酎。, remembers: {name: 健太, bottle: 麦焼酎}}"
    assert one_turn(tmp_path, f"{{user: 覚えてる, expect: {expect}}}", visitor).status == "passed"


def test_what_has_had_its_time_is_gone(tmp_path):
    visitor = KNOWN + "    visitor: {days_away: 91}\n"
    expect = "{reply: 健太さん、2度目。ボトルは空っぽ。, remembers: {name: 健太, bottle: null}}"
    assert one_turn(tmp_path, f"{{user: 覚えてる, expect: {expect}}}", visitor).status == "passed"


def test_a_visitor_may_be_signed_in(tmp_path):
    visitor = "    visitor: {days_away: 14.5, signed_in: true, name: けんた}\n"
    turn = one_turn(tmp_path, "{user: ただいま, expect: けんたさん、14日ぶり。}", visitor)
    assert turn.status == "passed", turn.differences


def test_what_turns_remember_and_forget_stays_for_those_that_follow(tmp_path):
    more = """
      - {user: 覚えてる, expect: {remembers: {name: ケン, bottle: null}}}
      - {user: 全部忘れて, expect: {remembers: {name: ケン, bottle: null}}}"""
    (result,) = run(
        project(
            tmp_path,
            "version: 1\npipeline: ../pipelines/bar.yml\nconversations:\n  - name: one\n    turns:\n"
            "      - {user: ケンって呼んで, expect: {remembers: {name: ケン}}}" + more + "\n",
        )
    )
    assert [turn.status for turn in result.turns] == ["passed", "passed", "failed"]
    assert [one.got for one in result.turns[2].differences] == ["{name: null, bottle: null}"]
