from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.node import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PROBLEMS,
    MAX_SCALAR,
    MappingNode,
    ScalarNode,
    SequenceNode,
    plain,
    scalars,
)
from engine.core.source import Span
from engine.pipeline.reading.compose import compose


def codes(text):
    return [problem.code for problem in compose(text, "a.yml")[1]]


def test_values_and_places():
    root, problems = compose("名: [こんばんは, 7]\nb:\n  c: 'x'\n", "a.yml")
    assert problems == []
    assert plain(root) == {"名": ["こんばんは", 7], "b": {"c": "x"}}
    assert isinstance(root, MappingNode)
    assert root.entries[0].key.span == Span(file="a.yml", line=1, column=1, end_line=1, end_column=2)
    assert [str(node.span) for node in scalars(root)] == ["a.yml:1:5", "a.yml:1:12", "a.yml:3:6"]


def test_a_block_scalar_begins_at_its_sign():
    root, _ = compose("a: |\n  あ\n  い\n", "a.yml")
    (node,) = scalars(root)
    assert (node.value, node.span.line, node.span.column) == ("あ\nい\n", 1, 4)


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        ("a: b\n  c: d", "P101", 2, 3),
        ("a: b: c", "P101", 1, 5),
        ("a: [1, 2", "P101", 1, 4),
        ("a: 'x", "P101", 1, 4),
        ("a: {{ x }}よ", "P101", 1, 4),
        ("- a\nb: c", "P101", 2, 1),
        ("a: @x", "P101", 1, 4),
        ("a:\n\t- b", "P102", 2, 1),
        ("|\n x\n\ty", "P102", 3, 1),
        ("a: 1\nb: 2\na: 3", "P103", 3, 1),
        ("a: !!str x", "P107", 1, 4),
        ("&x a: !y {}", "P107", 1, 7),
        ("a: *x", "P108", 1, 4),
        ("&a [*a]", "P108", 1, 5),
        ("a: {<<: b}", "P108", 1, 5),
        ("a: 1\n---\nb: 2", "P111", 2, 1),
        ("# nothing", "P112", 1, 1),
        ("? [a]\n: b", "P113", 1, 3),
        ("?\n: b", "P113", 1, 2),
        ('a: "\\0"', "P106", 1, 4),
        ('say:\n  - "x"お皿', "P101", 2, 8),
        ("a: 'x' y", "P101", 1, 8),
        ("- id: a\n  say：\n    - x\n    - y\n  when: b", "P101", 2, 6),
        ("- id：a\n  when: b", "P101", 1, 5),
        ("- id:a\n  when: b", "P101", 1, 5),
        ("a:\n  when:b\n  c: d", "P101", 2, 7),
        ("a:\n  - x\n  － y\n  - z", "P101", 3, 3),
        ("a:\n  - x\n  -\u3000y\n  - z", "P101", 3, 4),
        ("a:\n  - x\n  -y\n  - z", "P101", 3, 3),
        ("a:\n  - x\n  y\n  - z", "P101", 3, 3),
        ("a:\n  b: c\n\u3000\u3000d:\n    - e\n  f: g", "P102", 3, 1),
        ("a:\n  - x\n\xa0\xa0- y\n  - z", "P102", 3, 1),
        ("a:\n  - x\n   - y\n b: c", "P101", 4, 2),
        ("a:\n  b:\n    - [x]\n   - y", "P101", 4, 4),
        ("a:\n  - x\n<<<<<<< HEAD\n  - y\n=======\n  - z\n>>>>>>> b", "P101", 3, 1),
        ('a:\n  - "x\n  - "y"\nb: c', "P101", 2, 5),
        ('a: ["x”, "y"]', "P101", 1, 7),
        ("a:\n  - [x]y", "P101", 2, 8),
        ("a:\n  - |x", "P101", 2, 5),
        ("a:\n  // x\n  - b: c", "P101", 2, 3),
        ("- {a: b, c: ${D:7}}", "P101", 1, 13),
        ("a: [x,, y]", "P101", 1, 7),
        ("a: |\n  note： x\nb: @y", "P101", 3, 4),
        ("a:\n  - x\n    - y", "P114", 3, 5),
        ("a:\n  x\n  - y", "P101", 2, 3),
        ("a: x #y", "P115", 1, 6),
        ("a:\n  - x\n    y #z", "P115", 3, 7),
    ],
)
def test_mistakes_have_a_place(text, code, line, column):
    problem = compose(text, "a.yml")[1][-1]
    assert (problem.code, problem.span.line, problem.span.column) == (code, line, column)
    assert problem.span.file == "a.yml"


def test_every_mistake_that_leaves_the_tree_readable_is_found_at_once():
    root, problems = compose("a: no\nb: !x y\na: 017\n", "a.yml")
    assert [problem.code for problem in problems] == ["P110", "P107", "P110", "P103"]
    assert plain(root) == {"a": "no", "b": "y"}


