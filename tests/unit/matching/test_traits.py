import pytest

from engine.matching import traits


@pytest.mark.parametrize(
    "text",
    [
        "届かない",
        "届きません",
        "飲めなかった",
        "わからん",
        "飲まれへん",
        "できねえ",
        "好きじゃない",
        "楽しいわけないだろ",
        "it doesnt work",
        "never again",
        "見ずに帰る",
        "ビールは嫌い",
        "お酒が苦手",
        "帰らないで",
        "なおさない",
        "知らんけん",
        "エラーが出なくなった",
    ],
)
def test_negations(text):
    assert traits.negative(text)


@pytest.mark.parametrize(
    "text",
    [
        "届いた",
        "すみません",
        "教えてもらえませんか",
        "行かなければならない",
        "そうかもしれない",
        "空いてない?",
        "寒くない?",
        "つまらない",
        "電話番号",
        "内線番号",
        "うまいねえ",
        "ないわけではない",
        "つまんない",
        "あぶない",
        "きたないね",
        "もう帰らないと",
        "帰らないとね",
        "嫌いじゃない",
    ],
)
def test_what_only_looks_negative(text):
    assert not traits.negative(text)


@pytest.mark.parametrize(
    ("text", "signs"),
    [
        ("「愛してる」って曲ある?", "qr"),
        ("「在宅勤務の申請」", ""),
        ("好きと言われた", "r"),
        ("ちょっと聞いて", ""),
        ("今って何時?", ""),
        ("何がおめでとうだよ", "i"),
        ("ありがとうなんて言わない", "i"),
        ("あれ?なんか固まった", ""),
        ("she told me", "r"),
        ("an essay", ""),
    ],
)
def test_whose_words_they_are(text, signs):
    assert traits.signs(text) == signs
