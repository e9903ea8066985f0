import pytest

from engine.core.events import ChatResult, Escalation, Outcome
from engine.core.node import ScalarNode
from engine.core.source import Span
from engine.golden.compare import differences
from engine.pipeline.schema.golden import Expectation

SPAN = Span(file="a.golden.yml", line=1, column=1, end_line=1, end_column=2)
ESCALATIONS = (
    Escalation(step="talk", reason="timeout", model="small"),
    Escalation(step="ask", reason="error", model="large"),
)


def difference(key, value, reply="いらっしゃい。梨がおいしいわよ。", *, escalations=(), latency=12.0, memory=None):
    outcome = Outcome(reply=reply, engine="canned", step="canned", reply_id="greet", escalations=escalations)
    result = ChatResult(text="やあ", outcome=outcome, session_id="s", latency_ms=latency)
    expectation = Expectation(key=key, value=value, node=ScalarNode(value, str(value), SPAN))
    return next(differences((expectation,), result, memory or {}), None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("reply", "いらっしゃい。梨がおいしいわよ。"),
        ("one_of", ["x", "いらっしゃい。梨がおいしいわよ。"]),
        ("contains", "梨"),
        ("contains", ["梨", "いらっしゃい"]),
        ("not_contains", ["桃", "柿"]),
        ("matches", "^いら.*よ。$"),
        ("similar", {"to": "いらっしゃい、梨がおいしいわよ", "at_least": 95}),
        ("engine", "canned"),
        ("step", "canned"),
        ("reply_id", "greet"),
        ("model", None),
        ("escalations", []),
        ("latency", "12ms"),
        ("latency", 0.012),
    ],
)
def test_what_is_met(key, value):
    assert difference(key, value) is None


@pytest.mark.parametrize(
    ("key", "value", "expected", "acceptable"),
    [
        ("reply", "x", "x", True),
        ("reply", None, "nothing", True),
        ("one_of", ["x", "y"], "one of\nx\ny", True),
        ("contains", ["梨", "桃", "柿"], "contains 桃 and 柿", False),
        ("not_contains", ["梨", "桃"], "does not contain 梨", False),
        ("matches", "^梨", "matches ^梨", False),
        ("similar", {"to": "全然違う話", "at_least": 50}, "at least 50 % like 全然違う話", True),
        ("engine", "local", "local", True),
        ("latency", "11ms", "at most 11 ms", False),
        ("escalations", ["timeout"], "timeout", True),
    ],
)
def test_what_is_not_met(key, value, expected, acceptable):
    found = difference(key, value)
    assert (found.expected, found.acceptable) == (expected, acceptable)


@pytest.mark.parametrize(
    ("value", "met"),
    [
        (["timeout", "error"], True),
        ([{"step": "talk", "reason": "timeout"}, {"reason": "error", "model": "large"}], True),
        (["timeout"], False),
        (["error", "timeout"], False),
        ([{"step": "ask", "reason": "timeout"}, "error"], False),
        ([], False),
    ],
)
def test_escalations_are_all_in_order_and_only_named_keys_count(value, met):
    assert (difference("escalations", value, escalations=ESCALATIONS) is None) == met


def test_escalations_are_proposed_in_the_form_of_the_file():
    assert difference("escalations", ["empty"], escalations=ESCALATIONS).value == ["timeout", "error"]
    assert difference("escalations", [], escalations=ESCALATIONS).value[0] == {
        "step": "talk",
        "reason": "timeout",
        "model": "small",
    }


@pytest.mark.parametrize("key", ["contains", "matches", "similar", "one_of"])
def test_nobody_answering_meets_nothing(key):
    value = {"contains": "梨", "matches": ".", "similar": {"to": "x", "at_least": 0}, "one_of": ["x"]}[key]
    found = difference(key, value, reply=None)
    assert (found.got.endswith("nothing"), found.acceptable) == (True, False)


def test_what_is_remembered_is_checked_by_the_names_that_are_there():
    memory = {"name": "健太", "bottle": "麦焼酎"}
    assert difference("remembers", {"name": "健太", "drink": None}, memory=memory) is None
    found = difference("remembers", {"bottle": None, "name": "健太"}, memory=memory)
    assert (found.expected, found.got) == ("{bottle: null, name: 健太}", "{bottle: 麦焼酎, name: 健太}")
    assert (found.value, found.acceptable) == ({"bottle": "麦焼酎", "name": "健太"}, True)
