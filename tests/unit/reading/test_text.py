from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.reading.files import read_file
from engine.reading.limits import MAX_BYTES
from engine.reading.text import decode, lines, position, read_text


def test_a_byte_order_mark_is_dropped():
    assert decode("\ufeffa: 1".encode(), "a.yml") == ("a: 1", [])


@pytest.mark.parametrize(
    ("data", "code", "place", "hint"),
    [
        ("a: こんばんは".encode("shift_jis"), "P105", (1, 4), "Shift_JIS"),
        ("a: こんばんは".encode("euc_jp"), "P105", (1, 4), "save it as UTF-8"),
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


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path):
    for path, reason in ((tmp_path / "none.yml", "does not exist"), (tmp_path, "folder")):
        text, problems = read_text(path, "x.yml")
        assert text is None
        assert (problems[0].code, problems[0].span.file) == ("P104", "x.yml")
        assert reason in problems[0].message


def test_a_name_that_no_file_can_have_is_a_problem(tmp_path):
    assert read_text(tmp_path / "a\0b", "x.yml")[1][0].code == "P104"


def test_lines_break_where_yaml_breaks_them():
    assert lines("a\r\nb\rc\nd\x85e\u2028f") == ["a", "b", "c", "d", "e", "f"]
    assert position("ab\r\ncd", 5) == (2, 2)


@given(st.binary(max_size=300))
def test_any_bytes_give_a_tree_or_problems(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_bytes(data)
    root, problems = read_file(path, "any.yml")
    assert root is not None or problems
