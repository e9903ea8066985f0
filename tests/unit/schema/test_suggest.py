from __future__ import annotations

import pytest

from engine.schema.suggest import hint, nearest

KEYS = ["id", "match", "when", "priority", "say"]


@pytest.mark.parametrize(
    ("word", "meant"), [("mach", "match"), ("matchs", "match"), ("hwen", "when"), ("i", "id"), ("prioirty", "priority")]
)
def test_one_edit_is_always_recognised(word, meant):
    assert nearest(word, KEYS) == meant


def test_what_resembles_nothing_gets_the_whole_list():
    assert nearest("colour", KEYS) is None
    assert hint("colour", KEYS) == "known: `id`, `match`, `when`, `priority`, `say`"


def test_a_long_list_is_not_recited():
    assert hint("zzz", [f"name{number}" for number in range(50)]) == ""
