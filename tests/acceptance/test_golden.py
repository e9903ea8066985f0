"""Golden conversations as an editor meets them: from a fresh folder, on the command line, in a browser."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.acceptance.processes import ROOT, python_path, run
from tests.fakes.golden import GOLDEN, REPLIES, project

CANARY = "canary-4f1d8a27c3"
CANARIES = {
    "OPENAI_API_KEY": f"sk-{CANARY}-openai",
    "HUGGINGFACE_TOKEN": f"hf_{CANARY}",
    "CLIENT_TOKEN": f"{CANARY}-client",
    "BEDROCK_CREDENTIALS": f'{{"access_key_id": "AKIA{CANARY}", "secret_access_key": "{CANARY}-secret"}}',
}


def test_a_fresh_folder_with_the_package_one_pipeline_one_golden_and_pytest(installed, tmp_path):
    golden = project(tmp_path)
    env = {"PYTHONPATH": python_path(installed)}
    assert f"Origin: {installed.as_posix()}/" in run("inspect", "--details", "engine", cwd=tmp_path, env=env).stdout
    passed = run("pytest", "-v", cwd=tmp_path, env=env)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "golden/bar.golden.yml::夕方の挨拶 PASSED" in passed.stdout

    replies = tmp_path / "replies" / "bar.yml"
    replies.write_text(REPLIES.replace("今夜も来てくれて", "今日も来てくれて"), encoding="utf-8")
    failed = run("pytest", cwd=tmp_path, env=env)
    assert failed.returncode == 1
    assert "客  こんばんは" in failed.stdout
    assert "いらっしゃい。今[-夜-]{+日+}も来てくれて嬉しいわ。" in failed.stdout
    assert f"{golden.relative_to(tmp_path)}:10:17" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert "engine/golden" not in failed.stdout


def test_pytest_shows_every_mistake_of_a_golden_file(installed, tmp_path):
    project(tmp_path, GOLDEN.replace("engine: external", "engine: extern").replace("model: large", "modle: large"))
    failed = run("pytest", cwd=tmp_path, env={"PYTHONPATH": python_path(installed)})
    assert failed.returncode == 2
    assert "did you mean `external`?" in failed.stdout
    assert "did you mean `model`?" in failed.stdout
    assert "Traceback" not in failed.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 0, "1 passed of 1 conversation with 2 turns"),
        (["golden/bar.golden.yml", "-k", "夕方"], 0, "1 passed"),
        (["-k", "朝"], 2, "no conversation has `朝`"),
        (["nowhere"], 2, "no golden file at `nowhere`"),
        (["--repeat", "0"], 2, "expected 1 or more"),
        (["--repeat", "3"], 0, "1 passed"),
        (["--live"], 0, "1 passed"),
    ],
)
def test_exit_codes(tmp_path, arguments, code, words):
    project(tmp_path)
    done = run("engine", "test", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr


def test_a_failure_can_be_seen_accepted_and_is_gone(tmp_path):
    golden = project(tmp_path, GOLDEN.replace("今夜も", "今晩も"))
    failed = run("engine", "test", cwd=tmp_path)
    assert failed.returncode == 1
    assert "いらっしゃい。今[-晩-]{+夜+}も来てくれて嬉しいわ。" in failed.stdout
    assert "trace: canned matched reply_id=greet_evening" in failed.stdout
    accepted = run("engine", "test", "--accept", cwd=tmp_path)
    assert (accepted.returncode, "accepted 1 expectation in" in accepted.stdout) == (0, True)
    assert golden.read_text(encoding="utf-8") == GOLDEN
    assert run("engine", "test", cwd=tmp_path).returncode == 0


def test_problems_in_a_golden_are_shown_like_all_others(tmp_path):
    project(tmp_path, GOLDEN.replace("user: 星の話をして", "usr: 星の話をして"))
    for command in (("test",), ("validate",)):
        done = run("engine", *command, cwd=tmp_path)
        assert done.returncode == 1
        assert "golden/bar.golden.yml:11:9: error P203 unknown key `usr`" in done.stdout + done.stderr
        assert "did you mean `user`?" in done.stdout + done.stderr


def test_reports_for_machines_and_people_hold_no_secret(tmp_path):
    """Recording, failing, reporting and accepting with canary secrets all around."""
    leak = f"鍵は{CANARIES['OPENAI_API_KEY']}よ。"
    golden = GOLDEN.replace('large: {says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "large: recorded")
    pipeline = tmp_path / "pipelines" / "bar.yml"
    project(tmp_path, golden)
    scripted = f"{{backend: scripted, answers: ['{leak}']}}"
    text = pipeline.read_text(encoding="utf-8").replace(
        '{backend: openai, model: "${OPENAI_MODEL:some-model}"}', scripted
    )
    pipeline.write_text(text, encoding="utf-8")
    arguments = ["--record", "--coverage", "--html", "r.html", "--junit", "r.xml"]
    shown = run("engine", "test", *arguments, cwd=tmp_path, env=CANARIES)
    assert shown.returncode == 1
    replayed = run("engine", "test", "--accept", cwd=tmp_path, env=CANARIES)
    by_pytest = run("pytest", "-p", "engine.golden.pytest_plugin", cwd=tmp_path, env=CANARIES)
    said = [shown.stdout, shown.stderr, replayed.stdout, replayed.stderr, by_pytest.stdout, by_pytest.stderr]
    written = [path.read_text("utf-8") for path in tmp_path.rglob("*") if path.is_file() and path != pipeline]
    assert (tmp_path / "golden" / "bar.cassette.yml").exists()
    assert "[secret]" in (tmp_path / "r.html").read_text("utf-8")
    assert not [text for text in (*said, *written) if CANARY in text]


def test_junit_is_read_as_xml(tmp_path):
    project(tmp_path, GOLDEN.replace("今夜も", "今晩も"))
    run("engine", "test", "--junit", "r.xml", cwd=tmp_path)
    suites = ET.parse(tmp_path / "r.xml").getroot()  # noqa: S314 - it is our own
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    (failure,) = suite.iter("failure")
    assert failure.get("message") == "turn 1: differs in reply"
    assert "[-晩-]{+夜+}" in (failure.text or "")


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> dict[str, Path]:
    """The HTML report of passed, failed and stale conversations, and the calibration's."""
    folder = tmp_path_factory.mktemp("reports")
    stale = (
        GOLDEN.split("conversations:\n")[1]
        .replace("夕方の挨拶", "録音が古い")
        .replace('{says: "星は、遠い昔の光なのよ。", tokens: 9, seconds: 2s}', "recorded")
    )
    failing = GOLDEN.split("conversations:\n")[1].replace("夕方の挨拶", "言葉が違う").replace("今夜も", "今晩も")
    project(folder, f"{GOLDEN}\n{failing}\n{stale}")
    run("engine", "test", "--coverage", "--html", "report.html", cwd=folder)
    run("engine", "calibrate", "--pipeline", "pipelines/bar.yml", "--html", "calibration.html", "golden", cwd=folder)
    return {"report": folder / "report.html", "calibration": folder / "calibration.html"}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["report", "calibration"])
