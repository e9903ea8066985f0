from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.pipeline.reading.decoding import decode, line_starts, lines, position, read_text, shortened
from engine.pipeline.reading.files import read_file
from engine.pipeline.reading.limits import MAX_BYTES


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
