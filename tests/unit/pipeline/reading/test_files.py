"""Bytes of files to text, which of them a pipeline may name, and words found in their lines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import ConfigError
from engine.core.node import scalars
from engine.core.source import Span
from engine.pipeline.reading.compose import compose, read_file
from engine.pipeline.reading.files import (
    MAX_BYTES,
    Sources,
    decode,
    is_outside,
    line_starts,
    lines,
    position,
    project_of,
    read_text,
    shortened,
)
from engine.validation.load import read


def test_a_byte_order_mark_is_dropped():
    assert decode("\ufeffa: 1".encode(), "a.yml") == ("a: 1", [])


@pytest.mark.parametrize(
    ("data", "code", "place", "hint"),
    [
        ("a: こんばんは".encode("shift_jis"), "P105", (1, 4), "it looks like Shift_JIS: save it as UTF-8"),
        ("a: こんばんは".encode("euc_jp"), "P105", (1, 4), "it looks like EUC-JP: save it as UTF-8"),
        ("a: 梅酒".encode("cp932"), "P105", (1, 4), "it looks like Shift_JIS: save it as UTF-8"),
        ("a: 梅酒".encode("utf-16-le"), "P105", (1, 7), "it looks like UTF-16, or no text at all"),
        ("a: 1".encode("utf-16"), "P105", (1, 1), "save it as UTF-8"),
        (b"a: 1\nb: \xff", "P105", (2, 4), "save it as UTF-8"),
        (b"a: \x00", "P106", (1, 4), "delete"),
        ("a: x\u009b".encode(), "P106", (1, 5), "delete"),
        (b"x" * (MAX_BYTES + 1), "P109", (1, 1), "split"),
    ],
)
def test_what_is_not_text_is_named_at_its_place(data, code, place, hint):
    text, problems = decode(data, "a.yml")
    assert text is None
    assert (problems[0].code, (problems[0].span.line, problems[0].span.column)) == (code, place)
    assert hint in problems[0].hint


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_called_by_its_name(codec):
    _, problems = decode("\ufeffa: 1".encode(codec), "a.yml")
    assert problems[0].message == "file is UTF-16, not UTF-8"


def test_where_no_encoding_fits_none_is_guessed():
    _, problems = decode(b"a: 1\nb: \xe3", "a.yml")
    assert problems[0].message == "file is not UTF-8: byte 0xe3 is not part of a character"
    assert problems[0].hint == "save it as UTF-8"


def test_a_file_may_be_as_large_as_the_limit_and_is_never_cut(tmp_path):
    path = tmp_path / "large.yml"
    path.write_bytes(b"x" * MAX_BYTES)
    assert read_text(path, "x.yml") == ("x" * MAX_BYTES, [])
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    text, problems = read_text(path, "x.yml")
    assert (text, [problem.code for problem in problems]) == (None, ["P109"])


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    reasons = {
        tmp_path / "none.yml": "it does not exist",
        tmp_path: "it is a folder",
        tmp_path / ("x" * 300): "file name too long",
    }
    for path, reason in reasons.items():
        text, problems = read_text(path, "x.yml")
        assert text is None
        assert (problems[0].code, str(problems[0].span)) == ("P104", "x.yml:1:1")
        assert problems[0].message == f"file cannot be read: {reason}"


def test_a_name_that_no_file_can_have_is_a_problem(tmp_path):
    assert read_text(tmp_path / "a\0b", "x.yml")[1][0].code == "P104"


def test_lines_break_where_yaml_breaks_them():
    assert lines("a\r\nb\rc\nd\x85e\u2028f") == ["a", "b", "c", "d", "e", "f"]
    assert position("ab\r\ncd", 5) == (2, 2)
    assert line_starts("ab\r\ncd\ne") == [0, 4, 7]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 40 + "…"),
        ("one\ntwo", "one…"),
        ("  one", "one…"),
        (f"sk-{'a1B2' * 8}", f"sk-{'*' * 32}"),
        (f"{'x' * 39} sk-{'a1B2' * 8}", f"{'x' * 39} …"),
        (f"{'x' * 30} sk-{'a1B2' * 8}", f"{'x' * 30} sk-******…"),
    ],
)
def test_a_message_quotes_the_beginning_and_no_secret(text, shown):
    assert shortened(text) == shown


@given(st.binary(max_size=300))
def test_any_bytes_give_a_tree_or_problems(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(data)
    root, problems = read_file(path, "any.yml")
    assert root is not None or problems


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


TEXT = """\
a: now.huor >= 1
b: |
  first
  {{ persona.nam }} and {{ persona.name }}
c: "x\\u0041bc word"
"""


def spans(tmp_path):
    path = tmp_path / "a.yml"
    path.write_text(TEXT, "utf-8")
    root, _ = compose(TEXT, str(path))
    return Sources(), [node.span for node in scalars(root)]


def test_a_word_is_found_in_a_plain_scalar(tmp_path):
    sources, (plain, _, _) = spans(tmp_path)
    found = sources.find(plain, "now.huor")
    assert (found.line, found.column, found.end_column) == (1, 4, 12)


def test_a_word_is_found_on_its_line_of_a_block_scalar(tmp_path):
    sources, (_, block, _) = spans(tmp_path)
    found = sources.find(block, "persona.nam", line=2)
    assert (found.line, found.column) == (4, 6)


def test_a_whole_word_is_meant(tmp_path):
    sources, (_, block, _) = spans(tmp_path)
    found = sources.find(block, "persona.name", line=1)
    assert (found.line, found.column) == (4, 28)


def test_a_word_that_an_escape_hides_is_the_scalar_itself(tmp_path):
    sources, (_, _, quoted) = spans(tmp_path)
    assert sources.find(quoted, "Abc") == quoted
    assert sources.find(quoted, "word").column == 15


def test_a_file_that_is_gone_has_no_lines(tmp_path):
    span = Span(file=str(tmp_path / "gone"), line=3, column=1, end_line=3, end_column=2)
    assert Sources().line(span.file, 3) == ""
    assert Sources().find(span, "x") == span
