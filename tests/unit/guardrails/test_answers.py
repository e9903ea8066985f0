import pytest

from engine.core.plan import NamedDetector
from engine.core.turn import Completion, Exchange, Message
from engine.guardrails.answers import detects, hear, language
from tests.fakes.plans import turn


def objects(name, text, *, finish="stop", user="元気？", history=(), kind=None, locale="ja", **measured):
    completion = Completion(text=text, finish_reason=finish, model="m", confidence=measured.get("confidence"))
    detector = NamedDetector(name=name, threshold=measured.get("threshold"))
    return detects(detector, completion, hear(turn(user, history=history), locale, kind))


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


def test_the_users_language_counts_and_not_the_pipelines():
    assert objects("wrong_language", "まあ、よく来てくれたわね。", user="good evening, mama")
    assert objects("wrong_language", "Sure, what would you like to drink?", user="こんばんは、ママ", locale="en-GB")


def test_a_text_without_letters_is_in_the_language_of_the_one_before():
    history = (Message("user", "my cat is sick"), Message("assistant", "Oh no."))
    assert objects("wrong_language", "まあ、かわいいいちごねえ。", user="🍓", history=history)
    assert not objects("wrong_language", "What a sweet strawberry!", user="🍓", history=history)
    assert not objects("wrong_language", "まあ、かわいいいちごねえ。", user="🍓")


def test_kanji_alone_may_be_japanese():
    assert not objects("wrong_language", "まあ、いいお天気ねえ。", user="本日天気晴朗")


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("犬を飼い始めました。", "犬を飼い始めたのね。"),
        ("犬を飼い始めました。", "犬を飼い始めました！"),
        ("疲れた", "疲れたわ。"),
        ("I lost my keys", "I lost my keys!"),
    ],
)
def test_an_answer_of_the_users_own_words_is_an_echo(user, text):
    assert objects("echo", text, user=user)


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("犬を飼い始めました。", "犬を飼い始めたのね、素敵だわ。お名前を聞かせてちょうだい。"),
        ("うん", "うん、それでどうなったの？"),
        ("疲れた", "疲れたのね、よく頑張ったわ。"),
    ],
)
def test_an_answer_that_adds_something_is_none(user, text):
    assert not objects("echo", text, user=user)


def test_a_question_or_an_order_said_back_as_news_is_no_answer():
    assert objects("echoed_question", "ここなんぼなのね、いいわねえ。", user="ここなんぼなん？")
    assert objects("echoed_question", "枝豆ひとつなのね、いいわねえ。", user="枝豆ひとつ", kind="order")
    assert not objects("echoed_question", "枝豆なら、ゆでたてがあるわ。", user="枝豆ひとつ", kind="order")
    assert not objects("echoed_question", "犬を飼い始めたのね、素敵だわ。", user="犬を飼い始めました。")


def test_what_she_said_before_is_not_said_again():
    history = (Message("assistant", "昇進が決まったのね、おめでとう。"), Message("user", "ええ"))
    assert objects("said_before", "昇進が決まったのね。おめでとう！", history=history)
    assert not objects("said_before", "お祝いに何を飲みましょうか。", history=history)


EXAMPLES = (
    Exchange("猫がソファで爪をとぐんだ。", "猫がソファで爪をとぐのね、困ったわねえ。隣に板を置いてみたら？"),
    Exchange("今日は疲れたよ。", "疲れたのね、よく頑張ったわ。"),
    Exchange("乾杯！", "いいわね、乾杯。"),
)


@pytest.mark.parametrize(
    ("text", "user", "copied"),
    [
        ("猫がソファで爪をとぐのね、困ったわねえ。隣に板を置いてみたら？", "最近、猫を飼い始めたんだ", True),
        ("猫がソファで爪をとぐのね。お名前は？", "最近、猫を飼い始めたんだ", True),
        ("猫がソファで爪をとぐのね、困ったわねえ。", "うちの猫、ソファで爪をとぐの", False),
        ("疲れたのね、よく頑張ったわ。", "ああ、疲れた", False),
        ("疲れたのね、よく頑張ったわ。", "妹の結婚が決まったよ", True),
        ("猫を飼い始めたのね。お名前は？", "最近、猫を飼い始めたんだ", False),
        ("いいわね、乾杯。", "妹の結婚が決まったよ", False),
    ],
)
def test_an_example_is_not_said_of_something_else(text, user, copied):
    """A small model copies what stands near its answer."""
    completion = Completion(text=text, finish_reason="stop", model="m")
    heard = hear(turn(user), "ja", None, EXAMPLES)
    assert detects(NamedDetector(name="said_before"), completion, heard) is copied


@pytest.mark.parametrize("text", ["猫ちゃんがいなくなったのね、おめでとう。", "Congratulations, that's wonderful!"])
def test_good_wishes_on_bad_news_are_cruel(text):
    assert objects("cheers_bad_news", text, kind="bad_news")
    assert not objects("cheers_bad_news", text, kind="good_news")
    assert not objects("cheers_bad_news", text)


def test_a_few_letters_are_in_no_language():
    assert not objects("wrong_language", "OK!", user="good evening, mama")


def test_a_language_is_right_whatever_the_country():
    assert not objects("wrong_language", "Sure, what would you like to drink?", user="😊", locale="en-GB")


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
