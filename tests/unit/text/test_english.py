"""English words and their stems."""

import pytest

from engine.text.english import opened, stem


@pytest.mark.parametrize(
    "words",
    [
        ("close", "closes", "closed", "closing"),
        ("stop", "stops", "stopped", "stopping"),
        ("try", "tries", "tried", "trying"),
        ("pass", "passes", "passed"),
        ("leave", "leaves", "left", "leaving"),
        ("have", "has", "had", "having"),
        ("drink", "drinks", "drank", "drunk"),
        ("child", "children", "kids"),
        ("beer", "beers"),
        ("die", "died", "dying"),
    ],
)
def test_inflections_have_one_stem(words):
    assert len({stem(word) for word in words}) == 1, [stem(word) for word in words]


@pytest.mark.parametrize(
    ("one", "other"),
    [("close", "closet"), ("thing", "think"), ("bed", "bee"), ("morning", "mourn"), ("bus", "bu"), ("king", "kin")],
)
def test_other_words_have_other_stems(one, other):
    assert stem(one) != stem(other)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("won't", ("will", "not")),
        ("won’t", ("will", "not")),
        ("cant", ("can", "not")),
        ("i'm", ("i", "am")),
        ("it's", ("it", "is")),
        ("its", ("it", "is")),
        ("bar's", ("bar", "is")),
        ("o'clock", ("oclock",)),
        ("beer", ("beer",)),
    ],
)
def test_contractions_are_opened(word, expected):
    assert opened(word) == expected
