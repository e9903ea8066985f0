"""The explanation as an editor reads it, in wide and in narrow terminals."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len
from rich.console import Console

from engine.chat.explain import Decision, Explanation, explanation_to_json
from engine.cli import main
from engine.cli.explain import SHOWN, SHOWN_BELOW, print_explanation
from engine.core.record import replace
from engine.core.source import Span
from engine.steps.explaining import Considered

PLACE = Span(file="replies/snack/greetings_of_the_evening.yml", line=9, column=5, end_line=12, end_column=1)
NARROW, WIDE = 80, 120


def considered(reply, verdict, why="", score=99.0, trigger="こんばんは"):
    return Considered(
        reply_id=reply, kind="fuzzy", trigger=trigger, words="今晩は", score=score, verdict=verdict, why=why, span=PLACE
    )


def explanation(*items):
    return Explanation(
        text="ｺﾝﾊﾞﾝﾊ",
        now=datetime(2026, 11, 20, 19, 30, tzinfo=UTC),
        stages=(("width and case", "コンバンハ"), ("faces", "コンバンハ"), ("spaces", "コンバンハ ")),
        words=(("words", "今晩は"), ("changes nothing", "今日 (now)")),
        threshold=80.0,
        considered=items,
        decisions=(Decision(step="canned", kind="replies", action="answers", why="because", span=PLACE),),
    )


def shown(of, width):
    out = io.StringIO()
    print_explanation(of, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_only_stages_that_change_something_are_shown():
    text = shown(explanation(), NARROW)
    assert "on Friday, 2026-11-20 at 19:30" in text
    assert text.count("コンバンハ") == 1
    assert "faces" not in text
    assert "none" in text


def test_a_reason_has_a_line_of_its_own_below_its_reply():
    items = (considered("evening", "condition", "`now.hour < 5` does not hold now"), considered("any", "chosen"))
    lines = shown(explanation(*items), NARROW).splitlines()
    at = next(place for place, line in enumerate(lines) if "evening " in line)
    assert lines[at + 1].strip() == "words: 今晩は"
    assert lines[at + 2].strip() == "condition: `now.hour < 5` does not hold now"
    assert lines[at + 3].split()[:4] == ["✓", "99.0", "any", "こんばんは"]


def test_places_are_whole_where_there_is_room_and_never_broken():
    items = (considered("a_reply_with_a_long_name", "chosen", trigger="帰らせてもらいますね"),)
    assert "replies/snack/greetings_of_the_evening.yml:9\n" in shown(explanation(*items), WIDE)
    narrow = shown(explanation(*items), NARROW)
    assert " greetings_of_the_evening.yml:9\n" in narrow
    assert "the files are in replies/snack\n" in narrow
    assert max(map(cell_len, narrow.splitlines())) <= NARROW


def test_many_are_counted_and_each_reply_that_matches_is_told_once():
    matching = [considered(f"r{number}", "passed over") for number in range(SHOWN + 3)]
    below = [considered(f"b{number}", "too low", score=70.0) for number in range(SHOWN_BELOW + 2)]
    again = considered("r0", "too low", score=70.0)
    text = shown(explanation(*matching, *below, again), NARROW)
    assert "and 3 more" in text
    assert "and 2 more" in text
    assert "80 is needed" in text


def test_json_holds_places_and_the_time():
    plain = explanation_to_json(explanation(considered("any", "chosen")))
    assert plain["now"] == "2026-11-20T19:30:00+00:00"
    assert plain["considered"][0]["span"] == "replies/snack/greetings_of_the_evening.yml:9:5"


ROOT = Path(__file__).parent.parent.parent.parent
BAR = str(ROOT / "tests" / "configs" / "good" / "bar" / "pipeline.yml")
SNACK = str(ROOT / "pipelines" / "snack_misaki.yml")


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def explain(*options, pipeline=BAR):
    return main(["explain", *options, "--pipeline", pipeline])


def test_the_time_that_is_pretended_decides(capsys, tmp_path):
    (tmp_path / "bar.yml").write_text(
        "version: 1\nname: bar\nlocale: ja\npersona: {name: 舞}\nreplies: [replies.yml]\n"
        "steps:\n  - {id: canned, kind: replies}\n",
        "utf-8",
    )
    (tmp_path / "replies.yml").write_text(
        "replies:\n"
        "  - {id: evening, match: [こんばんは], say: [いらっしゃい。], when: now.hour >= 17, priority: 1}\n"
        "  - {id: day, match: [こんばんは], say: [まだ昼よ。]}\n",
        "utf-8",
    )

    def chosen(at):
        assert explain("こんばんは", "--at", at, "--format", "json", pipeline=str(tmp_path / "bar.yml")) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["now"].startswith(at)
        return [one["reply_id"] for one in found["considered"] if one["verdict"] == "chosen"]

    assert (chosen("2026-11-20T19:30"), chosen("2026-11-20T12:00")) == (["evening"], ["day"])


@pytest.mark.parametrize("at", ["2026-11-20 19:30", "2026-11-20T19:30+09:00", "2026-11-20T10:30Z"])
def test_a_time_with_a_zone_is_that_moment_for_the_persona(at, capsys):
    assert explain("こんばんは", "--at", at, "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["now"].startswith("2026-11-20T19:30")


def test_what_external_models_see_is_told_where_something_is_kept_from_them(capsys):
    assert explain("090-1234-5678に電話して", pipeline=SNACK) == 0
    assert "what external models see of it\n  [電話1]に電話して\n" in capsys.readouterr().out
    assert explain("こんばんは", pipeline=SNACK) == 0
    assert "external models" not in capsys.readouterr().out


def test_a_turn_that_is_taken_is_told_in_one_line(capsys):
    assert explain("こんばんは", "--at", "2026-11-20T19:30", "--run") == 0
    told = capsys.readouterr().out.partition("what came out")[2]
    assert "canned · " in told
    assert "{" not in told


def test_a_conversation_so_far_is_read(capsys, tmp_path):
    session = tmp_path / "session.json"
    session.write_text(json.dumps({"conversation": [{"role": "user", "content": "やあ"}], "session_id": "s"}), "utf-8")
    assert explain("こんばんは", "--session", str(session), "--run", "--format", "json") == 0
    assert json.loads(capsys.readouterr().out)["ran"]["session_id"] == "s"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 10_000, '{"conversation": 1}', '{"input": "やあ"}', '{"session_id": 5}']
)
def test_a_session_that_is_none_is_named(text, capsys, tmp_path):
    session = tmp_path / "session.json"
    session.write_text(text, "utf-8")
    assert explain("こんばんは", "--session", str(session)) == 2
    assert "session.json`" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "  ", "\ud83c"])
def test_nothing_to_explain_is_told(text, capsys):
    assert explain(text) == 2
    assert capsys.readouterr().err == "misaki explain: TEXT is empty: expected what a user says\n"


def test_usage_is_told(capsys):
    assert explain("こんばんは", "--session", "nowhere.json") == 2
    assert "`nowhere.json` cannot be read" in capsys.readouterr().err
    assert explain("こんばんは", "--at", "9999-12-31T23:00Z") == 2
    assert explain("こんばんは", "--at", "tomorrow") == 2
    assert "2026-11-20T19:30" in capsys.readouterr().err


REMEMBERING = str(ROOT / "tests" / "configs" / "good" / "regulars" / "pipeline.yml")


def test_what_a_reply_would_remember_or_forget_is_told(capsys):
    assert explain("ケンって呼んで", pipeline=REMEMBERING) == 0
    assert "remembers name: ケン" in capsys.readouterr().out
    assert explain("名前は忘れて", "--memory", "name=ケン", "--format", "json", pipeline=REMEMBERING) == 0
    assert json.loads(capsys.readouterr().out)["decisions"][0]["remembered"] == {"name": None}


def test_a_memory_that_is_pretended_decides(capsys):
    for options, chosen in (((), "ask_name"), (("--memory", "name=ケン"), "greet")):
        assert explain("こんばんは", *options, "--run", "--format", "json", pipeline=REMEMBERING) == 0
        told = json.loads(capsys.readouterr().out)
        assert [one["reply_id"] for one in told["considered"] if one["verdict"] == "chosen"] == [chosen]
        assert told["ran"]["reply_id"] == chosen


@pytest.mark.parametrize(("given", "why"), [("nane=x", "did you mean `name`?"), ("name", "name=Ken")])
def test_a_memory_that_is_none_is_named(given, why, capsys):
    assert explain("こんばんは", "--memory", given, pipeline=REMEMBERING) == 2
    assert why in capsys.readouterr().err


def test_what_models_outside_see_is_shown_with_the_rules_that_changed_it():
    masked = replace(explanation(), masked="[電話1]", masks=(("phone", "090-1234-5678"),))
    assert "what external models see of it\n  [電話1]\n  phone  090-1234-5678\n" in shown(masked, NARROW)
    assert "external models" not in shown(replace(explanation(), masked="ｺﾝﾊﾞﾝﾊ"), NARROW)
