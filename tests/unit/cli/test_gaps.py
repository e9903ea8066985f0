import json

import pytest

from engine.app import App
from engine.cli.gaps import collect_gaps, gaps_path
from engine.cli.root import main
from engine.conversations import open_store
from engine.core.turn import ChatRequest
from tests.fakes.plans import plan, reply, say_step


@pytest.fixture
def log(tmp_path):
    rows = [{"text": "駐車場ある？", "reply": "それはうちの帳面にないの。", "reply_id": "listen_shop"}] * 2
    path = tmp_path / "gaps.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return str(path)


def test_the_most_frequent_are_listed_with_what_was_said(log, capsys):
    assert main(["gaps", "--log", log]) == 0
    shown = capsys.readouterr().out
    assert "2 × 駐車場ある？" in shown
    assert "listen_shop: それはうちの帳面にないの。" in shown


def test_a_group_becomes_a_draft(log, capsys):
    assert main(["gaps", "--log", log, "--reply", "1"]) == 0
    assert "match: [駐車場ある？]" in capsys.readouterr().out
    assert main(["gaps", "--log", log, "--reply", "1", "--kind", "shop_question"]) == 0
    assert "  shop_question:\n    examples:\n      ja:" in capsys.readouterr().out


def test_no_file_and_no_such_group_are_told(log, tmp_path, capsys):
    assert main(["gaps", "--log", str(tmp_path / "none")]) == 2
    assert "`misaki serve` and `misaki chat` collect them" in capsys.readouterr().err
    assert main(["gaps", "--log", log, "--reply", "5"]) == 2


def test_an_application_collects_where_the_environment_says(tmp_path):
    assert gaps_path({}).name == "gaps.jsonl"
    for setting in ("off", str(tmp_path / "g.jsonl")):
        app = App(plan(say_step(0), replies={reply("listen", "ええ。"): ()}), models={}, rooms=open_store("none"))
        collect_gaps(app, {"MISAKI_GAPS": setting})
        app.reply(ChatRequest(text="イカの話"))
    assert (tmp_path / "g.jsonl").read_text("utf-8").count("イカの話") == 1
