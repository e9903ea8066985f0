from __future__ import annotations

import pytest

from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.shape import check_shape

REPLY = "replies:\n  - id: greet\n    say: [やあ]\n"
PIPELINE = "version: 1\nname: a\npersona: {name: b}\nsteps:\n  - {id: c, kind: replies}\n"


def problems(text, kind="replies"):
    root, found = compose(text, "a.yml")
    assert found == []
    return check_shape(root, kind)


def only(text, kind="replies"):
    found = problems(text, kind)
    assert len(found) == 1, found
    return found[0]


def test_what_fits_is_left_alone():
    assert problems(REPLY) == []
    assert problems(PIPELINE, "pipeline") == []


def test_all_mistakes_are_found_at_once_in_order():
    found = problems("replies:\n  - id: A\n    says: [x]\n    priority: high\n")
    assert [(problem.code, problem.span.line) for problem in found] == [("P206", 2), ("P203", 3), ("P202", 4)]


def test_a_misspelt_required_key_is_reported_once_under_the_key():
    problem = only("replies:\n  - id: greet\n    sya: [x]\n")
    assert (problem.code, problem.span.column, problem.span.end_column) == ("P203", 5, 8)
    assert problem.hint == "did you mean `say`?"
    assert problem.message == "unknown key `sya` in reply `greet`"


def test_a_misspelt_key_where_any_key_may_stand_is_a_missing_one():
    problem = only(PIPELINE.replace("{name: b}", "{nam: b}"), "pipeline")
    assert (problem.code, problem.span.line, problem.span.column) == ("P201", 3, 11)
    assert problem.hint == "did you mean `name`?"


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("match: こんばんは", "P202", "expected a list, found text `こんばんは`"),
        ("match:\n      -こんばんは", "P202", "expected a list, found text"),
        ("match: {a: b}", "P202", "expected a list, found keys with values"),
        ("match:", "P202", "expected a list, found nothing"),
        (
            "match: [[x]]",
            "P202",
            "expected text, `contains:` or `regex:` with text, or `words:` with a list, found a list",
        ),
        ("match: [{contains: 7}]", "P202", "expected text, found number `7`"),
        ("match: [{contains: a, regex: b}]", "P204", "expected at most 1 key, found 2"),
        ("match: [{}]", "P204", "expected at least 1 key, found 0"),
        ("match: ['']", "P204", "only blanks"),
        ("match: ['a${B}c']", "P208", "not read here"),
        ("priority: true", "P202", "expected a whole number, found `true`"),
        ("priority: 1.5", "P202", "expected a whole number, found number `1.5`"),
        ("priority: 1001", "P204", "expected at most 1,000"),
        ("when: [a]", "P202", "expected text, found a list"),
        ("when: ${A}", "P208", "write `env.NAME`"),
        ("examples: [7]", "P202", "expected text, found number `7`"),
    ],
)
def test_found_and_expected_are_said(written, code, words):
    problem = only(f"{REPLY}    {written}\n")
    assert problem.code == code
    assert words in problem.message


@pytest.mark.parametrize(
    ("written", "code", "words"),
    [
        ("deadline: soon", "P207", "expected a time such as `4s` or `900ms`, found `soon`"),
        ("deadline: [1]", "P202", "expected a time"),
        ("deadline: 0", "P204", "expected at least 0.001"),
        ("deadline: x${A:4s}", "P208", "expected a time"),
        ("locale: japanese", "P206", "expected a language"),
        ("models: {a: {}}", "P201", "missing key `backend` in model `a`"),
        ("models: {a: {backend: opnai}}", "P205", "found text `opnai`"),
        ("models: {A: {backend: auto}}", "P206", "found `A`"),
        ("models: {a: {backend: auto, max_tokens: many}}", "P206", "expected a whole number, or `${NAME:default}`"),
        ("models: {a: {backend: auto, max_tokens: 1.5}}", "P202", "expected a whole number"),
        ("models: {a: {backend: auto, path: '${a}'}}", "P208", "found `${a}`"),
        ("models: {a: {backend: auto, temperature: 3}}", "P204", "expected at most 2"),
    ],
)
def test_pipelines_too(written, code, words):
    problem = only(f"{PIPELINE}{written}\n", "pipeline")
    assert problem.code == code
    assert words in problem.message


