"""The analyser's words, as far as we rely on them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.text.words import LATIN, LONGEST, analyse


def forms(text):
    return [word.form for word in analyse(text)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ウィスキー", "ウイスキー"),
        ("ヴァイオリン", "バイオリン"),
        ("子ども", "子供"),
        ("二十日", "20日"),
        ("三千円", "3,000円"),
        ("closing", "closed"),
        ("don't", "dont"),
    ],
)
def test_spellings_of_a_word_have_one_form(one, other):
    assert forms(one) == forms(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不合格", ["不", "合格"]),
        ("取り消す", ["取る", "消す"]),
        ("行かない", ["行く", "ない"]),
        ("AIなの", ["ai", "だ", "の"]),
        ("my computer won't turn off", ["my", "computer", "will", "not", "turn", "off"]),
    ],
)
def test_words_are_the_shortest_units(text, expected):
    assert forms(text) == expected


def test_a_latin_word_keeps_what_was_written():
    word = analyse("Closing time")[0]
    assert (word.surface, word.lemma, word.form, word.tags) == ("Closing", "closing", "clos", (LATIN,))


def test_a_japanese_word_has_its_part_of_speech_and_reading():
    word = analyse("猫")[0]
    assert (word.tags[:2], word.reading, word.known) == (("名詞", "普通名詞"), "ネコ", True)


@pytest.mark.parametrize("text", ["", "   ", "\n", "\u3000"])
def test_blanks_are_no_words(text):
    assert analyse(text) == ()


@pytest.mark.parametrize(
    "text", ["\ud800", "猫\udfff犬", "\x00", "🍓", "é" * 3_000, "あ" * 100_000, "((((" * 600, "ﷺ" * 2_000]
)
def test_any_text_can_be_analysed(text):
    assert sum(len(word.surface) for word in analyse(text)) <= LONGEST


def test_threads_may_analyse_at_once():
    texts = [f"{n}番の席で猫と話した" for n in range(200)]
    alone = [forms(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(forms, texts)) == alone
