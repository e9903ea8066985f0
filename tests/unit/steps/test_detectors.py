import pytest

from engine.model.plan import NamedDetector
from engine.model.turn import Completion
from engine.steps.detectors import detects, language


def objects(name, text, *, finish="stop", user="元気？", threshold=None, confidence=None, locale="ja"):
    completion = Completion(text=text, finish_reason=finish, model="m", confidence=confidence)
    detector = NamedDetector(name=name, threshold=threshold)
    return detects(detector, completion, user_text=user, locale=locale)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty", ""),
        ("empty", " …。\n"),
        ("refusal", "申し訳ありませんが、その質問にはお答えできません。"),
        ("refusal", "I'm sorry, but I can't help with that."),
        ("refusal", "AIとして、お酒は飲めないの。"),
        ("repetition", "いいわね、いいわねえ。" * 3),
        ("repetition", "そうねそうねそうねそうねそうねそうねそうねそうねそうねそうねそうね"),
        ("repetition", "りんごよ。りんごよ。りんごよ。いちごよ。いちごよ。"),
        ("repetition", "りんごよ。いちごよ。りんごよ。いちごよ。"),
        ("wrong_language", "今天天气很好，我们去喝酒吧。"),
        ("wrong_language", "Sure, what would you like to drink tonight?"),
        ("wrong_language", "오늘은 뭐 마실래요"),
        ("wrong_language", "Добрый вечер, садитесь"),
    ],
)
def test_a_bad_answer_is_noticed(name, text):
    assert objects(name, text)


@pytest.mark.parametrize("name", ["empty", "refusal", "repetition", "wrong_language", "truncated"])
@pytest.mark.parametrize(
    "text",
    [
        "まあ、おめでとう！今夜はみんなで乾杯しましょうね。",
        "そうねえ、桃とビールはいかが？",
        "ふふ、ありがとう。ありがとうって言われると、はりきっちゃうわ。",
        "OK、ハイボールね。",
        "いらっしゃい。今夜は寒いわね。お茶をどうぞ。ゆっくりしていって。",
        "はいはい、どうぞどうぞ。",
        "ワインならLa Tâcheが一度飲んでみたいわねえ。",
        "ごめんなさいね、今夜は満席で入れないの。",
    ],
)
def test_a_good_answer_passes(name, text):
    assert not objects(name, text)


def test_an_answer_in_the_language_the_user_wrote_is_right():
    assert not objects("wrong_language", "Sure, what would you like to drink?", user="good evening, mama")


def test_a_few_letters_are_in_no_language():
    assert not objects("wrong_language", "OK!", user="good evening, mama")


def test_a_language_is_right_whatever_the_country():
    assert not objects("wrong_language", "Sure, what would you like to drink?", locale="en-GB")


def test_a_cut_sentence_is_truncated_but_a_cut_after_a_full_sentence_is_not():
    assert objects("truncated", "今夜はね、とっておきの", finish="length")
    assert objects("truncated", "今夜はね、とっておきの", finish="deadline")
    assert not objects("truncated", "今夜はとっておきがあるのよ。", finish="length")
    assert not objects("truncated", "今夜はね、とっておきの", finish="stop")


def test_a_provider_that_refused_is_a_refusal_whatever_it_said():
    assert objects("refusal", "ええ。", finish="refusal")


def test_confidence_is_compared_with_the_threshold_where_there_is_one():
    assert objects("low_confidence", "ええ。", threshold=0.25, confidence=0.2)
    assert not objects("low_confidence", "ええ。", threshold=0.25, confidence=0.25)
    assert not objects("low_confidence", "ええ。", threshold=0.25, confidence=None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("こんばんは", "ja"),
        ("飲み放題です", "ja"),
        ("東京都知事選挙", "zh"),
        ("東京都知事選挙の日", "ja"),
        ("ビール one two", "ja"),
        ("ビール one twos", "en"),
        ("good evening", "en"),
        ("good", "en"),
        ("goo", None),
        ("안녕하세요", "ko"),
        ("!?", None),
    ],
)
def test_language_by_script(text, expected):
    assert language(text) == expected
