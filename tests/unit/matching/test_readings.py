import pytest

from engine.matching.readings import heard, read_kanji, read_latin


@pytest.mark.parametrize(
    ("run", "following", "reading"),
    [
        ("眠", "い", "ねむ"),
        ("締切", "", "しめきり"),
        ("手続", "き", "てつづ"),
        ("健康診断", "の", "けんこうしんだん"),
        ("美味", "し", "おい"),
        ("頑張", "る", "がんば"),
        ("今晩", "は", "こんばん"),
        ("一人", "", "ひとり"),
        ("雨", "が", "あめ"),
        ("上", "が", "あ"),
        ("来", "な", "こ"),
        ("お腹", "", "おなか"),
        ("お勘定", "", "おかんじょう"),
    ],
)
def test_kanji_are_read_by_word_by_okurigana_or_one_by_one(run, following, reading):
    assert read_kanji(run, following) == reading


def test_only_the_last_kanji_sees_what_follows():
    assert read_kanji("来", "な") == "こ"
    assert read_kanji("来龘", "な") == "らい龘"


def test_an_unknown_character_stays():
    assert read_kanji("龘", "") == "龘"


@pytest.mark.parametrize(
    ("word", "kana"),
    [
        ("konbanwa", "こんばんわ"),
        ("aishiteru", "あいしてる"),
        ("kyou", "きょう"),
        ("gakkou", "がこう"),
        ("otsukare", "おつかれ"),
        ("watashiwotaku", "わたしをたく"),
    ],
)
def test_typed_japanese_is_heard(word, kana):
    assert read_latin(word) == kana


@pytest.mark.parametrize("word", ["vpn", "hi", "printer", "hello", "excel"])
def test_codes_and_english_stay(word):
    assert read_latin(word) == word


def test_numerals_sound_as_their_kanji():
    assert heard("2人です")[0] == heard("二人です")[0] == "ふたりです"


def test_each_run_comes_with_its_reading():
    assert heard("鍵を無くした") == ("かぎをなくした", (("鍵", "かぎ"), ("無", "な")))
