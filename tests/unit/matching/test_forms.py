import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.matching.forms import LOOKED_AT, Form, form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("席空いてる？", "お席空いてますでしょうか"),
        ("領収書ください", "領収書をいただけますか"),
        ("経費精算の締切", "経費精算締切"),
        ("タバコ吸っていい？", "たばこを吸ってもいいですか"),
        ("おかわり", "おっかわりーー"),
        ("ありがとう", "ありがとーー"),
        ("show the menu", "could you show me the menu please"),
    ],
)
def test_the_core_is_without_politeness_particles_and_drawing_out(one, other):
    assert form(one).core == form(other).core


@pytest.mark.parametrize(
    ("one", "other"), [("帰ります", "帰りたい"), ("席ある？", "席ない？"), ("好きです", "好きでした")]
)
def test_the_core_keeps_what_an_ending_means(one, other):
    assert form(one).core != form(other).core


def test_turned_undoes_an_inversion():
    assert form("使えないんです、マイクが").turned == form("マイクが使えない").core
    assert form("マイクが使えない").turned == ""


def test_the_bag_does_not_know_the_order():
    assert form("出身どこ？").bag == form("どこ出身？").bag
    assert form("how are you mama").bag == form("mama, how are you").bag


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("退職の手続き", "たいしょくのてつづき"),
        ("今晩は", "こんばんは"),
        ("2名です", "二名です"),
        ("神聖方法", "申請方法"),
    ],
)
def test_the_sound_does_not_know_the_spelling(one, other):
    assert form(one).sound == form(other).sound


def test_borrowed_words_meet_in_their_consonants():
    assert form("プリンターが動かない").borrowed == form("printerが動かない").borrowed != ""
    assert form("画面が動かない").borrowed == ""


def test_a_word_of_two_consonants_is_not_borrowed_when_nothing_stands_beside_it():
    assert form("ビール").borrowed == form("when").borrowed == ""
    assert form("カラオケ").borrowed == form("karaoke").borrowed != ""


def test_a_loanword_with_a_long_vowel_is_long_enough_to_be_close_to_something():
    assert form("ビール！").core == "びる"
    assert form("キス").core == form("はい").core == ""


def test_a_question_word_alone_is_no_content():
    assert form("what do you have").core != form("what are you").core


def test_a_form_is_plain_data():
    one = form("すみません、3番テーブルのワインをください")
    values = [getattr(one, name) for name in Form.__slots__]
    assert json.loads(json.dumps(values)) == json.loads(json.dumps(values))
    assert all(isinstance(value, str | bool | tuple) for value in values)


def test_signs_alone_have_a_text_and_nothing_else():
    one = form("😭")
    assert (one.text, one.core, one.kanji) == ("😭", "", "")


def test_only_the_beginning_of_a_long_text_is_taken_apart():
    one = form("人" * 3 * LOOKED_AT)
    assert len(one.text) > LOOKED_AT >= len(one.core)


@given(st.text(max_size=60))
def test_any_text_has_a_form(text):
    assert form(text) == form(text)
