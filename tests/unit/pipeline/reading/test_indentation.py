"""Of two lines that do not fit, the one that stands alone is the wrong one, and its remedy is a number of spaces."""

import pytest

from engine.pipeline.reading.compose import compose

MODELS = """\
models:
  small:
    backend: auto
    path: a.gguf
    seed: 1
  large:
    backend: openai
    model: b
steps:
  - id: one
    kind: say
    say: [x]
  - id: two
    kind: say
    say: [y]
lines:
    - a
    - b
    - c
"""


def moved(line: int, by: int) -> str:
    lines = MODELS.split("\n")
    lines[line - 1] = " " * by + lines[line - 1] if by > 0 else lines[line - 1][-by:]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("line", "by", "spaces"),
    [
        (2, 1, 2),
        (2, -1, 2),
        (3, 1, 4),
        (3, 2, 4),
        (3, -1, 4),
        (4, 1, 4),
        (4, -1, 4),
        (5, 1, 4),
        (6, 1, 2),
        (7, 1, 4),
        (7, -1, 4),
        (8, 1, 4),
        (11, 1, 4),
        (11, -1, 4),
        (12, 1, 4),
        (12, -1, 4),
        (13, 2, 2),
        (14, 1, 4),
        (15, -1, 4),
        (17, 1, 4),
        (17, -1, 4),
    ],
)
def test_a_line_that_is_moved_is_told_with_its_column(line, by, spaces):
    assert compose(MODELS, "a.yml")[1] == []
    _, problems = compose(moved(line, by), "a.yml")
    assert problems[0].span.line == line
    assert f"indent it by {spaces} space" in problems[0].hint


@pytest.mark.parametrize(("line", "by"), [(10, 1), (13, 1), (13, -1), (18, 1), (18, -1), (19, -1), (19, 1)])
def test_an_item_that_is_moved_is_told(line, by):
    _, problems = compose(moved(line, by), "a.yml")
    assert problems[0].span.line == line
    assert "line" in problems[0].hint or "indent it by" in problems[0].hint


@pytest.mark.parametrize(
    ("text", "line", "hint"),
    [
        ("models:\n  openai\n    backend: x\n", 2, "write `openai: `"),
        ("it:\n  team 情報\n  mail: x\n", 2, "write `team: `"),
        ("a:\n  x\n  - y\n", 2, "begin it with `- `"),
        ("a:\n  -x\n  - y\n", 2, "write `- `: a hyphen and a space"),
        ("a:\n  ー x: y\n  - z\n", 2, "write `- `: a hyphen and a space"),
        ("a:\n  -x: y\n  - z\n", 2, "write `- `: a hyphen and a space"),
        ("a:\n\u3000b: 1\n\u3000c: 2\n", 2, "indent with plain spaces"),
        ("a: 1\n\u00a0\u00a0b: 1\n", 2, "indent with plain spaces"),
        ("a:\n  b: {x: 1、y: 2}\n", 2, "write `, `"),
        ("a:\n  b: [x, y］\n  c: z\n", 2, "write `]`"),
    ],
)
def test_what_is_missing_is_told_where_it_is_missing(text, line, hint):
    [problem] = compose(text, "a.yml")[1]
    assert (problem.span.line, problem.hint) == (line, hint)
