"""What replies take up of a text, and what they keep of it."""

import pytest

from engine.core.expression import LazyMapping
from engine.core.plan import Memory
from engine.core.record import replace
from engine.steps.remember import LONGEST, captured, remember
from engine.templates import TemplateRenderer
from tests.fakes.plans import reply, template

CALL_ME = r"(?P<name>\S{1,12}?)(?:って|と)(?:呼んで|よんで)"
MEMORY = {"name": Memory(label="呼び名", characters=6), "bottle": Memory(label="ボトル", characters=40)}


def taken(text, *, known=None, **more):
    one = replace(reply("call_me", "はい。"), captures=(CALL_ME,), **more)
    names = LazyMapping({"text": text, "memory": {"name": "", "bottle": "", **(known or {})}}, {})
    return remember(one, MEMORY, names, TemplateRenderer().render)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ケンって呼んで", "ケン"),
        ("McKenzieって呼んでよ", "McKenzie"),
        ("ケンと\nよんで", "けん"),
        ("ｹﾝって呼んで", "ケン"),
        ("ケンッテヨンデ", "けん"),
        ("何でもない", ""),
    ],
)
def test_a_capture_is_spelt_as_the_user_wrote_it_wherever_it_is_found_so(text, name):
    assert captured((CALL_ME,), text) == {"name": name}


def test_each_name_is_what_the_first_regex_that_finds_it_found():
    patterns = (r"(?P<name>\S+)です", r"(?P<drink>ビール|梅酒)", r"(?P<name>\S+)だよ")
    assert captured(patterns, "ケンだよ、梅酒") == {"name": "ケン", "drink": "梅酒"}


def test_a_later_regex_that_finds_the_text_as_it_was_written_stands_before_one_that_finds_its_normal_form():
    patterns = (r"(?P<name>\S+)です$", r"(?:^|。)(?P<name>[^。]+)です。")
    assert captured(patterns, "お疲れさま。ケンです。") == {"name": "ケン"}


def test_a_capture_is_one_clean_line_of_bounded_length():
    assert captured((r"(?s)^(?P<all>.+)$",), "一\u202e\n二\x00 三") == {"all": "一 二 三"}
    assert captured((r"(?P<all>.+)",), "あ" * 999) == {"all": "あ" * LONGEST}


def test_what_is_remembered_is_bounded_and_seen_by_the_words_at_once():
    names, remembered = taken("ケンケンケンケンって呼んで", remember=(("name", template("{{ captured.name }}")),))
    assert remembered == {"name": "ケンケンケン"}
    assert names["memory"] == {"name": "ケンケンケン", "bottle": ""}


def test_nothing_is_remembered_of_what_comes_out_empty():
    names, remembered = taken(
        "こんばんは", known={"name": "健太"}, remember=(("name", template("{{ captured.name }}")),)
    )
    assert remembered == {}
    assert names["memory"]["name"] == "健太"


def test_the_words_see_what_they_forget_for_the_last_time():
    names, remembered = taken("ボトルのことは忘れて", known={"bottle": "麦焼酎"}, forget=("bottle",))
    assert remembered == {"bottle": None}
    assert names["memory"]["bottle"] == "麦焼酎"


def test_captured_text_is_never_a_template():
    evil = (("name", template("{{ captured.name }}")),)
    _, remembered = taken("{{7*7}}って呼んで", remember=evil)
    assert remembered == {"name": "{{7*7}"}
