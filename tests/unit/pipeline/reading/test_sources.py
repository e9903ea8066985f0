from __future__ import annotations

from engine.core.source import Span
from engine.pipeline.reading.compose import compose
from engine.pipeline.reading.node import scalars
from engine.pipeline.reading.sources import Sources

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
