"""Doubled and stolen triggers, examples, and triggers that mean too little."""

from __future__ import annotations

import pytest

from engine.validation.checks.broken_conditions import broken_conditions
from engine.validation.checks.contested import same_triggers, stolen_triggers
from engine.validation.checks.references import duplicate_ids
from engine.validation.checks.wordings import generic_triggers, invalid_regexes
from engine.validation.checks.wrong_examples import wrong_examples
from engine.validation.reach import reached


def found(check, made):
    return [(problem.code, problem.severity, problem.span.line, problem.span.column) for problem in check(made)]


def test_the_same_trigger_divided_by_the_clock_is_fine(subject):
    made = subject(
        "{id: a, match: [やあ、来たよ], when: now.hour < 17, say: [x]}",
        "{id: b, match: [やあ来たよ！], when: now.hour >= 17, say: [x]}",
    )
    assert found(same_triggers, made) == []


def test_a_special_case_before_the_general_one_is_fine(subject):
    made = subject(
        "{id: a, match: [やあ、来たよ], when: now.month == 12, say: [x]}", "{id: b, match: [やあ来たよ], say: [x]}"
    )
    assert found(same_triggers, made) == []


def test_the_general_one_before_the_special_case_is_not(subject):
    made = subject(
        "{id: a, match: [やあ、来たよ], say: [x]}", "{id: b, match: [ヤア来タヨ], when: now.month == 12, say: [x]}"
    )
    assert found(same_triggers, made) == [("P502", "error", 4, 21)]


def test_priority_decides_before_the_order(subject):
    made = subject("{id: a, match: [やあ、来たよ], say: [x]}", "{id: b, match: [やあ来たよ], priority: 1, say: [x]}")
    assert found(same_triggers, made) == [("P502", "error", 3, 21)]
    assert "has the higher priority" in next(same_triggers(made)).hint


def test_what_hangs_on_users_is_a_warning(subject):
    made = subject(
        "{id: a, match: [やあ、来たよ], when: client.vip, say: [x]}",
        "{id: b, match: [やあ来たよ], when: client.vip, say: [x]}",
    )
    assert found(same_triggers, made) == [("P502", "warning", 4, 21)]


def test_the_same_contains_and_the_same_regex_count_too(subject):
    made = subject(
        "{id: a, match: [{contains: 水割り}, {regex: 'a+b'}], say: [x]}",
        "{id: b, match: [{contains: ミズワリ}, {contains: 水割り！}, {regex: 'a+b'}], say: [x]}",
    )
    (problem,) = same_triggers(made)
    assert problem.span.column == 50
    assert problem.message.startswith("`水割り！` and 1 other trigger never select `b`: `a` has them as well")


def test_many_of_the_same_are_each_held_against_the_first(subject):
    made = subject(*(f"{{id: r{number}, match: [やあ来たよ], say: [x]}}" for number in range(300)))
    assert len(found(same_triggers, made)) == 299


def test_a_part_of_a_part_is_stolen(subject):
    made = subject("{id: a, match: [{contains: お茶}], say: [x]}", "{id: b, match: [{contains: お茶漬け}], say: [x]}")
    (problem,) = stolen_triggers(made)
    assert (problem.code, problem.severity) == ("P501", "warning")
    assert "goes to `a`" in problem.message
    assert "scores 100 here and 100 there" in problem.hint


def test_a_part_of_a_part_with_priority_is_not(subject):
    made = subject(
        "{id: a, match: [{contains: お茶}], say: [x]}", "{id: b, match: [{contains: お茶漬け}], priority: 1, say: [x]}"
    )
    assert found(stolen_triggers, made) == []


def test_a_higher_priority_is_the_editors_wish(subject):
    made = subject(
        "{id: a, match: [{contains: 死にたい}], priority: 9, say: [x]}",
        "{id: b, match: [死にたいほど笑った話], say: [x]}",
    )
    assert found(stolen_triggers, made) == []


def test_what_is_found_everywhere_means_too_little(subject):
    others = [
        f"{{id: r{number}, match: [{word}を飲みたいです], say: [x]}}" for number, word in enumerate("茶酒水湯乳汁")
    ]
    made = subject("{id: a, match: [{contains: です}, {contains: 飲みたい}, {regex: 飲み.*です}], say: [x]}", *others)
    problems = list(generic_triggers(made))
    assert [problem.span.column for problem in problems] == [32, 48, 63]
    some = "`茶を飲みたいです`, `酒を飲みたいです`, `水を飲みたいです`"
    assert problems[0].message == f"trigger `です` is found in 6 triggers of other replies: {some}"
    assert found(stolen_triggers, made) == []


