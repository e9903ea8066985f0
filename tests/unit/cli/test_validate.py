from __future__ import annotations

import argparse
import io
import json
import threading
import time
from pathlib import Path

import pytest

from engine.cli import main, validate
from engine.validation.codes import CODES

BAD = Path(__file__).parent.parent.parent / "configs" / "bad"
GOOD = Path(__file__).parent.parent.parent / "configs" / "good"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def _at_home(monkeypatch):
    monkeypatch.chdir(BAD)


def test_exit_codes():
    assert main(["validate", str(GOOD)]) == 0
    assert main(["validate", "P203"]) == 1
    assert main(["validate", "P507"]) == 0
    assert main(["validate", "--strict", "P507"]) == 1


def test_usage_is_told_apart(capsys, tmp_path, monkeypatch):
    assert main(["validate", "nowhere"]) == 2
    assert "`nowhere` does not exist" in capsys.readouterr().err
    assert main(["validate", "--select", "P999"]) == 2
    assert main(["validate", "--format", "xml"]) == 2
    monkeypatch.chdir(tmp_path)
    assert main(["validate"]) == 2
    assert "no folder" in capsys.readouterr().err


def test_select_and_ignore_take_codes_and_blocks(capsys):
    def found(*options):
        main(["validate", "--format", "json", "P203", "P507", *options])
        return [problem["code"] for problem in json.loads(capsys.readouterr().out)["problems"]]

    assert found() == ["P203", "P203", "P203", "P507"]
    assert found("--select", "P5") == ["P507"]
    assert found("--ignore", "p203,P507") == []
    assert found("--select", "P2,P5", "--ignore", "P5") == ["P203"] * 3


def test_pipelines_and_goldens_are_checked_at_once_as_they_are_alone(capsys):
    def found(*folders):
        main(["validate", "--format", "json", *folders])
        return json.loads(capsys.readouterr().out)["problems"]

    folders = ("P310", "P503", "P507", str(GOOD))
    assert found(*folders) == [problem for folder in folders for problem in found(folder)] != []


def test_colour_on_a_terminal_only(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    main(["validate", "P203"])
    assert "\x1b[" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    monkeypatch.setattr("sys.stdout", plain)
    main(["validate", "P203"])
    assert "\x1b[" not in plain.getvalue()


@pytest.mark.parametrize("form", ["github", "sarif", "json"])
def test_other_formats_are_not_mixed_with_the_summary(form, capsys):
    main(["validate", "--format", form, "P203"])
    assert " files with " not in capsys.readouterr().out


def test_a_page_is_printed(capsys):
    assert main(["validate", "--explain", "P203"]) == 0
    assert capsys.readouterr().out.startswith(f"# P203: {CODES['P203'].title}")


def test_files_alone_are_held_against_the_pipelines_that_use_them(tmp_path, monkeypatch, capsys):
    (tmp_path / "pipelines").mkdir()
    pipeline = (BAD / "P503" / "pipeline.yml").read_text("utf-8")
    (tmp_path / "pipelines" / "a.yml").write_text(f"{pipeline}nobody: asks\n", "utf-8")
    (tmp_path / "pipelines" / "replies.yml").write_text((BAD / "P503" / "replies.yml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["validate", "pipelines/replies.yml"]) == 1
    shown = capsys.readouterr().out
    assert "pipelines/replies.yml:5:23: error P503" in shown
    assert "a.yml" not in shown
    assert "in 1 file with" in shown


def test_a_file_that_is_asked_about_is_looked_at_whatever_its_name(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("a: 1", "utf-8")
    assert main(["validate", str(tmp_path / "notes.txt")]) == 1
    assert "P302" in capsys.readouterr().out
    assert main(["validate", str(tmp_path)]) == 0


def test_watch_checks_again_when_a_file_changes(tmp_path, monkeypatch):
    for name in ("pipeline.yml", "replies.yml"):
        (tmp_path / name).write_text((BAD / "P203" / name).read_text("utf-8"), "utf-8")
    screen = Terminal()
    monkeypatch.setattr("sys.stdout", screen)
    rounds = []

    def save_once(paths):
        rounds.append(screen.getvalue())
        (paths[0] / "replies.yml").write_text((BAD / "P507" / "replies.yml").read_text("utf-8"), "utf-8")
        return len(rounds) < 2

    parser = argparse.ArgumentParser()
    validate.configure(parser)
    assert validate.watch([tmp_path], parser.parse_args(["--watch"]), save_once) == 0
    assert "says" in rounds[0]
    assert "says" not in rounds[1][len(rounds[0]) :]


def test_a_change_is_noticed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.yml"
    file.write_text("a: 1", "utf-8")
    waiting = threading.Thread(target=validate.wait_for_change, args=([tmp_path],), daemon=True)
    waiting.start()
    while waiting.is_alive():
        file.write_text(f"a: {time.monotonic_ns()}", "utf-8")
        waiting.join(0.05)


@pytest.mark.parametrize("kind", ["pipeline", "replies", "golden"])
def test_schemas_are_printed(kind, capsys):
    assert main(["schema", kind]) == 0
    assert json.loads(capsys.readouterr().out)["title"]


def test_the_language_is_the_option_or_the_variable(capsys, monkeypatch):
    assert main(["validate", "--lang", "ja", "P203"]) == 1
    assert "エラー P203 知らないキー `says` です" in capsys.readouterr().out
    monkeypatch.setenv("MISAKI_LANG", "ja")
    assert main(["validate", "--explain", "P203"]) == 0
    assert capsys.readouterr().out.startswith("# P203: 知らないキー\n")
    assert main(["validate", "--lang", "en", "P203"]) == 1
    assert "error P203 unknown key" in capsys.readouterr().out
    assert main(["validate", "--format", "github", "P203"]) == 1
    assert "unknown key" in capsys.readouterr().out