@pytest.mark.parametrize("word", ["no", "Yes", "ON", "off", "12:30", "017", "08", "0x1F", "1_000", ".inf", "1" * 16])
def test_surprising_words_stay_text_and_are_flagged(word):
    root, problems = compose(f"- {word}", "a.yml")
    assert isinstance(root, SequenceNode)
    assert root.items[0] == ScalarNode(word, word, root.items[0].span, flagged=True)
    assert [problem.code for problem in problems] == ["P110"]
    assert f'"{word}"' in problems[0].hint
    assert codes(f'- "{word}"') == []


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("~", None),
        ("", None),
        ("17", 17),
        ("-1.5", -1.5),
        ("1e3", 1000.0),
        ("2026-11-20", "2026-11-20"),
    ],
)
def test_plain_words_mean_what_everybody_expects(word, value):
    root, problems = compose(f"a: {word}", "a.yml")
    assert (plain(root), problems) == ({"a": value}, [])


def test_aliases_share_their_node_within_the_limit():
    root, problems = compose("a: &x [1]\nb: *x\n", "a.yml")
    assert (plain(root), problems) == ({"a": [1], "b": [1]}, [])
    assert codes("a: &x 1\nb: [" + "*x, " * MAX_ALIASES + "]") == []
    assert codes("a: &x 1\nb: [" + "*x, " * (MAX_ALIASES + 1) + "]") == ["P108"]


def test_an_alias_bomb_is_counted_written_out():
    lines = ["a0: &a0 [" + "x, " * 10 + "]"]
    lines += [f"a{n}: &a{n} [" + f"*a{n - 1}, " * 10 + "]" for n in range(1, 9)]
    assert codes("\n".join(lines)) == ["P109"]


def test_too_many_values_are_told_with_what_to_do():
    root, problems = compose("[" + "x, " * MAX_NODES + "]", "a.yml")
    assert root is None
    assert [(problem.code, problem.hint) for problem in problems] == [("P109", "split the file into several")]


def test_a_text_may_be_as_long_as_the_limit():
    assert codes("a: " + "あ" * MAX_SCALAR) == []
    root, problems = compose("a: " + "あ" * (MAX_SCALAR + 1), "a.yml")
    assert root is None
    assert [(problem.code, str(problem.span)) for problem in problems] == [("P109", "a.yml:1:4")]


def test_reading_stops_where_nobody_would_read_more_problems():
    root, problems = compose("no: " + "[" + "no, " * (MAX_PROBLEMS * 3) + "]", "a.yml")
    assert root is None
    assert len(problems) == MAX_PROBLEMS


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_limited_however_deep_the_input(opening):
    root, problems = compose(opening * 100_000, "a.yml")
    assert root is None
    assert [problem.code for problem in problems] == ["P109"]
    assert str(MAX_DEPTH) in problems[0].message


@pytest.mark.parametrize("opening", ["[", "{a: ", "[{a: "])
@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 999, 1001, 5000])
@pytest.mark.parametrize("before", ["", "- a\n- ", "a: 1\nb: "])
def test_the_first_bracket_too_many_is_told_by_every_parser(before, depth, opening):
    """libyaml from PyYAML 6.0.4 on has a limit of its own, and met it before ours."""
    _, problems = compose(before + opening * depth, "a.yml")
    _, shallow = compose(before + opening * (MAX_DEPTH + 1), "a.yml")
    assert [(problem.code, problem.span) for problem in problems] == [("P109", shallow[0].span)]


@given(st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=200))
def test_any_text_gives_a_tree_or_problems_with_a_place(text):
    root, problems = compose(text, "a.yml")
    assert root is not None or problems
    assert all(problem.span.line >= 1 and problem.span.column >= 1 for problem in problems)


@given(st.text(alphabet="[]{}:,-?&*!|>'\"%@`#~ \n\tab1<=.", max_size=80))
def test_any_punctuation_gives_a_tree_or_problems_with_a_place(text):
    root, problems = compose(text, "a.yml")
    assert root is not None or problems


def test_an_item_without_its_dash_is_one_mistake():
    problems = compose("- id: a\n  when: b\n  id: c\n  when: d\n", "a.yml")[1]
    assert [(problem.code, problem.span.line, problem.hint) for problem in problems] == [
        ("P103", 3, "begin the next item with `- `, or remove one")
    ]


def test_what_the_parser_made_of_the_lines_behind_a_mistake_is_left_out():
    root, problems = compose("a: b\nc:\n  - when：d\n    e: f\n", "a.yml")
    assert root is not None
    assert plain(root) == {"a": "b"}
    assert [problem.code for problem in problems] == ["P101"]


def test_hyphens_and_wide_signs_in_texts_are_no_mistakes():
    assert codes('a:\n  - "x\n    - y"\n  - |\n    \u3000- z\n    ・w\n  - 9 - 5\n  - x -\n    y\n') == []


def test_comments_that_nobody_takes_for_text_are_no_mistakes():
    assert codes("a: x # y\nb: [x] #y\nc: 'x' #y\nd: 7 #y\n#z\ne: x#y\nf: x ##\ng: #y\n  - h\n") == []


def test_what_stands_before_broken_yaml_is_kept():
    root, problems = compose("a: 1\nb:\n  - c\n  - 'd\n", "a.yml")
    assert [problem.code for problem in problems] == ["P101"]
    assert plain(root) == {"a": 1, "b": ["c"]}
    assert isinstance(root, MappingNode)
    assert root.flagged
    assert root.get("b").flagged


def test_an_unquoted_template_is_one_mistake():
    assert codes("a:\n  - {{ x }}よ\n") == ["P101"]
    assert codes("a:\n  - {{ x }}\n") == ["P113"]
