from __future__ import annotations

import json

import pytest
from rich.console import Console

from engine.golden.kind_accuracy import Answer, Measured, NoKinds, leave_one_out, on_file, share
from engine.golden.report.calibration import show_kinds
from engine.kinds.features import features
from engine.kinds.learning import learn
from engine.kinds.model import KindModel
from engine.pipeline.schema.load import read_pipeline

EXAMPLES = {
    "order": ["ビールください", "水割りください", "熱燗ください"],
    "thanks": ["ありがとう", "助かったよ、ありがとう", "ありがとうね"],
}


@pytest.fixture(scope="module")
def model():
    data = learn([(kind, features(text)) for kind, texts in EXAMPLES.items() for text in texts])
    return KindModel(lambda: memoryview(data))


def test_labelled_sentences_are_measured(model, tmp_path):
    rows = [
        {"text": "焼酎ください", "kind": "order", "lang": "ja"},
        {"text": "ほんとにありがとう", "kind": "thanks", "lang": "ja"},
        {"text": "枝豆ください", "kind": "thanks"},
    ]
    file = tmp_path / "fresh.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = on_file(model, file)
    assert [one.is_right for one in found.answers] == [True, True, False]
    assert found.confusions == [(("thanks", "order"), 1)]
    assert found.size == len(model.stored)
    assert share(found.by("language")["ja"]) == 1.0


@pytest.mark.parametrize("text", ["", "no json", '{"text": "a"}', "[1]"])
def test_a_file_of_something_else_is_refused(model, tmp_path, text):
    (tmp_path / "x.jsonl").write_text(text, "utf-8")
    with pytest.raises(NoKinds):
        on_file(model, tmp_path / "x.jsonl")


def test_a_pipeline_without_kinds_has_nothing_to_measure(tmp_path):
    (tmp_path / "p.yml").write_text(
        "version: 1\nname: p\npersona: {name: a}\nsteps: [{id: s, kind: replies}]\n", "utf-8"
    )
    with pytest.raises(NoKinds):
        leave_one_out(read_pipeline(tmp_path / "p.yml").spec)
    with pytest.raises(NoKinds):
        on_file(None, tmp_path / "p.yml")


def test_the_report_names_what_is_taken_for_what():
    answers = (Answer(kind="order", told="order", sure=0.9), Answer(kind="thanks", told="order", sure=0.4))
    console = Console(record=True, width=80)
    show_kinds(Measured(source="a file", answers=answers), console)
    text = console.export_text()
    assert "1 × thanks taken for order" in text
    assert "50.0% right" in text
