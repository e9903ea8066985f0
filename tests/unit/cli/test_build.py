import os
import shutil
import time
from pathlib import Path

import pytest

from engine.cli import main

ROOT = Path(__file__).parents[3]


@pytest.fixture
def pipeline(tmp_path):
    folder = Path(shutil.copytree(ROOT / "tests/configs/good/bar", tmp_path / "bar"))
    for file in folder.iterdir():
        os.utime(file, (time.time() - 100, time.time() - 100))
    return folder / "pipeline.yml"


def build(pipeline: Path, *options: str) -> int:
    return main(["build", "--pipeline", str(pipeline), *options])


def test_it_is_built_beside_the_pipeline_and_once(pipeline, capsys):
    assert build(pipeline) == 0
    made = pipeline.parent / ".cache" / "pipeline.plan"
    first = made.stat().st_mtime_ns
    assert f"{made}: 2 replies" in capsys.readouterr().out
    assert build(pipeline) == 0
    assert "is up to date" in capsys.readouterr().out
    assert made.stat().st_mtime_ns == first
    assert build(pipeline, "--force") == 0
    assert made.stat().st_mtime_ns > first


def test_it_may_be_written_elsewhere(pipeline, tmp_path, capsys):
    out = tmp_path / "deep" / "a.plan"
    assert build(pipeline, "--out", str(out)) == 0
    assert out.is_file()
    assert not (pipeline.parent / ".cache").exists()
    assert str(out) in capsys.readouterr().out


def test_the_variable_names_the_place(pipeline, tmp_path, monkeypatch):
    monkeypatch.setenv("MISAKI_PLAN", str(tmp_path / "b.plan"))
    assert build(pipeline) == 0
    assert (tmp_path / "b.plan").is_file()
    monkeypatch.setenv("MISAKI_PLAN", "off")
    assert build(pipeline) == 2


def test_a_place_that_cannot_be_written_is_named(pipeline, capsys):
    assert build(pipeline, "--out", str(pipeline / "a.plan")) == 1
    assert "a.plan` cannot be written: file exists" in capsys.readouterr().err


def test_mistakes_are_shown_where_they_are(pipeline, capsys):
    pipeline.write_text("version: 1\nnmae: bar\n", encoding="utf-8")
    assert build(pipeline) == 1
    assert "pipeline.yml:2:1: error" in capsys.readouterr().err


def test_a_local_model_reads_the_beginning_of_its_prompts(pipeline, tiny_path, monkeypatch, capsys):
    text = pipeline.read_text(encoding="utf-8").replace("model.gguf", str(tiny_path))
    pipeline.write_text(text, encoding="utf-8")
    monkeypatch.setenv("LOCAL_LLM_MODEL", str(tiny_path))
    assert build(pipeline) == 0
    assert "small: " in (said := capsys.readouterr().out)
    assert "the beginning of its prompts is read" in said
    assert build(pipeline, "--plan-only") == 0
    assert "small: " not in capsys.readouterr().out


def test_a_local_model_that_is_not_there_is_named(pipeline, monkeypatch, capsys):
    monkeypatch.setenv("LOCAL_LLM_MODEL", "nowhere.gguf")
    assert build(pipeline) == 1
    assert "no file at" in capsys.readouterr().out
