import pytest

from engine.text.topic import topic_of


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("上司がひどいんだ", "上司"),
        ("うちの娘が来月結婚するんよ", "娘"),
        ("部長に企画書を突き返された", "企画書"),
        ("財布落とした", "財布"),
        ("お母さんが入院した", "お母さん"),
        ("コンビニ店員の態度がムカついた", "態度"),
        ("田中さんが辞めるんだって", "田中さん"),
        ("My boss yelled at me", "boss"),
        ("I lost my old cat", "cat"),
    ],
)
def test_the_marked_noun_is_what_a_sentence_is_about(text, topic):
    assert topic_of(text) == topic


def test_a_time_a_number_and_a_verb_that_looks_like_a_noun_are_no_topic():
    assert topic_of("最近ギターを始めたんです") == "ギター"
    assert topic_of("テストで100点取った") == "テスト"
    assert topic_of("運動会で一等賞でさ") == "運動会"
    assert topic_of("離婚した") is None
    assert topic_of("結婚することになった") is None
    assert topic_of("今日は暑いね") is None


def test_a_rude_word_before_a_noun_is_left_out():
    assert topic_of("クソ上司マジむかつく") == "上司"


@pytest.mark.parametrize(
    "text", ["うん", "それって高いの？", "なんで？", "", "🍓", "what about that one", "I'm so tired"]
)
def test_many_sentences_have_none(text):
    assert topic_of(text) is None
