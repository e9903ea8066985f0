import argparse
import errno
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli import root
from engine.cli.env_file import Usage
from engine.cli.root import BUG, CLEAN, COMMANDS, PROBLEMS, USAGE, Row, main
from engine.core.errors import ConfigError
from engine.core.source import Problem, Span

BAR = str(Path(__file__).parents[2] / "configs" / "good" / "bar" / "pipeline.yml")


class Raising:
    """A command that raises; stands where a module would."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def configure(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--x")

    def run(self, _arguments: argparse.Namespace) -> int:
        raise self.error


@pytest.fixture
def raising(monkeypatch):
    def add(error: BaseException) -> None:
        monkeypatch.setattr(root, "COMMANDS", (Row("boom", "tests.boom", "raises"),))
        monkeypatch.setitem(sys.modules, "tests.boom", Raising(error))

    return add


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_every_row_names_a_module_that_is_a_command(row, capsys):
    command = importlib.import_module(row.module)
    parser = argparse.ArgumentParser()
    command.configure(parser)
    assert callable(command.run)
    assert main([row.name, "--help"]) == CLEAN
    assert row.help in " ".join(capsys.readouterr().out.split())


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == CLEAN
    shown = capsys.readouterr().out
    assert all(row.help in shown for row in COMMANDS)


def test_the_version(capsys):
    assert main(["--version"]) == CLEAN
    assert capsys.readouterr().out.startswith("misaki ")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--nonsense"], ["invoke"], ["serve", "--port", "many"]])
def test_usage_errors(arguments, capsys):
    assert main(arguments) == USAGE
    shown = capsys.readouterr()
    assert "usage: misaki" in shown.out + shown.err


def test_a_command_that_is_not_there_is_told_with_the_near_one(capsys):
    assert main(["valdate"]) == USAGE
    assert "`valdate` is no command: did you mean `validate`?" in capsys.readouterr().err
    assert main(["bench"]) == USAGE
    assert "`bench` is no command: known: `init`, `serve`, `chat`" in capsys.readouterr().err


def test_problems_of_the_configuration_are_printed(raising, capsys):
    span = Span(file="replies/a.yml", line=14, column=7, end_line=14, end_column=12)
    raising(ConfigError([Problem(code="P203", message="unknown key `cutof`", span=span)]))
    assert main(["boom"]) == PROBLEMS
    assert "replies/a.yml:14:7" in capsys.readouterr().err


def test_a_bug_is_owned_up_to(raising, capsys):
    raising(RuntimeError("oh no"))
    assert main(["boom"]) == BUG
    shown = capsys.readouterr().err
    assert "MISAKI_DEBUG=1" in shown
    assert "Traceback" not in shown


def test_a_bug_shows_its_traceback_on_demand(raising, capsys, monkeypatch):
    monkeypatch.setenv("MISAKI_DEBUG", "1")
    raising(RuntimeError("oh no"))
    assert main(["boom"]) == BUG
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_no_error(raising, capsys):
    raising(KeyboardInterrupt())
    assert main(["boom"]) == 130
    assert capsys.readouterr().err == ""


def test_what_cannot_be_done_as_asked_is_usage(raising, capsys):
    raising(Usage("no pipeline at `a`"))
    assert main(["boom"]) == USAGE
    assert capsys.readouterr().err == "misaki boom: no pipeline at `a`\n"


def test_what_the_system_refuses_is_no_mistake_of_ours(raising, capsys):
    raising(PermissionError(errno.EACCES, "Permission denied", "a/page.html"))
    assert main(["boom"]) == PROBLEMS
    assert capsys.readouterr().err == "misaki: `a/page.html`: permission denied\n"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", [["--help"], ["explain", "こんばんは"], ["explain", "こんばんは", "--format", "json"]]
)
def test_a_reader_that_went_away_is_no_problem(arguments, unbuffered):
    reader, writer = os.pipe()
    os.close(reader)
    done = run(*arguments, stdout=writer, env={"PYTHONUNBUFFERED": unbuffered})
    os.close(writer)
    assert (done.returncode, done.stderr) == (CLEAN, "")


@pytest.mark.parametrize("arguments", [["--help"], ["explain", "こんばんは"]])
def test_a_full_disk_is_told_once(arguments):
    with Path("/dev/full").open("wb") as full:
        done = run(*arguments, stdout=full, env={"PYTHONUNBUFFERED": ""})
    assert (done.returncode, done.stderr) == (PROBLEMS, "misaki: no space left on device\n")


def test_an_encoding_without_japanese_is_no_obstacle():
    done = run("explain", "こんばんは", stdout=subprocess.PIPE, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (CLEAN, "")
    assert "\\u3053" in done.stdout


def test_streams_that_are_closed_are_empty():
    code = "import os, sys; os.closerange(0, 3); os.execvp(sys.executable, [sys.executable, '-m', 'engine', 'chat'])"
    env = {**os.environ, "MISAKI_PIPELINE": BAR}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == CLEAN


def run(*arguments: str, stdout: object, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", *arguments]
    env = {**os.environ, "MISAKI_PIPELINE": BAR, **env}
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=env, check=False)


def test_help_loads_no_engine():
    code = "import sys; from engine.cli import main; main(['--help']); print('engine.app' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_a_package_that_is_not_installed_is_named():
    missing = "import sys; sys.modules['uvicorn'] = None; from engine.cli import main; sys.exit(main(['serve']))"
    done = subprocess.run([sys.executable, "-c", missing], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "misaki serve: the package `uvicorn` is not installed" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["--lang", "ja", "--help"], ["--help", "--lang=ja"], ["test", "--help", "--lang", "ja"]]
)
def test_help_speaks_the_language_asked_for(arguments, capsys):
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("使いかた: misaki ")
    assert "この説明を表示して終わる" in shown
    assert main(["test", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: misaki test ")


def test_mistakes_on_the_command_line_are_told_in_the_language_asked_for(capsys):
    assert main(["test", "--lang", "ja", "--repeat", "no"]) == 2
    assert "引数 --repeat: `no` は回数として読めません。1 以上の数を書いてください" in capsys.readouterr().err
    assert main(["--lang", "ja", "explain", "x", "--pipeline", "none.yml"]) == 2
    assert "misaki explain: `none.yml` にパイプラインがありません" in capsys.readouterr().err
