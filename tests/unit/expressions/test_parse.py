from functools import reduce

import pytest

from engine.expressions.evaluate import _pattern, evaluate, holds, never_holds
from engine.expressions.parse import ConditionError, parse_condition
from engine.expressions.scope import condition_scope

SCOPE = condition_scope({"USE_LOCAL_LLM", "LIMIT"}, {"lang"})
NAMES = {
    "text": "契約書を翻訳して",
    "turn": {"number": 3},
    "session": {"id": "s", "turns": 2},
    "client": {"plan": "gold"},
    "now": {"year": 2026, "month": 11, "day": 20, "hour": 19, "minute": 30, "weekday": 4},
    "env": {"USE_LOCAL_LLM": True, "LIMIT": 10},
    "vars": {"lang": "ja"},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("now.hour >= 17 or now.hour < 5", True),
        ("17 <= now.hour < 22", True),
        ("not ('翻訳' in text or '要約' in text)", False),
        ("env.USE_LOCAL_LLM and turn.number > 2", True),
        ("now.month in [11, 12, 1]", True),
        ("now.weekday not in (5, 6)", True),
        ("'ja' if is_japanese(text) else 'en'", "ja"),
        ("len(text) + 2 * 3", 14),
        ("-turn.number + abs(-5)", 2),
        ("7 // 2 + 7 % 2", 4),
        ("contains(text, '契約')", True),
        ("matches(text, '^契約.+して$')", True),
        (r"matches('a1', '^\w\d$') and not matches('a1', '\\s')", True),
        ("lower('ABC') == 'abc'", True),
        ("min(3, turn.number, 9)", 3),
        ("max(1, 2)", 2),
        ("client.plan == 'gold'", True),
        ("client.absent == none", True),
        ("vars.lang == 'ja'", True),
    ],
)
def test_a_condition_means_what_it_says(source, value):
    assert evaluate(parse_condition(source, SCOPE), NAMES) == value


@pytest.mark.parametrize(
    ("source", "says", "hint"),
    [
        ("now.houre > 1", "unknown name `now.houre`", "did you mean `now.hour`?"),
        ("env.HOME", "unknown name `env.HOME`", ""),
        ("lenn(text)", "unknown function `lenn`", "did you mean `len`?"),
        ("len()", "`len` takes 1 value, 0 given", ""),
        ("contains(text)", "`contains` takes 2 values, 1 given", ""),
        ("matches(text, '(?=a)')", "cannot run: lookaround is not supported", ""),
        ("text | lower", "construct that is not allowed: filter", ""),
        ("10 ** 30000000", "construct that is not allowed: pow", ""),
        ("text.__class__", "unknown name `text.__class__`", ""),
        ("''.__class__", "an attribute may only follow a name", ""),
        ("text }}{{ text", "not an expression", ""),
        ("{% if text %}", "not an expression", ""),
        ("", "condition is empty", ""),
        ("'a' is defined", "construct that is not allowed: test", ""),
        ("text[0]", "construct that is not allowed: getitem", ""),
        ("{'a': 1}", "construct that is not allowed: dict", ""),
        ("[text]", "a list in a condition may hold only texts and numbers", ""),
        ("matches(text, '(?=a)')", "pattern of `matches` cannot run", ""),
        ("matches(text, text)", "must be a quoted text", ""),
        ("(" * 900 + "1" + ")" * 900, "nested too deeply", ""),
        ("1+" * 900 + "1", "more than 200 parts", ""),
        ("x" * 3000, "3000 characters long", ""),
        (" and ".join("1" * 1500), "characters long", ""),
        ("1" + "+1" * 900, "more than 200 parts", ""),
        ("(" * 60 + "1" + ")" * 60, "nested too deeply", ""),
        ("not " * 450 + "1", "more than 200 parts", ""),
        ("- " * 450 + "1", "more than 200 parts", ""),
        ("matches(text, 'a.{1,1000}b')", "takes too much to run", ""),
        ("matches(text, '((a{1,100}){1,100}){1,100}')", "takes too much to run", ""),
    ],
)
def test_a_bad_condition_is_refused_with_words_for_the_editor(source, says, hint):
    with pytest.raises(ConditionError) as raised:
        parse_condition(source, SCOPE)
    assert says in str(raised.value)
    assert hint in raised.value.hint


@pytest.mark.parametrize("source", ["text > 3", "client.absent > 3", "3 in turn.number", "'a' in now.hour"])
def test_what_has_no_order_is_false_rather_than_an_error(source):
    assert evaluate(parse_condition(source, SCOPE), NAMES) is False


@pytest.mark.parametrize("source", ["text * 1000000", "1 / 0", "1 % 0", "100000000000000000 * 2", "text + text"])
def test_arithmetic_that_has_no_small_number_as_result_is_nothing(source):
    assert evaluate(parse_condition(source, SCOPE), NAMES) is None


def test_no_condition_always_holds():
    assert holds(None, NAMES)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("env.USE_LOCAL_LLM", True),
        ("env.USE_LOCAL_LLM and 'a' in text", True),
        ("'a' in text and env.USE_LOCAL_LLM", True),
        ("env.USE_LOCAL_LLM or 'a' in text", False),
        ("env.USE_LOCAL_LLM or false", True),
        ("not env.LIMIT", True),
        ("not env.USE_LOCAL_LLM", False),
        ("'a' in text", False),
    ],
)
def test_what_the_environment_switches_off_is_known_before_any_turn(source, expected):
    assert never_holds(parse_condition(source, SCOPE), {"USE_LOCAL_LLM": False, "LIMIT": 10}) is expected


def test_values_that_nest_deeper_than_the_stack_are_no_error():
    deep = reduce(lambda inner, _: [inner], range(100_000), [])
    names = {**NAMES, "client": {"a": deep, "b": reduce(lambda inner, _: [inner], range(100_000), [])}}
    assert evaluate(parse_condition("client.a == client.b", SCOPE), names) is False


def test_a_pattern_is_run_over_a_long_text_in_linear_time():
    names = {**NAMES, "text": "!" + "a" * 100_000}
    assert evaluate(parse_condition("matches(text, '^(a+)+$')", SCOPE), names) is False


def test_patterns_are_compiled_once_however_many_a_turn_asks():
    conditions = [parse_condition(f"matches(text, '{number}杯目')", SCOPE) for number in range(1000)]
    assert not any(evaluate(condition, NAMES) for condition in conditions)
    compiled = _pattern.cache_info().misses
    assert not any(evaluate(condition, NAMES) for condition in conditions)
    assert _pattern.cache_info().misses == compiled
