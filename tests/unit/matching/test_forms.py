from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.record import field_names
from engine.matching import forms
from engine.matching.forms import LOOKED_AT, form, lexicon, negative, takes


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
    assert negative(text)


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
    assert not negative(text)


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
    assert forms.signs(text) == signs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("席空いてる？", "お席空いてますでしょうか"),
        ("領収書ください", "領収書をいただけますか"),
        ("経費精算の締切", "経費精算締切"),
        ("出身どこ？", "どこ出身？"),
        ("使えないんです、マイクが", "マイクが使えない"),
        ("疲れた", "今日はめっちゃ疲れたわ"),
        ("ウィスキーある？", "ウイスキーあるかな"),
        ("二十歳です", "20歳です"),
        ("午後7時半に予約したい", "19時30分に予約したい"),
        ("show the menu", "could you show me the menu please"),
        ("my phone isn't working", "my phone is not working"),
    ],
)
def test_the_bag_holds_the_content_alone(one, other):
    assert form(one).bag == form(other).bag != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("合格", "不合格"),
        ("有給を取りたい", "有給を取り消したい"),
        ("それでいい", "もういい"),
        ("lock it", "unlock it"),
    ],
)
def test_the_bag_tells_other_content_apart(one, other):
    assert form(one).bag != form(other).bag


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退職の手続き", "たいしょくのてつづき"),
        ("今晩は", "こんばんは"),
        ("神聖方法", "申請方法"),
        ("愛してる", "aishiteru"),
    ],
)
def test_the_sound_does_not_know_the_spelling(one, other):
    assert form(one).sound == form(other).sound


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("帰りたい", "want"),
        ("帰った", "past"),
        ("飲みすぎた", "too"),
        ("振られた", "by"),
        ("逃しそう", "about"),
        ("帰らなきゃ", "must"),
        ("合格したら", "if"),
        ("疲れてる", "on"),
        ("ビールください", "request"),
        ("いいの？", "asks"),
        ("i want to go", "want"),
    ],
)
def test_auxiliaries_leave_a_mark(text, marks):
    assert marks in form(text).marks


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("三名です", ("3人",)),
        ("ふたりです", ("2人",)),
        ("一万円札", ("10000円",)),
        ("table for two", ("2",)),
        ("一緒に帰る", ()),
    ],
)
def test_numbers_have_their_counter(text, numbers):
    assert form(text).numbers == numbers


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ("いつ開く", ("いつ",)),
        ("いつも開く", ()),
        ("何で怒ってるの", ("何",)),
        ("なんで怒ってるの", ("なぜ",)),
        ("ここなんぼなん？", ("いくら",)),
        ("何かある？", ()),
        ("誰かいる", ()),
        ("what time do you close", ("what",)),
    ],
)
def test_question_words(text, questions):
    assert form(text).questions == questions


def test_openers_and_lesser_clauses_come_off():
    texts = [one.text for one in takes("こんばんは、ところで今日のおすすめは？")]
    assert texts == ["こんばんはところで今日のおすすめは", "今日のおすすめは"]
    assert takes("ごめんね、雨で遅れた")[0].bag == "遅れる 雨"


def test_what_the_pipeline_calls_its_own_is_set_apart_or_counted_as_one():
    words = lexicon(["ママ"], [["値段", "料金"]])
    assert form("ママ、料金は？", words).bag == form("値段は？", words).bag == "値段"
    assert ("ママ", "address") in form("ママの料金は？", words).spare


def test_a_form_is_plain_data():
    one = form("すみません、3番テーブルのワインをください")
    values = [getattr(one, name) for name in field_names(type(one))]
    assert json.loads(json.dumps(values)) == json.loads(json.dumps(values))
    assert all(isinstance(value, str | bool | int | tuple) for value in values)


def test_signs_alone_have_a_text_and_nothing_else():
    one = form("😭")
    assert (one.text, one.core, one.words) == ("😭", "", ())


def test_only_the_beginning_of_a_long_text_is_taken_apart():
    one = form("人" * 3 * LOOKED_AT)
    assert len(one.text) > LOOKED_AT >= len(one.core)


@given(st.text(max_size=60))
def test_any_text_has_a_form(text):
    assert takes(text) == takes(text)
