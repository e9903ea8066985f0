from hypothesis import given
from hypothesis import strategies as st

from engine.golden.lookup import MARGIN, RememberingIndex, near_candidates
from engine.matching.index import Trigger, TriggerIndex

WORDS = ("こんばんは", "こんばんわあ", "今晩は", "ビールください", "ビールをください", "good evening", "good morning")
INDEX = TriggerIndex.build(Trigger(kind="fuzzy", text=text, reply=place) for place, text in enumerate(WORDS))


@given(st.sampled_from(WORDS) | st.text("こんばわビール", max_size=8), st.integers(50, 100))
def test_what_it_gives_is_the_same(text, threshold):
    assert list(RememberingIndex(INDEX).candidates(text, threshold)) == list(INDEX.candidates(text, threshold))


@given(st.sampled_from(WORDS), st.integers(55, 100))
def test_near_ones_are_those_of_a_lower_threshold(text, threshold):
    expected = list(INDEX.candidates(text, threshold - MARGIN))
    assert list(near_candidates(RememberingIndex(INDEX), text, threshold)) == expected
    assert list(near_candidates(INDEX, text, threshold)) == expected


def test_a_text_is_looked_up_once():
    asked = []

    class Counting:
        def candidates(self, text, threshold):
            asked.append((text, threshold))
            return INDEX.candidates(text, threshold)

    index = RememberingIndex(Counting())
    for _ in range(3):
        index.candidates("こんばんは", 80)
        index.near("こんばんは", 80)
    assert asked == [("こんばんは", 75.0)]
