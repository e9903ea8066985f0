import pytest

from engine.core.expression import LazyMapping


def test_a_value_is_computed_when_it_is_first_asked_for_and_once():
    asked = []
    names = LazyMapping({"text": "やあ"}, {"topic": lambda: asked.append(1) or "猫"})
    assert ("topic" in names, len(names), set(names), asked) == (True, 2, {"text", "topic"}, [])
    assert (names["topic"], names["topic"], names.get("text"), asked) == ("猫", "猫", "やあ", [1])


def test_further_values_replace_those_of_the_same_name_and_share_what_is_computed():
    asked = []
    names = LazyMapping({"vars": {}}, {"topic": lambda: asked.append(1) or "猫"})
    more = names.also(vars={"mood": 1}, persona="ママ")
    assert (more["vars"], more["persona"], names["vars"]) == ({"mood": 1}, "ママ", {})
    assert (more["topic"], names["topic"], asked) == ("猫", "猫", [1])


def test_a_value_that_stands_there_is_not_computed():
    names = LazyMapping({"kind": "greet"}, {"kind": lambda: pytest.fail("it is known")})
    assert names["kind"] == "greet"
    with pytest.raises(KeyError):
        names["mood"]
