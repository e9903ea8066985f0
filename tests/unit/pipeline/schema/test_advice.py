from __future__ import annotations

from pathlib import Path

import pytest

from engine.pipeline.schema.advice import hint, nearest, pipeline_meant
from engine.pipeline.schema.load import load_pipeline

KEYS = ["id", "match", "when", "priority", "say"]


@pytest.mark.parametrize(
    ("word", "meant"), [("mach", "match"), ("matchs", "match"), ("hwen", "when"), ("i", "id"), ("prioirty", "priority")]
)
def test_one_edit_is_always_recognised(word, meant):
    assert nearest(word, KEYS) == meant


def test_what_resembles_nothing_gets_the_whole_list():
    assert nearest("colour", KEYS) is None
    assert hint("colour", KEYS) == "known: `id`, `match`, `when`, `priority`, `say`"


def test_a_long_list_is_not_recited():
    assert hint("zzz", [f"name{number}" for number in range(50)]) == ""


@pytest.mark.parametrize("given", ["bar", "bar.yml", "pipelines/bar", "pipelines/bra.yml", "bar.yaml"])
def test_a_pipeline_may_be_called_by_its_name(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    Path("pipelines").mkdir()
    for name in ("bar", "kitchen"):
        Path("pipelines", f"{name}.yml").write_text("version: 1\n", "utf-8")
    assert pipeline_meant(Path(given)) == Path("pipelines/bar.yml")
    _, (problem,) = load_pipeline(Path(given))
    assert (problem.code, problem.hint) == ("P104", "did you mean `pipelines/bar.yml`?")


def test_a_pipeline_that_resembles_nothing_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pipeline_meant(Path("bar.yml")) is None
