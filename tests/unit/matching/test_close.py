import pytest

from engine.matching.forms import lexicon
from engine.matching.index import TriggerIndex
from engine.matching.trigger import NOTHING, Trigger


def said(words, text, lexicon=NOTHING):
    index = TriggerIndex.build([Trigger(kind="words", text=words, reply=0)], lexicon)
    return bool(list(index.candidates(text, 80.0)))


@pytest.mark.parametrize("text", ["消えたい", "もう消えちゃいたいよ", "このまま消えてしまいたい。", "疲れた。きえたい"])
def test_words_are_found_in_any_inflection(text):
    assert said("消える たい", text)


@pytest.mark.parametrize("text", ["消えたくない", "たいてい消える", "消える。帰りたい", "消しゴムを買いたい"])
def test_not_denied_nor_in_another_order_nor_in_two_sentences(text):
    assert not said("消える たい", text)


def test_a_word_may_be_several_for_the_dictionary():
    assert said("予約 取り消す", "予約を取り消したい")
    assert not said("予約 取り消す", "予約を取りたい")


def test_a_denial_may_be_one_of_the_words():
    assert said("眠る ない", "全然眠れないの")
    assert not said("眠る ない", "よく眠れた")


def test_synonyms_count_as_one():
    assert said("値段 教える", "料金を教えて", lexicon((), [["値段", "料金"]]))


def test_english_words():
    assert said("turn off", "it won't be turned off")
