import io
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from engine.core.language import spoken
from engine.golden.report.console import Progress, show_failures, show_summary
from engine.golden.report.files import render_html, render_junit
from tests.fakes.golden import GOLDEN, project
from tests.unit.golden.test_play import run

FAILING = GOLDEN.replace("今夜も", "今晩も")


def shown(draw) -> str:
    buffer = io.StringIO()
    draw(Console(file=buffer, color_system=None, width=120, highlight=False))
    return buffer.getvalue()


@pytest.fixture
def failed(tmp_path):
    return run(project(tmp_path, FAILING))


def test_what_fails_is_shown_with_its_place_its_difference_and_its_trace(failed):
    text = shown(lambda console: show_failures(failed, console))
    assert "failed 夕方の挨拶" in text
    assert "bar.golden.yml:10:17" in text
    assert "いらっしゃい。今[-晩-]{+夜+}も来てくれて嬉しいわ。" in text
    assert "trace: canned matched reply_id=greet_evening score=100.0 variant=0" in text
    assert "trace: ask" not in text


def test_what_passes_is_not_shown(tmp_path):
    assert shown(lambda console: show_failures(run(project(tmp_path)), console)) == ""


def test_progress_is_a_line_a_file_and_a_mark_a_conversation(failed):
    def draw(console):
        progress = Progress(console)
        for result in [*failed, *failed]:
            progress.take(result)
        progress.end()

    assert shown(draw).splitlines()[0].endswith("bar.golden.yml FF")


def test_the_summary_counts(failed):
    text = shown(lambda console: show_summary(failed, 0.5, console))
    assert text.strip() == "1 failed of 1 conversation with 2 turns, 0.50 s"


def test_junit_holds_no_character_that_xml_forbids(tmp_path):
    results = run(project(tmp_path, FAILING.replace("name: 夕方の挨拶", 'name: "夕方\\u2028の挨拶"')))
    root = ET.fromstring(render_junit(results).split("\n", maxsplit=1)[1])  # noqa: S314 - it is our own
    (case,) = root.iter("testcase")
    assert case.get("name") == "夕方\u2028の挨拶"


def test_a_skipped_conversation_says_why(tmp_path):
    golden = GOLDEN.replace('large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "large: live")
    results = run(project(tmp_path, golden))
    assert '<skipped message="a model is asked live' in render_junit(results)
    assert "a model is asked live" in render_html(results, seconds=0.1)


def test_the_page_escapes_what_people_and_models_say(tmp_path):
    golden = GOLDEN.replace("星は、遠い昔の光なのよ。", "<script>alert(1)</script>")
    page = render_html(run(project(tmp_path, golden)), seconds=0.1)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_page_names_nothing_outside_itself(failed):
    page = render_html(failed, seconds=0.1)
    assert "http://" not in page
    assert "https://" not in page
    assert "Content-Security-Policy" in page


def test_the_page_opens_at_what_failed_and_offers_to_accept_it(failed, tmp_path):
    page = render_html(failed, seconds=0.1)
    assert 'value="different" checked' in page
    file = failed[0].golden.path.as_posix()
    assert f"To accept what is different now: <code>misaki test {file} --accept</code>" in page
    assert f"<code>misaki test {file} -k &#39;夕方の挨拶&#39; --accept</code>" in page
    passed = render_html(run(project(tmp_path)), seconds=0.1)
    assert 'value="all" checked' in passed
    assert "--accept" not in passed


def test_reports_speak_the_language_of_the_command(failed):
    before = spoken.set("ja")
    page = render_html(failed, seconds=0.1)
    text = shown(lambda console: show_summary(failed, 0.5, console))
    spoken.reset(before)
    assert '<html lang="ja">' in page
    assert "今の答えを正しいものとして受け入れるには: <code>" in page
    assert text.strip() == "失敗 1（会話 1 つ、やりとり 2 回、0.50 秒）"
