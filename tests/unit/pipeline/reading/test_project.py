"""What a pipeline may name: files of its own project, and nothing that is no file."""

import os
from pathlib import Path

import pytest

from engine.core.errors import ConfigError
from engine.pipeline.reading.decoding import read_text
from engine.pipeline.reading.project import is_outside, project_of
from engine.validation.load import read

PIPELINE = """\
version: 1
name: bar
locale: ja
timezone: Asia/Tokyo
deadline: 7s
persona: {name: 舞}
replies: [%s]
models:
  small: {backend: auto, path: model.gguf}
steps:
  - {id: canned, kind: replies}
  - {id: talk, kind: generate, model: small, prompt: '%s', timeout: 4s}
  - {id: sorry, kind: say, reply: sorry}
"""
REPLIES = "replies:\n  - {id: sorry, say: [ごめんなさいね。]}\n"


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    for name in ("pipelines/prompts", "replies", "prompts"):
        (folder / name).mkdir(parents=True)
    (folder / "replies" / "a.yml").write_text(REPLIES, "utf-8")
    for name in ("pipelines/prompts/a.j2", "prompts/a.j2", "x.env", ".env", "prompts/.env"):
        (folder / name).write_text("あなたは舞です。", "utf-8")
    (tmp_path / "secret.j2").write_text("SECRET", "utf-8")
    (tmp_path / "outside.yml").write_text(REPLIES, "utf-8")
    (folder / "prompts" / "link.j2").symlink_to(tmp_path / "secret.j2")
    (folder / "prompts" / "inside.j2").symlink_to(folder / "prompts" / "a.j2")
    (folder / "replies" / "link.yaml").symlink_to(tmp_path / "outside.yml")
    (folder / "linked").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(folder / "prompts" / "fifo.j2")
    os.mkfifo(folder / "replies" / "fifo.yaml")
    return folder


def codes(project: Path, replies: str, prompt: str, folder: str = "pipelines") -> list[str]:
    pipeline = project / folder / "bar.yml"
    pipeline.write_text(PIPELINE % (replies, prompt), "utf-8")
    try:
        read(pipeline)
    except ConfigError as error:
        return [problem.code for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "prompt", ["prompts/a.j2", "../prompts/a.j2", "../prompts/inside.j2", "./../prompts/../prompts/a.j2"]
)
def test_a_prompt_of_the_project_is_read(project, prompt):
    assert codes(project, "../replies/a.yml", prompt) == []


@pytest.mark.parametrize(
    "prompt",
    [
        "../x.env",
        "../.env",
        "../prompts/.env",
        "../../secret.j2",
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "/etc/hostname",
        "../prompts/link.j2",
        "../linked/secret.j2",
        "bar.yml",
        "../replies/a.yml",
        "/proc/self/environ",
        "/dev/zero",
    ],
)
def test_a_prompt_from_anywhere_is_not(project, prompt):
    assert codes(project, "../replies/a.yml", prompt) == ["P312"]


def test_a_prompt_that_is_a_pipe_is_refused_at_once(project):
    assert codes(project, "../replies/a.yml", "../prompts/fifo.j2") == ["P308"]


@pytest.mark.parametrize(
    "replies", ["../../outside.yml", "../../*.yml", "../replies/link.yaml", "../linked/outside.yml", "../linked/*.yml"]
)
def test_replies_from_anywhere_are_not_read(project, replies):
    assert "P312" in codes(project, f"../replies/a.yml, {replies}", "prompts/a.j2")


def test_replies_that_are_a_pipe_are_refused_at_once(project):
    assert codes(project, "../replies/a.yml, ../replies/fifo.yaml", "prompts/a.j2") == ["P104"]


def test_a_pipeline_elsewhere_has_its_own_folder_alone(project):
    (project / "bots").mkdir()
    assert "P312" in codes(project, "../replies/a.yml", "../prompts/a.j2", "bots")


def test_the_project_is_found_from_a_relative_name(project, monkeypatch):
    monkeypatch.chdir(project / "pipelines")
    assert project_of(Path("bar.yml")) == project.resolve()
    assert not is_outside(Path("../replies/a.yml"), project.resolve())
    assert is_outside(Path("../../outside.yml"), project.resolve())


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/tty"])
def test_a_device_is_not_read(device):
    text, [found] = read_text(Path(device), "x.yml")
    assert (text, found.code) == (None, "P104")


def test_a_pipe_with_a_writer_is_not_read(tmp_path):
    pipe = tmp_path / "x.yml"
    os.mkfifo(pipe)
    text, [found] = read_text(pipe, "x.yml")
    assert text is None
    assert "a pipe or a device" in found.message


def test_a_loop_of_links_is_no_file(tmp_path):
    (tmp_path / "a.yml").symlink_to(tmp_path / "b.yml")
    (tmp_path / "b.yml").symlink_to(tmp_path / "a.yml")
    assert not is_outside(tmp_path / "a.yml", tmp_path.resolve())
    assert read_text(tmp_path / "a.yml", "a.yml")[1][0].code == "P104"
