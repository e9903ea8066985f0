import pytest

from engine.matching.index import TriggerIndex
from engine.matching.trigger import Trigger


def index(*triggers):
    """Each trigger has a reply of its own: a text is fuzzy, a pair is kind and text, a triple has a priority too."""
    rows = [("fuzzy", row, 0) if isinstance(row, str) else (*row, 0)[:3] for row in triggers]
    return TriggerIndex.build(
        Trigger(kind=kind, text=text, reply=place, priority=priority)
        for place, (kind, text, priority) in enumerate(rows)
    )


def replies(found, text, threshold=80.0):
    return [candidate.reply for candidate in found.candidates(text, threshold)]


@pytest.mark.parametrize(
    "text",
    ["こんばんは", "コンバンハ", "ｺﾝﾊﾞﾝﾊ", "こんばんわ", "こんばんは〜🌙", "こんばんはーーー", "今晩は", "konbanwa"],
)
def test_a_greeting_in_all_its_spellings(text):
    assert replies(index("こんばんは"), text) == [0]


@pytest.mark.parametrize(
    "text",
    ["こんにちは", "こんばんは、Excelのマクロが動かないので見てもらえますか", "「こんばんは」って書いてある", ""],
)
def test_what_is_not_the_greeting(text):
    assert replies(index("こんばんは"), text) == []


def test_thanks_are_not_found_in_a_refusal():
    assert replies(index("ありがとう"), "ありがとうございません") == []


@pytest.mark.parametrize(
    ("text", "found"), [("はい", [0]), ("はーい", [0]), ("はい！", [0]), ("はいる", []), ("はいち", [])]
)
def test_two_characters_match_exactly(text, found):
    assert replies(index("はい"), text) == found


def test_the_best_comes_first_then_priority_then_the_order_of_the_file():
    found = index("席が予約したい", "席を予約したい", ("fuzzy", "席は予約したい", 5), "席を予約したいです")
    assert replies(found, "席を予約したい") == [1, 3, 2, 0]


def test_what_is_said_word_for_word_stands_before_what_is_contained():
    found = index(("contains", "いつもの", 9), "いつもの")
    assert replies(found, "いつもの") == [1, 0]
    assert replies(found, "ねえ、いつもの出して") == [0]


def test_a_part_and_a_pattern_stand_before_what_is_only_close():
    found = index("ビールください", ("contains", "ビール"), ("regex", "ビール|麦酒"))
    assert replies(found, "ビールくださいな") == [1, 2, 0]


@pytest.mark.parametrize("text", ["今なんじ？", "今何時", "イマ何時？ｖｐｎ"])
def test_a_pattern_sees_katakana_and_the_normal_form(text):
    assert replies(index(("regex", "今(何時|なんじ)|イマ|VPN")), text) == [0]


def test_a_reply_is_given_once():
    texts = ("おはよう", "オハヨウ！", "おはようございます", "おはよ")
    triggers = [Trigger(kind="fuzzy", text=text, reply=7) for text in texts]
    assert replies(TriggerIndex.build(triggers), "おはよう") == [7]


def test_a_refused_candidate_makes_way_for_the_next():
    found = index("メールが届かない", "メールが届いた")
    assert replies(found, "メールが届いたよ") == [1]


def test_explain_shows_the_refused_and_why():
    found = index("メールが届かない", "メールが届いた").explain("メールが届いたよ", 60)
    assert [(candidate.reply, candidate.refused) for candidate in found] == [(1, None), (0, "opposite polarity")]


def test_a_threshold_of_a_hundred_means_exactly_that():
    assert replies(index("こんばんは"), "こんばんわ", 100) == []
    assert replies(index("こんばんは"), "こんばんは！", 100) == [0]


def test_an_emoji_can_be_a_trigger():
    assert replies(index("😭", "🍺"), "🍺") == [1]


def test_a_part_of_which_nothing_is_left_is_found_nowhere():
    assert replies(index(("contains", "！？"), ("contains", "予約")), "予約したい！？") == [1]


def test_a_bad_pattern_is_refused():
    with pytest.raises(ValueError, match="lookaround"):
        index(("regex", "(?=a)"))


@pytest.mark.parametrize(
    "text", ["\ufdfa" * 3000, "a\u0300\u0316" * 100_000, "(" * 5000, "「あ" * 5000, "笑" * 5000 + "x"]
)
def test_no_text_is_too_much(text):
    assert replies(index("こんばんは", ("contains", "予約"), ("regex", "(a+)+$")), text) in ([], [2])


@pytest.mark.parametrize(
    ("trigger", "text", "answers"),
    [
        ("わかった", "わかった", True),
        ("わかった", "わかった？", False),
        ("わかった？", "わかった？", True),
        ("わかった？", "わかった", True),
        ("ビールある", "ビールある？", True),
        ("おすすめ", "おすすめ？", True),
        ("lost and found", "Lost and found?", True),
    ],
)
def test_a_question_mark_makes_a_statement_another_sentence(trigger, text, answers):
    index = TriggerIndex.build([Trigger(kind="fuzzy", text=trigger, reply=0)])
    assert bool(list(index.candidates(text, 80))) is answers
