"""Both searches give the same answer, and a stored index decides as the one that it was stored from."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from benchmarks.agreement import ALPHABETS, disagreements
from engine.core.table import Damaged
from engine.matching.close import columns as columns_of
from engine.matching.index import TriggerIndex
from engine.matching.search import FEW, ListSearch, StoredSearch, open_search, store_search
from engine.matching.trigger import Trigger


def columns(*texts: str) -> dict[str, list[str]]:
    return {"text": list(texts), "bag": list(texts), "sound": [text[::-1] for text in texts]}


def stored(given: dict[str, list[str]]) -> StoredSearch:
    return StoredSearch({name: memoryview(data) for name, data in store_search(given).items()})


def test_few_are_compared_and_many_are_filtered():
    assert isinstance(open_search(columns(*["a"] * FEW)), ListSearch)
    assert isinstance(open_search(columns(*["a"] * (FEW + 1))), StoredSearch)


@pytest.mark.parametrize("make", [ListSearch, stored])
def test_equal_texts_are_found_by_their_rows(make):
    search = make(columns("こんばんは", "", "やあ", "こんばんは", "", "やあやあ"))
    assert list(search.equal("こんばんは")) == [0, 3]
    assert list(search.equal("やあ")) == [2]
    assert list(search.equal("いいえ")) == []
    assert list(search.equal("")) == []


@pytest.mark.parametrize("make", [ListSearch, stored])
def test_nothing_is_near_where_there_is_nothing(make):
    assert list(make(columns()).equal("a")) == []
    assert list(make(columns()).close("text", "a", 80.0)) == []
    assert list(make(columns("", "")).close("text", "a", 80.0)) == []


def test_both_give_the_same():
    chance = random.Random(2)
    texts = ["".join(chance.choices("あいうえおかき", k=chance.randint(0, 9))) for _ in range(500)]
    one, other = ListSearch(columns(*texts)), stored(columns(*texts))
    for text in chance.sample(texts, 200):
        assert sorted(one.equal(text)) == sorted(other.equal(text))
        for column in ("text", "sound"):
            assert sorted(one.close(column, text, 75.0)) == sorted(other.close(column, text, 75.0))


def triggers() -> list[Trigger]:
    chance = random.Random(4)
    words = [
        "今夜",
        "こんばんは",
        "ビール",
        "ください",
        "疲れた",
        "帰る",
        "猫",
        "二杯",
        "水割り",
        "じゃない",
        "明日",
        "hello",
    ]
    texts = ["".join(chance.sample(words, chance.randint(1, 3))) for _ in range(400)]
    made = [Trigger(kind="fuzzy", text=text, reply=place // 3, priority=place % 2) for place, text in enumerate(texts)]
    return [
        *made,
        Trigger(kind="contains", text="いつもの", reply=200),
        Trigger(kind="regex", text="今(何時|なんじ)", reply=201),
        Trigger(kind="fuzzy", text="！！！", reply=202),
        Trigger(kind="words", text="消える たい", reply=4),
        Trigger(kind="contains", text="いつもの", reply=3, priority=5),
    ]


@pytest.fixture(scope="module")
def indexes() -> tuple[TriggerIndex, TriggerIndex]:
    built = TriggerIndex.build(triggers())
    return built, TriggerIndex.stored({name: memoryview(data) for name, data in built.store().items()})


def test_a_stored_index_decides_as_the_one_it_was_stored_from(indexes):
    built, again = indexes
    search = ListSearch(columns_of(built.triggers, built.forms))
    brute = TriggerIndex(built.triggers, built.forms, search, built._parts, built.lexicon)
    chance = random.Random(6)
    for _ in range(150):
        text = chance.choice(built.triggers).text + chance.choice(
            ["", "ね", "いつもの", "今なんじ", "！", "x", "消えちゃいたい"]
        )
        threshold = chance.choice([60.0, 80.0, 85.7, 100.0])
        wanted = list(brute.candidates(text, threshold))
        assert list(built.candidates(text, threshold)) == list(again.candidates(text, threshold)) == wanted
        assert built.explain(text, threshold) == again.explain(text, threshold) == brute.explain(text, threshold)


@pytest.mark.parametrize(("alphabet", "longest"), ALPHABETS)
def test_difficult_queries_are_answered_as_by_comparing_all(alphabet, longest):
    assert disagreements(alphabet, longest, 60) == 0


def test_what_is_stored_is_plain_data(indexes):
    built, again = indexes
    assert list(again.triggers) == list(built.triggers)
    assert list(again.forms) == list(built.forms)
    assert again.store() == built.store()


def test_what_is_said_word_for_word_stands_first_and_is_given_first(indexes):
    built, _ = indexes
    for trigger in built.triggers[:20]:
        first = next(built.candidates(trigger.text, 80.0))
        assert first.exact
        assert [*built.candidates(trigger.text, 80.0)][:1] == [first]
        assert built.explain(trigger.text, 80.0)[0] == first


def test_no_trigger_reaches_a_threshold_above_all_scores(indexes):
    assert list(indexes[0].candidates("こんばんは", 100.5)) == []


def test_damage_is_noticed(indexes):
    sections = indexes[0].store()
    sections["triggers"] = sections["triggers"][:-40] + b"x" * 40
    damaged = TriggerIndex.stored({name: memoryview(data) for name, data in sections.items()})
    with pytest.raises(Damaged):
        list(damaged.candidates("いつもの", 80.0))


WORD_FOR_WORD = """
import pathlib, sys
from engine.matching.index import TriggerIndex
sections = {path.name: memoryview(path.read_bytes()) for path in pathlib.Path(sys.argv[1]).iterdir()}
print(next(TriggerIndex.stored(sections).candidates("こんばんは", 80.0)).score)
print(*{"rapidfuzz", "sudachipy", "engine.matching.forms", "engine.matching.grammar"} & sys.modules.keys())
"""


def test_what_is_said_word_for_word_needs_neither_rapidfuzz_nor_a_dictionary(tmp_path):
    built = TriggerIndex.build([Trigger(kind="fuzzy", text="こんばんは", reply=0)])
    for name, data in built.store().items():
        (tmp_path / name).write_bytes(data)
    out = subprocess.run([sys.executable, "-c", WORD_FOR_WORD, tmp_path], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["100.0"]
