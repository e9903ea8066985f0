from __future__ import annotations

import contextlib
import os
import threading

import pytest

from engine.app import load_app
from engine.cli.reload import Reloader
from engine.core.turn import ChatRequest
from engine.pipeline.bind import bind
from engine.pipeline.reading.files import PROMPT_ENDINGS
from engine.validation.load import read

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
        self.folder, self.app, self.env, self.told = folder, app, env, []
        self.reloader = Reloader(app, env, self.told.append)

    def save(self, name, text):
        (self.folder / name).write_text(text, "utf-8")
        self.reloader.look()

    def look_in_time(self):
        """A look that hangs fails the test, and not the run."""
        thread = threading.Thread(target=self.reloader.look, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

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


@pytest.mark.parametrize("ending", PROMPT_ENDINGS)
def test_a_prompt_is_taken_over_whatever_its_name_ends_in(bar, ending):
    (bar.folder / f"prompt{ending}").write_text("{{ persona.name }}です。", "utf-8")
    bar.save("pipeline.yml", PIPELINE.replace("prompt.j2", f"prompt{ending}"))
    bar.app.renew(bind(read(bar.folder / "pipeline.yml").compiled, bar.env))
    told = len(bar.told)
    bar.save(f"prompt{ending}", "{{ persona.name }}ですよ。")
    assert bar.told[told:] == ["reloaded: bar with 1 replies"]


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


def _sparse(path):
    with path.open("wb") as file:
        file.truncate(2**31)


HARM = {
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a loop": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to(path.with_name("nothing")),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "no bytes": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(b"\xff\x00" * 1000),
    "deep flow": lambda path: path.write_text("[" * 100_000, "utf-8"),
    "deep blocks": lambda path: path.write_text("- " * 50_000, "utf-8"),
    "aliases": lambda path: path.write_text(
        "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 30)), "utf-8"
    ),
    "two gigabytes": _sparse,
    "no rights": lambda path: (path.write_text("a: 1\n", "utf-8"), path.chmod(0)),
}


@pytest.mark.parametrize("harm", HARM)
@pytest.mark.parametrize("name", ["pipeline.yml", "replies/hello.yml", "replies/other.yml", "prompt.j2", "beside.yml"])
def test_whatever_a_file_becomes_the_next_save_is_taken_over(bar, name, harm):
    file = bar.folder / name
    before = file.read_text("utf-8") if file.exists() else None
    file.unlink(missing_ok=True)
    HARM[harm](file)
    bar.look_in_time()
    assert bar.ask("こんばんは") in ("どうも。", None)
    file.rmdir() if file.is_dir() else file.unlink()
    if before is not None:
        file.write_text(before, "utf-8")
    bar.save("replies/hello.yml", REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。"))
    assert bar.ask("こんばんは") == "いらっしゃい。"


def test_a_mistake_of_ours_does_not_end_the_watch(bar):
    class Broken:
        plan = None

    told = []
    reloader = Reloader(bar.app, bar.env, told.append)
    reloader._app = Broken()
    reloader.look()
    [line] = told
    assert "not reloaded" in line
    reloader._app = bar.app
    bar.save("replies/hello.yml", REPLY.format(name="hello", trigger="こんばんは", words="いらっしゃい。"))
    reloader.look()
    assert told[-1].startswith("reloaded: bar")
