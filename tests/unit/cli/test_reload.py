from __future__ import annotations

import contextlib

import pytest

from engine.app import load_app
from engine.cli.reload import Reloader
from engine.model.turn import ChatRequest

PIPELINE = """\
version: 1
name: bar
locale: ja
persona: {name: 美砂樹}
replies: [replies/*.yml]
models:
  large: {backend: openai, model: a}
steps:
  - {id: canned, kind: replies}
  - {id: ask, kind: generate, model: large, prompt: prompt.j2}
"""
REPLY = "replies:\n  - {{id: {name}, match: [{trigger}], say: [{words}]}}\n"


@pytest.fixture
def bar(tmp_path):
    """A folder with a pipeline that is being served; what `say` was told, and a way to ask it something."""
    (tmp_path / "replies").mkdir()
    (tmp_path / "pipeline.yml").write_text(PIPELINE, "utf-8")
    (tmp_path / "prompt.j2").write_text("{{ persona.name }}です。", "utf-8")
    (tmp_path / "replies" / "hello.yml").write_text(
        REPLY.format(name="hello", trigger="こんばんは", words="どうも。"), "utf-8"
    )
    env = {"MISAKI_PIPELINE": str(tmp_path / "pipeline.yml")}
    with contextlib.closing(load_app(env)) as app:
        yield Bar(tmp_path, app, env)


class Bar:
    def __init__(self, folder, app, env):
        self.folder, self.app, self.told = folder, app, []
        self.reloader = Reloader(app, env, self.told.append)

    def save(self, name, text):
        (self.folder / name).write_text(text, "utf-8")
        self.reloader.look()

    def ask(self, text):
        return self.app.reply(ChatRequest(text=text)).outcome.reply


def test_nothing_is_reloaded_while_nothing_is_saved(bar):
    bar.reloader.look()
    assert bar.told == []


def test_what_is_saved_is_said_from_the_next_turn_on(bar):
    assert bar.ask("こんばんは") == "どうも。"
    bar.save("replies/hello.yml", REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。"))
    assert bar.ask("こんばんは") == "いらっしゃい。"
    assert bar.told == ["reloaded: bar with 1 replies"]


def test_a_file_that_is_added_counts_and_one_that_is_removed_no_longer_does(bar):
    bar.save("replies/bye.yml", REPLY.format(name="bye", trigger="さようなら", words="またね。"))
    assert bar.ask("さようなら") == "またね。"
    (bar.folder / "replies" / "bye.yml").unlink()
    bar.reloader.look()
    assert bar.ask("さようなら") is None


def test_a_prompt_is_taken_over_and_what_lies_deeper_is_not_looked_at(bar):
    bar.save("prompt.j2", "{{ persona.name }}ですよ。")
    assert bar.told == ["reloaded: bar with 1 replies"]
    (bar.folder / "node_modules").mkdir()
    bar.save("node_modules/other.yml", "a: 1\n")
    assert len(bar.told) == 1


def test_a_broken_edit_is_told_at_its_line_and_costs_nothing(bar):
    bar.save(
        "replies/hello.yml",
        REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。").replace("say", "sey"),
    )
    [told] = bar.told
    assert "hello.yml:2" in told
    assert "did you mean `say`?" in told
    assert bar.ask("こんばんは") == "どうも。"
    bar.save("replies/hello.yml", REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。"))
    assert bar.ask("こんばんは") == "いらっしゃい。"


@pytest.mark.parametrize("change", [("model: a", "model: b"), ("  - {id: ask", "  - {id: ask, when: 'false'")])
def test_a_change_of_models_takes_a_restart(bar, change):
    bar.save("replies/hello.yml", REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。"))
    bar.save("pipeline.yml", PIPELINE.replace(*change))
    assert "restart" in bar.told[-1]
    assert bar.ask("こんばんは") == "いらっしゃい。"