def test_reach_finds_every_pair(subject):
    made = subject(
        "{id: a, match: [{contains: 茶}, {regex: '^お'}], say: [x]}", "{id: b, match: [お茶, 紅茶, 水], say: [x]}"
    )
    texts = [made.triggers[narrow].text.value for narrow in reached(made)[0]]
    assert texts == ["お茶", "紅茶"]
    assert [made.triggers[narrow].text.value for narrow in reached(made)[1]] == ["お茶"]


def test_an_example_need_only_win_at_some_hour_of_its_reply(subject):
    made = subject(
        "{id: a, match: [やあ、来たよ], when: now.hour < 12, say: [x]}",
        "{id: b, match: [やあ来たよ], when: now.hour < 17, say: [x], examples: [やあ、来たよ]}",
    )
    assert found(wrong_examples, made) == []


def test_an_example_says_who_won_instead(subject):
    made = subject(
        "{id: a, match: [{contains: 来た}], say: [x]}",
        "{id: b, match: [やあ、来たよ], say: [x], examples: [やあ、また来たよ]}",
    )
    (problem,) = wrong_examples(made)
    assert (problem.code, problem.message) == ("P503", "example `やあ、また来たよ` does not select `b`, but `a`")


def test_examples_of_a_reply_that_loses_its_triggers_are_no_second_mistake(subject):
    made = subject(
        "{id: a, match: [やあ来たよ], say: [x]}", "{id: b, match: [やあ来たよ], say: [x], examples: [やあ来たよ]}"
    )
    assert found(wrong_examples, made) == []


@pytest.mark.parametrize(
    "mistake",
    [
        "when: now.hour かつ 3",
        "when: nwo.hour > 3",
        "when: now.hour() > 3",
        "match: [やあ来たよ, {regex: '('}]",
        "id: b",
    ],
)
def test_what_follows_from_a_reply_with_a_mistake_is_not_told(subject, mistake):
    keys = {"id": "a", "match": "[やあ来たよ]", "say": "[x]", "examples": "[やあ来たよ, おはよう]"}
    key, value = mistake.split(": ", 1)
    broken = "{" + ", ".join(f"{name}: {text}" for name, text in {**keys, key: value}.items()) + "}"
    made = subject("{id: b, match: [おはよう], say: [x]}", broken, "{id: c, match: [やあ来たよ], say: [x]}")
    assert found(same_triggers, made) == []
    assert found(wrong_examples, made) == []
    checks = (duplicate_ids, broken_conditions, invalid_regexes)
    assert {code for check in checks for code, *_ in found(check, made)}


def test_a_wide_sign_in_a_regex_is_told(subject):
    made = subject("{id: a, match: [{regex: 'やあ（よ｜ね）'}], say: [x]}")
    assert [(problem.code, problem.hint) for problem in invalid_regexes(made)] == [
        ("P406", "write `(` instead of `（`")
    ]


@pytest.mark.parametrize(
    ("example", "message", "hint"),
    [
        ("ビールをください", ", but `other`", "none of its triggers is like it: add it to `match`"),
        ("メールが届いた", "", "trigger `メールが届かない` scores 97, but opposite polarity"),
        ("届かない", "", "trigger `メールが届かない` scores 73, but less content: メール"),
    ],
)
def test_an_example_that_does_not_match_says_what_came_closest(subject, example, message, hint):
    made = subject(
        f"{{id: own, match: [メールが届かない], say: [x], examples: [{example}]}}",
        "{id: other, match: [ビールをください], say: [x]}",
    )
    (problem,) = wrong_examples(made)
    assert problem.message == f"example `{example}` does not select `own`{message}"
    assert hint in problem.hint


def test_an_example_whose_hour_never_comes_is_told_at_the_hour(subject):
    made = subject("{id: a, match: [やあ、来たよ], when: now.hour > 23, say: [x], examples: [やあ来たよ]}")
    assert found(wrong_examples, made) == []
    made = subject(
        "{id: a, match: [やあ、来たよ], when: client.age > 9 and client.age < 3, say: [x], examples: [やあ来たよ]}"
    )
    (problem,) = wrong_examples(made)
    assert problem.message.endswith("its `when` is never true")


def test_a_reply_without_triggers_has_no_examples(subject):
    made = subject("{id: a, say: [x], examples: [やあ]}")
    (problem,) = wrong_examples(made)
    assert problem.hint == "add it to `match`, or a trigger like it"


def test_regexes_that_take_too_much_together_are_one_mistake_at_the_first_that_does_not_fit(subject):
    made = subject(*(f'{{id: r{place}, match: [{{regex: "a{place}.{{1,200}}b"}}], say: [x]}}' for place in range(300)))
    problems = list(invalid_regexes(made))
    assert len(problems) == 1
    assert "take too much to run together" in problems[0].message
    assert 40 < problems[0].span.line < 100
    assert list(made.index.candidates("a1xxb", 80.0))
