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
    ("text", "numbers"),
    [
        ("13時に3人", ("13", "3")),
        ("三名です", ("3",)),
        ("ふたりです", ("2",)),
        ("第二会議室", ("2",)),
        ("会議室b", ("b",)),
        ("半日休む", ("半",)),
        ("table for two", ("2",)),
        ("一緒に帰る", ()),
        ("talk to a human", ()),
        ("ハイボrひとつ", ("1",)),
    ],
)
def test_numbers(text, numbers):
    assert traits.numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("いつ開く", ("いつ",)),
        ("いつも開く", ()),
        ("趣味は何ですか", ("何",)),
        ("何で怒ってるの", ("なぜ",)),
        ("what time do you close", ("いつ",)),
        ("移動はどこ", ("どこ",)),
        ("ぶどうある", ()),
        ("誰かいる", ()),
    ],
)
def test_question_words(text, questions):
    assert traits.closed(text)[0] == questions


def test_times_and_persons_by_their_class():
    assert traits.closed("きのう母と来た")[1:] == (("昨日",), ("母",))
    assert traits.closed("大丈夫です")[2] == ()
    assert traits.closed("友達と")[2] == ("友達",)


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