def test_a_report_opens_without_an_error_or_a_request(reports, browser, name, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(reports[name].as_uri())
    assert (messages, requests) == ([], [reports[name].as_uri()])
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.close()


def test_the_report_is_filtered_by_status_and_words(reports, browser):
    page = browser.new_page()
    page.goto(reports["report"].as_uri())

    def shown() -> list[str]:
        return page.locator("article:visible .name").all_inner_texts()

    assert shown() == ["言葉が違う", "録音が古い"]
    page.get_by_role("button").first.click()
    selected = page.evaluate("getSelection().toString()")
    assert selected == "misaki test golden/bar.golden.yml --accept"
    for status, names in (
        ("failed", ["言葉が違う"]),
        ("stale", ["録音が古い"]),
        ("passed", ["夕方の挨拶"]),
        ("skipped", []),
    ):
        page.get_by_text(re.compile(f"^{status}$")).and_(page.locator(".choice")).click()
        assert shown() == names
    assert page.locator("#none").is_visible()
    page.get_by_text("all", exact=True).click()
    assert shown() == ["夕方の挨拶", "言葉が違う", "録音が古い"]
    page.get_by_role("searchbox").fill("今晩も")
    assert shown() == ["言葉が違う"]
    assert page.locator("article:visible del").all_inner_texts() == ["晩"]
    assert page.locator("article:visible ins").all_inner_texts() == ["夜"]
    page.close()


def test_chat_is_saved_and_explained(tmp_path):
    project(tmp_path)
    chat = ("engine", "chat", "--pipeline", "pipelines/bar.yml", "--save", "golden/new.golden.yml")
    saved = run(*chat, cwd=tmp_path, stdin="こんばんは\n")
    assert "saved golden/new.golden.yml" in saved.stdout, saved.stdout + saved.stderr
    assert run("engine", "test", "golden/new.golden.yml", cwd=tmp_path).returncode == 0
    explained = run("engine", "explain", "--pipeline", "pipelines/bar.yml", "こんばんは", cwd=tmp_path)
    assert "golden golden/bar.golden.yml:9:15: 夕方の挨拶" in explained.stdout


def test_calibrate_proposes_and_writes_only_when_told(tmp_path):
    golden = project(tmp_path)
    pipeline = tmp_path / "pipelines" / "bar.yml"
    strict = pipeline.read_text("utf-8").replace("threshold: 80", "threshold: 100")
    pipeline.write_text(strict, encoding="utf-8")
    arguments = ("engine", "calibrate", "--pipeline", "pipelines/bar.yml", golden.as_posix())
    proposed = run(*arguments, cwd=tmp_path)
    assert proposed.returncode == 1, proposed.stdout + proposed.stderr
    assert "こんばんわ" in proposed.stdout
    assert pipeline.read_text("utf-8") == strict
    assert run(*arguments, "--write", cwd=tmp_path).returncode == 0
    assert pipeline.read_text("utf-8") != strict
    assert run(*arguments, cwd=tmp_path).returncode == 0


def test_the_live_demo_model_says_what_was_recorded(gemma_path, tmp_path):
    """On one machine, at temperature 0 and with whatever threads it has, the same request gets the same words."""
    source = ROOT / "tests" / "golden" / "snack_misaki" / "local_model.golden.yml"
    text = source.read_text("utf-8").replace("../../../pipelines", (ROOT / "pipelines").as_posix())
    golden = tmp_path / "local.golden.yml"
    golden.write_text(text.replace(".models/" + gemma_path.name, gemma_path.as_posix()), encoding="utf-8")
    arguments = ("engine", "test", golden.as_posix(), "-k", "習いごと", "--patience", "30")
    run(*arguments, "--record", "--accept", cwd=tmp_path)
    assert gemma_path.name in (tmp_path / "local.cassette.yml").read_text("utf-8")
    for mode in ((), ("--live",)):
        done = run(*arguments, *mode, cwd=tmp_path)
        assert done.returncode == 0, done.stdout
