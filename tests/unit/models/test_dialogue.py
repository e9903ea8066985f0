from engine.core.turn import Exchange, Message
from engine.models.dialogue import alternating

EXAMPLES = (Exchange("やあ", "あら。"),)


def said(*history, examples=(), text="乾杯"):
    return [(message.role, message.text) for message in alternating(examples, history, text)]


def test_neighbours_of_one_role_are_joined_and_empty_ones_left_out():
    history = (Message("user", "一"), Message("user", " "), Message("user", "二"), Message("assistant", "三"))
    assert said(*history) == [("user", "一\n二"), ("assistant", "三"), ("user", "乾杯")]


def test_what_the_assistant_opened_with_is_left_out_and_joins_no_example():
    opened = (Message("assistant", "いらっしゃい。"), Message("assistant", "どうぞ。"))
    assert said(*opened) == [("user", "乾杯")]
    assert said(*opened, examples=EXAMPLES) == [("user", "やあ"), ("assistant", "あら。"), ("user", "乾杯")]


def test_it_ends_with_the_user_whatever_the_text():
    assert said(examples=(Exchange("", "あら。"),), text="") == [("user", "")]
