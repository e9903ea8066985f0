import io
import sys
from pathlib import Path

from rich.console import Console

from engine.cli import main
from engine.cli.chat import Conversation, summary
from engine.core.events import Sentence
from engine.core.record import replace
from tests.fakes.bots import CANNED, LOCAL, NOTHING, FakeBot

BAR = (Path(__file__).parents[2] / "configs" / "good" / "bar" / "pipeline.yml").as_posix()


def hold(bot: FakeBot, *lines: str, trace: bool = False) -> tuple[bool, str]:
    shown = io.StringIO()
    names = iter(["first", "second", "third"])
    talk = Conversation(
        lambda asked, hear: bot.reply(asked, listen=hear),
        Console(file=shown, width=200),
        name="美砂樹",
        trace=trace,
        new_id=lambda: next(names),
    )
    return talk.hold(iter(lines)), shown.getvalue()


def test_a_reply_with_who_said_it_and_how_long_it_took():
    answered, shown = hold(FakeBot(), "こんばんは\n")
    assert answered
    assert "美砂樹  いらっしゃい。" in shown
    assert "canned · greet_evening · 12 ms" in shown


def test_the_session_is_kept_until_it_is_reset():
    bot = FakeBot()
    hold(bot, "a", "b", "/reset", "c")
    assert [request.session_id for request in bot.requests] == ["first", "first", "second"]


def test_quit_ends_and_blank_lines_are_nothing():
    bot = FakeBot()
    hold(bot, "", "  \n", "a", "/quit", "b")
    assert [request.text for request in bot.requests] == ["a"]


def test_trace_is_switched_on_and_off():
    _, shown = hold(FakeBot(), "/trace", "a", "/trace", "b")
    assert shown.count("matched") == 1
    assert hold(FakeBot(), "a", trace=True)[1].count("matched") == 1


def test_an_unknown_command_is_explained_and_not_sent():
    bot = FakeBot()
    _, shown = hold(bot, "/dance")
    assert "/quit" in shown
    assert bot.requests == []


def test_markup_of_a_reply_is_shown_as_it_is():
    outcome = type(CANNED)(reply="[bold]値段[/bold]", engine="canned", step="canned")
    assert "[bold]値段[/bold]" in hold(FakeBot(outcome=outcome), "a")[1]


def test_no_answer_is_explained():
    answered, shown = hold(FakeBot(outcome=NOTHING), "a", "b")
    assert not answered
    assert "small_talk with small gave up (error): no such file" in shown
    assert "ask_large gave up (timeout)" in shown


def test_a_text_over_the_limit_is_not_sent():
    bot = FakeBot()
    hold(bot, "あ" * 4_001)
    assert bot.requests == []


class Interrupted(io.BytesIO):
    """What somebody types who ends it with Ctrl-C."""

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if not line:
            raise KeyboardInterrupt
        return line

    def __next__(self) -> bytes:
        return self.readline()


def test_what_was_said_is_saved_also_when_it_is_interrupted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Interrupted("こんばんは\n".encode()), "utf-8"))
    golden = tmp_path / "new golden.golden.yml"
    assert main(["chat", "--pipeline", BAR, "--save", str(golden)]) == 130
    assert "user: こんばんは" in golden.read_text("utf-8")
    assert f"`misaki test '{golden}'` plays it" in capsys.readouterr().out


def test_a_file_that_could_not_be_saved_is_told_before_anything_is_said(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert main(["chat", "--pipeline", BAR, "--save", str(tmp_path / "file" / "a.golden.yml")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_the_summary_of_a_generated_reply():
    assert summary(LOCAL, 812.4).strip() == "local · small_talk · tiny.gguf · 9 tokens · confidence 0.61 · 812 ms"


def test_each_sentence_is_shown_when_it_is_there():
    shown, seen = io.StringIO(), []

    def reply(asked, hear):
        assert asked.streamed
        hear(Sentence(index=0, text="まあ、猫ちゃん。"))
        seen.append(shown.getvalue())
        hear(Sentence(index=1, text="お名前は？" * 50))
        return replace(
            FakeBot(LOCAL).reply(asked), outcome=replace(LOCAL, reply="まあ、猫ちゃん。" + "お名前は？" * 50)
        )

    Conversation(reply, Console(file=shown, width=80), name="美砂樹").hold(iter(["猫"]))
    assert seen == ["美砂樹  まあ、猫ちゃん。"]
    assert shown.getvalue().splitlines()[0] == "美砂樹  まあ、猫ちゃん。" + "お名前は？" * 50
