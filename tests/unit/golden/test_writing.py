from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from engine.core.node import plain
from engine.golden.writing import block, flow, overwrite, scalar
from engine.pipeline.reading.compose import compose

# A reader takes control characters for damage, so no text of ours holds any.
READABLE = st.text(max_size=60).map(
    lambda text: "".join(char for char in text if char.isprintable() or char in "\n\t\u3000")
)
VALUES = st.recursive(
    READABLE | st.integers(-999, 999) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(READABLE.filter(bool), inner, max_size=4),
    max_leaves=8,
)


def read(text: str):
    root, problems = compose(text, "x.yml")
    assert problems == [], text
    assert root is not None
    return plain(root)


@given(READABLE, st.sampled_from(["plain", "single", "double"]))
def test_a_scalar_reads_back(text, style):
    assert read(f"key: {scalar(text, style=style)}\n") == {"key": text}
    assert read(f"[{scalar(text, style=style, flow=True)}, 1]\n") == [text, 1]


@given(VALUES)
@example(["0:?"])
@example({"<<": None})
def test_any_value_reads_back_on_one_line(value):
    written = flow(value)
    assert "\n" not in written
    assert read(f"key: {written}\n") == {"key": value}


def test_a_block_reads_back():
    fields = {"turn": 1, "answer": "a: b", "request": {"system": "x12"}}
    assert read("list:\n" + block(fields, 2) + block(fields, 2)) == {"list": [fields, fields]}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("いらっしゃい。", "いらっしゃい。"),
        ("a: b", '"a: b"'),
        ("yes", '"yes"'),
        ("19:30", '"19:30"'),
        ("null", '"null"'),
        (" 前に空白", '" 前に空白"'),
        ("二行\nです", '"二行\\nです"'),
        (None, "null"),
        (True, "true"),
        (0.25, "0.25"),
    ],
)
def test_what_an_editor_would_write(value, written):
    assert scalar(value) == written


def test_a_comma_needs_quotes_in_brackets_only():
    assert scalar("well, well") == "well, well"
    assert scalar("well, well", flow=True) == '"well, well"'


def test_single_quotes_stay_where_they_can():
    assert scalar("it's", style="single") == "'it''s'"
    assert scalar("two\nlines", style="single") == '"two\\nlines"'


def test_a_file_becomes_the_new_one_with_its_rights_and_through_its_links(tmp_path):
    file, link = tmp_path / "a.yml", tmp_path / "link.yml"
    file.write_text("old", "utf-8")
    file.chmod(0o640)
    link.symlink_to(file)
    overwrite(link, b"new")
    assert (file.read_bytes(), file.stat().st_mode & 0o777, link.is_symlink()) == (b"new", 0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.yml", "link.yml"]


def test_a_file_that_was_not_there_is_made(tmp_path):
    overwrite(tmp_path / "a.yml", b"new")
    assert (tmp_path / "a.yml").read_bytes() == b"new"


def test_a_failure_names_the_file_and_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "a.yml").mkdir()
    with pytest.raises(OSError, match=r"a\.yml") as raised:
        overwrite(tmp_path / "a.yml", b"new")
    assert raised.value.filename == str(tmp_path / "a.yml")
    assert [path.name for path in tmp_path.iterdir()] == ["a.yml"]
