"""`misaki explain`, as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main

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
