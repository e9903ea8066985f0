"""Sets of files: what one file's mistake hides of the others."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from engine.golden.run import NotFound, find_goldens
from engine.pipeline.reading.files import Sources
from engine.validation.project import validate

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


@pytest.mark.parametrize("name", ["more.txt", "more.yml.txt"])
def test_replies_that_were_saved_as_a_plain_text_are_told(subject, tmp_path, name):
    subject()
    (tmp_path / name).write_text("replies:\n  - {id: a, match: [やあ来たよ], say: [x]}\n", "utf-8")
    (tmp_path / "notes.txt").write_text("あとで直す: 挨拶\n", "utf-8")
    found = [problem for problem in validate([tmp_path], Sources()).problems if problem.code == "P512"]
    assert [(Path(problem.span.file).name, problem.hint) for problem in found] == [(name, "let its name end in `.yml`")]


@pytest.mark.parametrize("name", ["pipelines/z.yml", "replies/z.yml", "kinds/z.yml", "golden/z.golden.yml"])
def test_nothing_of_a_file_outside_of_the_project_is_shown(tmp_path, name):
    """A link that somebody sends along would show a secret to whoever reads the report."""
    (tmp_path / "secret.yml").write_text("SECRET_LINE: 1\n", "utf-8")
    project = tmp_path / "project"
    (project / "pipelines").mkdir(parents=True)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).symlink_to(tmp_path / "secret.yml")
    assert [validate([folder], Sources()).problems for folder in (project, (project / name).parent)] == [(), ()]
    with suppress(NotFound):
        assert find_goldens([project]) == []
    (project / "inside.yml").write_text("SECRET_LINE: 1\n", "utf-8")
    (project / name).unlink()
    (project / name).symlink_to(project / "inside.yml")
    assert validate([(project / name).parent], Sources()).problems
