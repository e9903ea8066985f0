from __future__ import annotations

import pytest

from engine.expressions.evaluate import holds
from engine.expressions.parse import parse_condition
from engine.expressions.scope import condition_scope
from engine.validation.worlds import MAX_WORLDS, Beaten, always_beaten, worlds

SCOPE = condition_scope({"USE_LOCAL_LLM"}, {"mood"})


def condition(source):
    return None if source is None else parse_condition(source, SCOPE)


def test_the_clock_is_tried_whole():
    found = worlds([condition("now.hour > 3 and now.weekday == 6")], "")
    assert found.exact
    assert len(list(found.each)) == 24 * 7


def test_what_nobody_knows_is_sampled_around_what_conditions_compare_with():
    found = worlds([condition("client.rank == 'gold' and turn.number > 3")], "")
    assert not found.exact
    assert {names["client"]["rank"] for names in found.each} == {None, True, "gold"}
    assert {names["turn"]["number"] for names in found.each} >= {2, 3, 4}


def test_no_condition_is_one_world():
    assert [dict(names) for names in worlds([None, None], "やあ").each] == [{"text": "やあ"}]


def test_too_many_situations_are_not_tried():
    names = " and ".join(f"client.a{number} == {number}" for number in range(12))
    assert worlds([condition(names)], "") is None
    assert MAX_WORLDS < 10**12


@pytest.mark.parametrize(
    ("better", "own", "beaten"),
    [
        ([None], None, Beaten(by=0, exact=True)),
        (["now.hour < 5"], None, None),
        (["now.hour < 5", None], None, Beaten(by=0, exact=True)),
        (["now.hour < 12", "now.hour >= 12"], "now.hour > 3", Beaten(by=0, exact=True)),
        (["now.hour < 12"], "now.hour < 5", Beaten(by=0, exact=True)),
        (["now.hour < 5"], "now.hour < 12", None),
        (["now.hour < 5"], "now.hour >= 5", None),
        (["client.vip"], "client.vip", Beaten(by=0, exact=False)),
        ([None], "client.vip", Beaten(by=0, exact=True)),
        ([None], "now.hour > 30", None),
        (["'酒' in text"], None, Beaten(by=0, exact=True)),
        (["'茶' in text"], None, None),
        ([], None, None),
    ],
)
def test_who_stands_before_whom(better, own, beaten):
    assert always_beaten([condition(one) for one in better], condition(own), "お酒ください") == beaten


def test_every_world_can_be_evaluated():
    sources = [
        "now.hour in [1, 2]",
        "vars.mood == 'good' or session.turns > 2",
        "contains(text, 'あ')",
        "not client.vip",
    ]
    found = worlds([condition(source) for source in sources], "あ")
    each = list(found.each)
    assert len(each) > len(sources)
    for names in each:
        assert all(isinstance(holds(condition(source), names), bool) for source in sources)
