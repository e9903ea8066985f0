import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.text.normalise import LIMIT, normalise, steps

SAME = [
    ("コンバンハ", "こんばんは"),
    ("ｺﾝﾊﾞﾝﾊ", "こんばんは"),
    ("ＶＰＮ", "vpn"),
    ("Wi-Fi", "ｗｉ－ｆｉ"),
    ("こんばんは〜〜〜", "こんばんは"),
    ("こんばんはーーー", "こんばんは"),
    ("眠ぅーい", "眠い"),
    ("かわいいいいい", "かわい"),
    ("goooood", "good"),
    ("お腹すいた(´・ω・｀)", "お腹すいた"),
    ("暇だなあ…( ´Д｀)=3", "暇だなあ"),
    ("ごめんなさいm(_ _)m", "ごめんなさい"),
    ("今日で退職します（涙）", "今日で退職します"),
    ("ウケるwww", "ウケる"),
    ("すごい笑", "すごい"),
    ("楽しい草", "楽しい"),
    ("今日も負けたorz", "今日も負けた"),
    ("すごおおおい", "すごおい"),
    ("What's up???", "whats up"),
    ("乾杯～🍻", "乾杯"),
    ("  my   pc \n", "my pc"),
    ("一ヶ月", "一か月"),
    ("ウーン…", "うーーん"),
    ("う〜ん", "うーん"),
    ("元気～ですか", "元気ですか"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_only_looks_different_is_the_same(one, other):
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(("one", "other"), [("うーん", "うん"), ("うーん", "ううん"), ("W杯", "杯")])
def test_what_only_looks_the_same_is_not(one, other):
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("text", ["予約（2名）", "3時に（個室で）"])
def test_brackets_with_something_to_say_stay(text):
    assert normalise(text) == normalise(text.replace("（", "").replace("）", ""))


@pytest.mark.parametrize(
    ("text", "kept"), [("😭", "😭"), ("！？", "!?"), ("w", "w"), ("笑", "笑"), ("ーーー", "ーーー")]
)
def test_signs_alone_are_kept(text, kept):
    assert normalise(text) == kept


def test_nothing_gives_nothing():
    assert normalise(" \n") == ""


def test_a_ligature_that_becomes_eighteen_characters_stays_within_the_limit():
    assert len(normalise("\ufdfa" * LIMIT)) <= LIMIT


def test_runs_of_combining_marks_are_cut():
    assert len(normalise("a" + "\u0300\u0316" * 1000)) < 40
    assert normalise("か" + "\u3099" * 100) == normalise("が")


def test_a_hundred_thousand_combining_marks_are_never_normalised():
    assert normalise("a\u0300\u0316" * 100_000) == normalise(("a\u0300\u0316" * 100_000)[:LIMIT])


def test_a_lone_surrogate_is_a_sign_like_any_other():
    assert normalise("\ud800こんばんは") == "こんばんは"


def test_the_steps_are_the_pipeline():
    shown = steps("ｺﾝﾊﾞﾝﾊーー！！")
    assert [name for name, _ in shown][:2] == ["length capped", "width and case"]
    assert shown[-1][1] == normalise("ｺﾝﾊﾞﾝﾊーー！！")


ALPHABET = st.sampled_from(
    list("あいうかきんっぁーｰ〜~wW笑草(（)）´ω・_^;。、!？ 'aoz-09１アカｶﾞ゙〱々人休\u0300\u3099\ufdfa\u0130ß\u1e9e😭\n")
)


@given(st.text(ALPHABET, max_size=25))
def test_normalising_again_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=40))
def test_any_text_has_a_normal_form(text):
    assert normalise(normalise(text)) == normalise(text)
