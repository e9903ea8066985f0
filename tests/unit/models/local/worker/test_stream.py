from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.models.local.worker.stream import Stream


def test_text_ends_before_the_stop_string():
    stream = Stream(("\n",))
    assert not stream.add("いらっしゃい。".encode())
    assert stream.add("\nお客さん:".encode())
    assert stream.text() == "いらっしゃい。"


def test_the_earliest_stop_string_counts():
    stream = Stream(("美砂樹:", "\n"))
    assert stream.add("はい\n美砂樹:".encode())
    assert stream.text() == "はい"


def test_white_space_before_the_first_word_is_dropped_even_in_a_token_of_its_own():
    stream = Stream(())
    stream.add(b" ")
    stream.add(b" hello")
    assert stream.text() == "hello"


@given(st.text(max_size=20), st.text(min_size=1, max_size=5), st.lists(st.integers(1, 5), max_size=40))
def test_a_stop_string_is_found_however_it_is_cut(before, stop, cuts):
    stream, data = Stream((stop,)), (before + stop).encode()
    found = False
    for cut in [*cuts, len(data) + 1]:
        if not found and data:
            found = stream.add(data[:cut])
            data = data[cut:]
    whole = (before + stop).lstrip(" \t")
    assert found == (stop in whole)
    assert stream.text() == whole.partition(stop)[0]


def test_half_a_character_at_the_end_is_dropped():
    stream = Stream(())
    stream.add("夜".encode() + "空".encode()[:2])
    assert stream.text() == "夜"
