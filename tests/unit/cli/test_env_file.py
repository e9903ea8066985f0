"""Settings from `.env`: what is read, what is told, and that no value is shown."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.env_file import Usage, read_env_file
from engine.cli.root import CLEAN, USAGE

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("LOG_TEXT=true", {"LOG_TEXT": "true"}),
        ("LOG_TEXT = true\n", {"LOG_TEXT": "true"}),
        ("export LOG_TEXT=true", {"LOG_TEXT": "true"}),
        ("\ufeffLOG_TEXT=true\r\nALLOW_DEBUG=false\r\n", {"LOG_TEXT": "true", "ALLOW_DEBUG": "false"}),
        ("# LOG_TEXT=true\n\nALLOW_DEBUG=true  # for now\n", {"ALLOW_DEBUG": "true"}),
        ("OPENAI_API_KEY='sk-#1'\n", {"OPENAI_API_KEY": "sk-#1"}),
        ('BEDROCK_CREDENTIALS=\'{"access_key_id": "A"}\'', {"BEDROCK_CREDENTIALS": '{"access_key_id": "A"}'}),
        ("CLIENT_TOKEN=\n", {"CLIENT_TOKEN": ""}),
        ("A=1\nA=2\n", {"A": "2"}),
        (
            "HOST=127.0.0.1\nOPENAI_BASE_URL=http://${HOST}/v1",
            {"HOST": "127.0.0.1", "OPENAI_BASE_URL": "http://127.0.0.1/v1"},
        ),
        ("MISAKI_PIPELINE=パイプライン/美砂樹.yml", {"MISAKI_PIPELINE": "パイプライン/美砂樹.yml"}),
        ("# nothing\n\n", {}),
        ("", {}),
    ],
)
def test_lines_become_settings(folder, text, settings):
    (folder / ".env").write_text(text, "utf-8")
    env = {}
    said = read_env_file(env)
    assert env == settings
    assert said == (f"settings from .env: {', '.join(settings)}" if settings else "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sk-secret", 1),
        ("LOG_TEXT=true\n\n\nsk-secret\n", 4),
        ("# a comment\nLOG_TEXT: sk-secret\n", 2),
        ('A=1\nB="sk-secret\nC=2\n', 2),
        ("A=1\nB='sk-secret' and more\n", 2),
        ("=sk-secret", 1),
        ("A B=sk-secret", 1),
        ("LOG_TEXT＝sk-secret", 1),
        ("1A=sk-secret", 1),
        ("sk-secret=1", 1),
        ("A=1\r\nsk-secret\r\n", 2),
        ("A=1\nB=sk-secret\0\n", 2),
    ],
)
def test_a_broken_line_is_told_by_its_number_and_not_shown(folder, text, line, capsys):
    (folder / ".env").write_text(text, "utf-8", newline="")
    env = {}
    with pytest.raises(Usage, match=rf"^`\.env`, line {line}: ") as caught:
        read_env_file(env)
    assert "secret" not in str(caught.value)
    assert env == {}
    assert capsys.readouterr() == ("", ""), "the library has nothing to add"


def test_what_is_no_text_is_told_with_its_line(folder):
    (folder / ".env").write_bytes(b"A=1\nB=\x8a\xbf\n")
    with pytest.raises(Usage, match=r"^`\.env`, line 2: .*UTF-8"):
        read_env_file({})


def test_the_environment_wins_even_where_it_is_empty(folder):
    (folder / ".env").write_text("OPENAI_API_KEY=sk-file\nLOG_TEXT=true\nCLIENT_TOKEN=file\n")
    env = {"OPENAI_API_KEY": "sk-real", "CLIENT_TOKEN": ""}
    said = read_env_file(env)
    assert env == {"OPENAI_API_KEY": "sk-real", "CLIENT_TOKEN": "", "LOG_TEXT": "true"}
    assert said == "settings from .env: LOG_TEXT; set outside of it already: OPENAI_API_KEY, CLIENT_TOKEN"


def test_without_a_file_nothing_is_said(folder):
    assert read_env_file({}) == ""
    (folder / ".env").mkdir()
    assert read_env_file({}) == "", "a folder of that name is somebody's virtual environment"


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / ".env")
    assert read_env_file({}) == ""


def test_another_file_may_be_named_or_none(folder):
    (folder / ".env").write_text("LOG_TEXT=true\n")
    (folder / "mine.env").write_text("ALLOW_DEBUG=true\n")
    assert read_env_file({"MISAKI_ENV_FILE": "off"}) == ""
    assert read_env_file({"MISAKI_ENV_FILE": "mine.env"}) == "settings from mine.env: ALLOW_DEBUG"
    with pytest.raises(Usage, match=r"MISAKI_ENV_FILE: there is no file `other\.env`"):
        read_env_file({"MISAKI_ENV_FILE": "other.env"})


@pytest.mark.parametrize(
    "command",
    [
        ["serve", "--port", "0"],
        ["chat"],
        ["invoke", "-"],
        ["build"],
        ["explain", "こんばんは"],
        ["calibrate"],
    ],
    ids=lambda command: command[0],
)
def test_every_command_that_loads_one_pipeline_goes_by_the_file(folder, command):
    (folder / ".env").write_text("MISAKI_PIPELINE=nowhere/bar.yml\n")
    done = misaki(*command, cwd=folder)
    assert "nowhere/bar.yml" in done.stdout + done.stderr
    assert "settings from .env: MISAKI_PIPELINE\n" in done.stderr


@pytest.mark.parametrize("command", ["test", "validate"])
def test_those_that_read_many_pipelines_go_by_the_file_too(folder, command):
    (folder / ".env").write_text("OPENAI_API_KEY=sk-secret\n")
    done = misaki(command, cwd=folder)
    assert "settings from .env: OPENAI_API_KEY\n" in done.stderr
    assert "secret" not in done.stdout + done.stderr


def test_a_broken_line_ends_a_command_as_wrong_usage(folder):
    (folder / ".env").write_text("A=1\nsk-secret\n")
    done = misaki("validate", cwd=folder)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith("misaki validate: `.env`, line 2: expected NAME=value")


def test_help_and_schemas_need_no_settings(folder, monkeypatch, capsys):
    (folder / ".env").write_text("sk-secret\n")
    monkeypatch.delenv("MISAKI_ENV_FILE")
    assert main(["validate", "--help"]) == CLEAN
    assert main(["schema", "replies"]) == CLEAN
    assert capsys.readouterr().err == ""


def test_lambda_does_not_read_it(folder):
    (folder / ".env").write_text("MISAKI_PIPELINE=nowhere/bar.yml\n")
    code = (
        "import os, sys; from engine.aws.handler import start; start(os.environ, log=lambda _: None);"
        "assert 'dotenv' not in sys.modules and 'engine.cli' not in sys.modules"
    )
    env = environment() | {"MISAKI_PIPELINE": str(ROOT / "tests/configs/good/bar/pipeline.yml"), "MISAKI_PLAN": "off"}
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, check=True)


def environment() -> dict[str, str]:
    """This process's environment, where the file is read again."""
    base = {name: value for name, value in os.environ.items() if name != "MISAKI_ENV_FILE"}
    return base | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def misaki(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=environment(), input="{}", capture_output=True, text=True, check=False, timeout=60
    )
