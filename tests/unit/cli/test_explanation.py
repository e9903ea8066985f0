"""The explanation as an editor reads it, in wide and in narrow terminals."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.cells import cell_len
from rich.console import Console

from engine.chat.explain import Decision, Explanation, explanation_to_json
from engine.cli.explanation import SHOWN, SHOWN_BELOW, print_explanation
from engine.core.record import replace
from engine.core.source import Span
from engine.steps.explaining import Considered

PLACE = Span(file="replies/snack/greetings_of_the_evening.yml", line=9, column=5, end_line=12, end_column=1)
NARROW, WIDE = 80, 120


def considered(reply, verdict, why="", score=99.0, trigger="こんばんは"):
    return Considered(
        reply_id=reply, kind="fuzzy", trigger=trigger, words="今晩は", score=score, verdict=verdict, why=why, span=PLACE
    )


def explanation(*items):
    return Explanation(
        text="ｺﾝﾊﾞﾝﾊ",
        now=datetime(2026, 11, 20, 19, 30, tzinfo=UTC),
        stages=(("width and case", "コンバンハ"), ("faces", "コンバンハ"), ("spaces", "コンバンハ ")),
        words=(("words", "今晩は"), ("changes nothing", "今日 (now)")),
        threshold=80.0,
        considered=items,
        decisions=(Decision(step="canned", kind="replies", action="answers", why="because", span=PLACE),),
    )


def shown(of, width):
    out = io.StringIO()
    print_explanation(of, Console(file=out, width=width, highlight=False))
    return out.getvalue()


def test_only_stages_that_change_something_are_shown():
    text = shown(explanation(), NARROW)
    assert "on Friday, 2026-11-20 at 19:30" in text
    assert text.count("コンバンハ") == 1
    assert "faces" not in text
    assert "none" in text


def test_a_reason_has_a_line_of_its_own_below_its_reply():
    items = (considered("evening", "condition", "`now.hour < 5` does not hold now"), considered("any", "chosen"))
    lines = shown(explanation(*items), NARROW).splitlines()
    at = next(place for place, line in enumerate(lines) if "evening " in line)
    assert lines[at + 1].strip() == "words: 今晩は"
    assert lines[at + 2].strip() == "condition: `now.hour < 5` does not hold now"
    assert lines[at + 3].split()[:4] == ["✓", "99.0", "any", "こんばんは"]


def test_places_are_whole_where_there_is_room_and_never_broken():
    items = (considered("a_reply_with_a_long_name", "chosen", trigger="帰らせてもらいますね"),)
    assert "replies/snack/greetings_of_the_evening.yml:9\n" in shown(explanation(*items), WIDE)
    narrow = shown(explanation(*items), NARROW)
    assert " greetings_of_the_evening.yml:9\n" in narrow
    assert "the files are in replies/snack\n" in narrow
    assert max(map(cell_len, narrow.splitlines())) <= NARROW


def test_many_are_counted_and_each_reply_that_matches_is_told_once():
    matching = [considered(f"r{number}", "passed over") for number in range(SHOWN + 3)]
    below = [considered(f"b{number}", "too low", score=70.0) for number in range(SHOWN_BELOW + 2)]
    again = considered("r0", "too low", score=70.0)
    text = shown(explanation(*matching, *below, again), NARROW)
    assert "and 3 more" in text
    assert "and 2 more" in text
    assert "80 is needed" in text


def test_json_holds_places_and_the_time():
    plain = explanation_to_json(explanation(considered("any", "chosen")))
    assert plain["now"] == "2026-11-20T19:30:00+00:00"
    assert plain["considered"][0]["span"] == "replies/snack/greetings_of_the_evening.yml:9:5"


def test_what_models_outside_see_is_shown_with_the_rules_that_changed_it():
    masked = replace(explanation(), masked="[電話1]", masks=(("phone", "090-1234-5678"),))
    assert "what external models see of it\n  [電話1]\n  phone  090-1234-5678\n" in shown(masked, NARROW)
    assert "external models" not in shown(replace(explanation(), masked="ｺﾝﾊﾞﾝﾊ"), NARROW)
