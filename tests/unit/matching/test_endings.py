import pytest

from engine.matching.endings import ALONE, BESIDE_CLAUSES, BESIDE_CONTENT, stem, without_ending


@pytest.mark.parametrize(
    ("text", "body", "marks"),
    [
        ("帰りますね", "帰り", ""),
        ("帰りたいのですが", "帰り", "D"),
        ("届きませんでした", "届き", "NT"),
        ("聞いてください", "聞", "R"),
        ("聞いて", "聞", "R"),
        ("水をいただけますでしょうか", "水", "R"),
        ("固まっちゃった", "固ま", "T"),
        ("降ってるよ", "降", ""),
        ("吸ってもいいですか", "吸", "P"),
        ("飲みすぎちゃったかも", "飲み", "XT"),
        ("壊れたみたいです", "壊れ", "T"),
        ("飲みたい", "飲み", "D"),
        ("注文したく存じます", "注文", "D"),
    ],
)
def test_what_an_ending_meant_is_kept_as_marks(text, body, marks):
    ending = without_ending(text)
    assert (ending.body, ending.marks) == (body, marks)


@pytest.mark.parametrize("text", ["ね", "です", "か", "いか", "うに"])
def test_an_ending_is_not_taken_for_all_there_is(text):
    assert without_ending(text).body == text


@pytest.mark.parametrize(("whole", "body"), [(ALONE, "お願い"), (BESIDE_CLAUSES, ""), (BESIDE_CONTENT, "")])
def test_beside_other_content_an_ending_may_be_the_whole_text(whole, body):
    assert without_ending("お願いします", whole).body == body


@pytest.mark.parametrize(
    "forms",
    [
        ("帰る", "帰り", "帰ら", "帰ろう"),
        ("疲れる", "疲れ"),
        ("起きる", "起き"),
        ("寒い", "寒く"),
        ("つながら", "つながり", "つながる"),
        ("ある", "あり"),
    ],
)
def test_inflected_forms_share_a_stem(forms):
    assert len({stem(form, only=False) for form in forms}) == 1


def test_a_lonely_word_in_kana_keeps_two():
    assert stem("でき", only=True) == "でき"
    assert stem("眠い", only=True) == "眠"
