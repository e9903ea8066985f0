"""Sets of files: what one file's mistake hides of the others."""

from __future__ import annotations

import pytest

from engine.building.checks.project import validate
from engine.reading.sources import Sources

STEPS = (
    "{id: canned, kind: replies}",
    "{id: talk, kind: generate, model: small, prompt: p.j2}",
    "{id: sorry, kind: say, reply: sorry}",
)


def codes(folder):
    return [problem.code for problem in validate([folder], Sources()).problems]


@pytest.mark.parametrize("file", ["pipeline.yml", "p.j2"])
def test_what_an_unreadable_file_uses_is_not_called_unused(subject, tmp_path, file):
    subject(steps=STEPS)
    (tmp_path / file).write_bytes("名前".encode("cp932"))
    assert codes(tmp_path) == ["P105"]


@pytest.mark.parametrize(("right", "wrong"), [("model: small", "model: [a, b]"), ("prompt: p.j2", "prompt: [a]")])
def test_what_stands_in_for_a_mistake_is_looked_for_nowhere(subject, tmp_path, right, wrong):
    subject(steps=STEPS)
    path = tmp_path / "pipeline.yml"
    path.write_text(path.read_text("utf-8").replace(right, wrong), "utf-8")
    assert [code for code in codes(tmp_path) if not code.startswith("P5")] == ["P202"]