@pytest.mark.parametrize(
    ("step", "code", "words"),
    [
        ("{id: d}", "P201", "missing key `kind` in step `d`"),
        ("{kind: replies}", "P201", "missing key `id` in a step"),
        ("{id: d, kind: rplies}", "P205", "`kind` in step `d`"),
        ("{id: d, knd: replies}", "P203", "unknown key `knd` in step `d`"),
        ("{id: d, kind: replies, model: x}", "P203", "unknown key `model`"),
        ("{id: d, kind: generate, prompt: x}", "P210", "found neither in step `d`"),
        ("{id: d, kind: generate, prompt: x, modle: y}", "P203", "unknown key `modle`"),
        ("{id: d, kind: generate, prompt: x, model: y, models: [z]}", "P210", "found both"),
        ("{id: d, kind: set, vars: {}}", "P204", "at least 1 key"),
        ("{id: d, kind: say}", "P201", "missing key `reply`"),
        ("{id: d, kind: generate, model: x, prompt: y, escalate_when: [eror]}", "P205", "found text `eror`"),
        ("{id: d, kind: generate, model: x, prompt: y, escalate_when: [{if: x}]}", "P201", "missing key `reason`"),
        ("{id: d, kind: generate, model: x, prompt: y, escalate_when: [{low_confidence: 1}]}", "P204", "less than 1"),
        ("{id: d, kind: generate, model: x, prompt: y, escalate_when: [~]}", "P202", "found nothing"),
        ("{id: d, kind: generate, model: x, prompt: y, escalate_when: [[x]]}", "P202", "found a list"),
        ("just words", "P202", "expected keys with values, found text `just words`"),
    ],
)
def test_steps_by_their_kind(step, code, words):
    problem = only(f"{PIPELINE}  - {step}\n", "pipeline")
    assert problem.code == code
    assert words in problem.message


def test_what_the_reader_reported_is_not_reported_again():
    root, found = compose("replies:\n  - id: greet\n    priority: 017\n    say: [{{ a }}]\n", "a.yml")
    assert [problem.code for problem in found] == ["P110", "P113"]
    assert check_shape(root, "replies") == []


def test_a_secret_is_not_repeated():
    key = "sk-" + "a1" * 12
    assert key not in only(f"{REPLY}    priority: {key}\n").message


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("priority: '5'", "write 5 without quotes"),
        ("priority: ５", "write 5"),
        ("examples: ［やあ, やあ］", "write `[`, `, ` and `]`, which are narrow"),
        ("match: {contains: やあ}", "begin each item on its own line with `- `: a hyphen and a space"),
        ("match: [{contains: a, regex: b}]", "write each as an item of its own, after `- `"),
        ("match: [営業時間: 19時]", "put a text that holds `: ` in quotes"),
        ("match: []", "write an item, or remove the key"),
        ("match: [[やあ]]", "write the items of the inner list as items of the outer one"),
        ("match: [やあ, ]\n    examples:\n      -", "write something after `- `, or remove it"),
    ],
)
def test_what_to_write_instead_is_said(written, hint):
    assert only(f"{REPLY}    {written}\n").hint == hint


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("7秒", "write `7s`"),
        ("7 seconds", "write `7s`"),
        ("'7'", "write `7s`"),
        ("7,5s", "write `7.5s`"),
        ("７００ミリ秒", "write `700ms`"),
        ("2分", "write `120s`"),
        ("soon", "write a number with `s` or `ms`"),
    ],
)
def test_a_time_in_other_words_is_told_what_to_write(written, hint):
    assert only(f"{PIPELINE}deadline: {written}\n", "pipeline").hint == hint


@pytest.mark.parametrize(
    ("threshold", "hint"), [("80%", "write 80"), ("0.8", "write 80"), ("'80'", "write 80 without quotes"), ("800", "")]
)
def test_a_threshold_is_of_a_hundred(threshold, hint):
    assert only(f"{PIPELINE}  - {{id: d, kind: replies, threshold: {threshold}}}\n", "pipeline").hint == hint


@pytest.mark.parametrize("confidence", ["25", "25%"])
def test_a_confidence_is_of_one(confidence):
    step = f"  - {{id: d, kind: generate, model: x, prompt: y, escalate_when: [low_confidence: {confidence}]}}\n"
    assert only(PIPELINE + step, "pipeline").hint == "write 0.25"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Greet Evening", "write `greet_evening`"),
        ("夜の挨拶", "write a name such as `greet_evening`"),
        ("1", "write a name such as `greet_evening`"),
    ],
)
def test_names_are_told_what_to_write(name, hint):
    problem = only(REPLY.replace("greet", name))
    assert (problem.code, problem.hint) == ("P206", hint)


@pytest.mark.parametrize("locale", ["jp", "ja_JP", "日本語"])
def test_japanese_is_called_ja(locale):
    assert only(f"{PIPELINE}locale: {locale}\n", "pipeline").hint == "write `ja`"


def test_an_unknown_key_is_probably_the_one_that_is_missing():
    problem = only(REPLY.replace("say", "answer"))
    assert (problem.code, problem.hint) == ("P203", "did you mean `say`, which is missing?")
    assert only("reply:\n  - id: greet\n").hint == "did you mean `replies`, which is missing?"


@pytest.mark.parametrize("written", ["id：d", "id:d", "id： d"])
def test_a_key_with_its_colon_glued_to_it_is_told(written):
    problem = only(f"{PIPELINE}  - {{{written}, kind: replies}}\n", "pipeline")
    assert (problem.code, problem.hint) == ("P203", "write `id: `, with a narrow colon and a space")


def test_a_misspelt_key_says_nothing_of_another_that_is_missing():
    found = problems("replies:\n  - {id: greet, mtach: [x]}\n")
    assert [(problem.code, problem.hint) for problem in found] == [
        ("P201", "add `say: …`"),
        ("P203", "did you mean `match`?"),
    ]
