from __future__ import annotations

import pytest

from engine.core.turn import Labels
from engine.models.local.worker.tidying import tidy

LABELS = Labels("お客さん", "美砂樹")


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (" いらっしゃい。", "いらっしゃい。"),
        ("美砂樹: いらっしゃい。", "いらっしゃい。"),
        ("美砂樹：「いらっしゃい。」", "いらっしゃい。"),
        ("「いらっしゃい。」", "いらっしゃい。"),
        ("「いらっしゃい。", "いらっしゃい。"),
        ('"Good evening."', "Good evening."),
        ("「梅」と「桃」", "「梅」と「桃」"),
        ("「梅」がいいわ。", "「梅」がいいわ。"),
        ("美砂樹よ。", "美砂樹よ。"),
        ("トマトがなったのね、", "トマトがなったのね"),
        ("", ""),
    ],
)
def test_a_finished_reply(raw, reply):
    assert tidy(raw, LABELS, "stop") == reply


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        ("寒いわね。熱いお茶を", "寒いわね。"),
        ("本当？ それは", "本当？"),
        ("Good evening. Take a", "Good evening."),
        ("version 3.5 of", "version 3.5 of"),
        ("終わりのない話", "終わりのない話"),
        ("嬉しいわ♪ また", "嬉しいわ♪"),
        ("そうね…。でも", "そうね…。"),
    ],
)
@pytest.mark.parametrize("reason", ["length", "deadline"])
def test_a_reply_cut_short_keeps_its_whole_sentences(raw, reply, reason):
    assert tidy(raw, LABELS, reason) == reply
