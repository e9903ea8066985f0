import json

import pytest

from engine.core.expression import Binary, Call, Comparison, Constant, Name, Unary
from engine.core.plan import NamedDetector
from engine.core.source import EnvRef, Problem, Span
from engine.core.table import Damaged
from engine.core.turn import Labels
from engine.pipeline.stored.content import from_json, to_json
from tests.fakes.plans import condition, reply


@pytest.mark.parametrize(
    "value",
    [
        None,
        "こんばんは",
        (1, 2.5, True, None, ()),
        [1, [2], (3,)],
        {"a": [], "b": {"()": ("[]",)}},
        EnvRef(name="A", default=None, has_default=False),
        Labels("客", "美砂樹"),
        NamedDetector(name="low_confidence", threshold=0.25),
        condition("now.hour >= 17 and not ('a' in text or len(text) + 1 < 3) and min(1, -2) == turn.number"),
        reply("hello", "{{ persona.name }}よ。", ("いらっしゃい。", 2.0), when="vars.lang in ['ja', 'en']"),
    ],
)
def test_what_a_plan_holds_comes_back_as_it_was(value):
    again = from_json(json.loads(json.dumps(to_json(value))))
    assert again == value
    assert type(again) is type(value)


def test_a_list_is_no_tuple():
    assert from_json(to_json([(1,), [2]])) == [(1,), [2]]


def test_nodes_of_every_kind():
    tree = Unary(
        "not", Comparison(Call("len", (Name(("text",)),)), (("<", Binary("+", Constant(1), Constant((1, "a")))),))
    )
    assert from_json(to_json(tree)) == tree


@pytest.mark.parametrize("value", [object(), {1}, b"bytes", len, Exception("a")])
def test_what_no_plan_holds_is_not_written(value):
    with pytest.raises(TypeError, match="no plan holds"):
        to_json({"a": value})


def test_records_of_other_modules_are_not_written():
    span = Span(file="a", line=1, column=1, end_line=1, end_column=1)
    with pytest.raises(TypeError, match="no plan holds a Problem"):
        to_json(Problem(code="P1", message="x", span=span))


@pytest.mark.parametrize("value", [["Popen", "ls"], ["Labels", "one"], ["Labels", "a", "b", "c"], [], [["()"]], [None]])
def test_nothing_but_known_records_is_made(value):
    with pytest.raises(Damaged, match="no kind that is known"):
        from_json(value)
