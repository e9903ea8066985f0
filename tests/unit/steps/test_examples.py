from engine.core.record import replace
from engine.core.turn import Exchange
from engine.steps.examples import MOST, nearest
from tests.fakes.plans import plan, replies_step

EXAMPLES = (
    Exchange("犬を飼い始めました。", "犬ね。"),
    Exchange("仕事で大失敗した。", "失敗ね。"),
    Exchange("料理教室に通いはじめました。", "料理ね。"),
    Exchange("腰が痛い。", "腰ね。"),
    Exchange("My daughter got married.", "How wonderful!"),
    Exchange("I had a terrible day.", "I'm sorry."),
)


class Kinds:
    def chances(self, text):
        return {"daily_life" if "始め" in text or "はじめ" in text else "bad_news": 0.9}


def near(text, kinds=None):
    one = plan(replies_step())
    return [
        example.user
        for example in nearest(replace(one, persona=replace(one.persona, examples=EXAMPLES), kinds=kinds), text)
    ]


def test_the_example_with_the_same_words_stands_last():
    assert near("猫を飼い始めたんだ")[-1] == "犬を飼い始めました。"
    assert len(near("猫を飼い始めたんだ")) == MOST


def test_examples_are_in_the_language_of_the_text():
    assert near("My cat got lost.") == ["I had a terrible day.", "My daughter got married."]


def test_a_sentence_of_the_same_kind_is_nearer():
    assert "料理教室に通いはじめました。" in near("ギターを始めたよ", Kinds())[-2:]
