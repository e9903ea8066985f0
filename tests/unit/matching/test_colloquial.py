import pytest

from engine.matching.colloquial import plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ほな帰るわ", "じゃあ、帰るわ"),
        ("ここなんぼなん", "ここいくらなん"),
        ("行かねえべ", "行かないよ"),
        ("帰りたくねえ", "帰りたくない"),
        ("もう一本もらえっか", "もう1本もらえるか"),
        ("すみません、ビール", "すみません。、ビール"),
        ("なんか疲れた", "疲れた"),
    ],
)
def test_regions_and_the_young_say_it_plainly(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("二十歳", "20歳"),
        ("百二十円", "120円"),
        ("一万円札", "10000円札"),
        ("5万円", "50000円"),
        ("一時間半", "1時間30分"),
        ("午後7時半", "19時30分"),
        ("夜の九時", "21時"),
        ("三十分待って", "30分待って"),
    ],
)
def test_numbers_are_digits_and_hours_count_to_24(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(
    "text",
    ["二日酔い", "一緒に", "食べ物", "やばい", "仕事をやめたいね", "もう十分です", "万年筆", "そうだねえ", "べたつく"],
)
def test_what_only_looks_like_it_stays(text):
    assert plain(text).replace("じゅうぶん", "十分") == text
