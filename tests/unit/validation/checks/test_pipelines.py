"""References, steps, conditions, templates and everything else that is wrong with a pipeline as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.core.language import said as in_language
from engine.validation.checks.broken_conditions import broken_conditions
from engine.validation.checks.broken_templates import broken_templates
from engine.validation.checks.idle_conditions import idle_conditions
from engine.validation.checks.references import backward_jumps
from engine.validation.checks.tried_templates import failing_templates, unread_templates
from engine.validation.checks.uncovered_hours import uncovered_hours
from engine.validation.checks.unreached import missing_prompts, no_final_answer, reachable, unreachable_steps
from engine.validation.checks.wrong_settings import timeouts, unknown_confidence, unknown_timezone, unknown_variables
from tests.unit.validation.conftest import PIPELINE

CANNED = "{id: canned, kind: replies}"
SORRY = "{id: sorry, kind: say, reply: sorry}"
TALK = "{id: talk, kind: generate, model: small, prompt: p.j2%s}"


def told(check, made):
    return [(problem.code, problem.severity, problem.message) for problem in check(made)]


@pytest.mark.parametrize(
    ("steps", "places"),
    [
        ((CANNED, SORRY), {0, 1}),
        ((SORRY, CANNED), {0}),
        ((CANNED, TALK % "", SORRY), {0, 1, 2}),
        ((TALK % ", escalate_to: sorry", CANNED, SORRY), {0, 2}),
        ((TALK % ", escalate_to: sorry, when: now.hour > 3", CANNED, SORRY), {0, 1, 2}),
        (("{id: a, kind: say, reply: sorry, when: now.hour > 3}", CANNED), {0, 1, 2}),
        (("{id: a, kind: set, vars: {x: 1}}",), {0, 1}),
    ],
)
def test_where_a_turn_can_come_to(subject, steps, places):
    assert reachable(subject(steps=steps).spec) == places


def test_an_end_without_an_answer_is_a_warning_but_not_the_operators_choice(subject):
    assert told(no_final_answer, subject(steps=(CANNED,)))[0][:2] == ("P507", "warning")
    assert told(no_final_answer, subject(steps=(CANNED, SORRY))) == []
    switched = "{id: sorry, kind: say, reply: sorry, when: env.LOCAL_LLM_ALLOW_FALLBACK}"
    assert told(no_final_answer, subject(steps=(CANNED, switched))) == []
    at_night = "{id: sorry, kind: say, reply: sorry, when: now.hour > 3}"
    assert len(told(no_final_answer, subject(steps=(CANNED, at_night)))) == 1
    broken = "{id: sorry, kind: say, reply: sorry, when: env.LOCAL_LLM_ALOW_FALLBACK}"
    assert told(no_final_answer, subject(steps=(CANNED, broken))) == []


@pytest.mark.parametrize(("target", "where"), [("talk", "to itself"), ("canned", "back to `canned`")])
def test_jumps_backward_or_in_place_are_refused(subject, target, where):
    made = subject(steps=(CANNED, TALK % f", escalate_to: {target}", SORRY))
    ((code, _, message),) = told(backward_jumps, made)
    assert (code, message) == ("P305", f"step `talk` escalates {where}, so a turn might never end")
    assert told(unreachable_steps, made) == []


@pytest.mark.parametrize(
    ("steps", "severities"),
    [
        ((TALK % ", timeout: 4s", SORRY), []),
        ((TALK % ", timeout: 9s", SORRY), ["error"]),
        ((TALK % ", timeout: '${PATIENCE:}'", SORRY), []),
        ((TALK % ", timeout: 4s", (TALK % ", timeout: 4s").replace("talk", "b"), SORRY), []),
        (
            (TALK % ", timeout: 5s", (TALK % ", timeout: 5s").replace("talk", "b"), (TALK % "").replace("talk", "c")),
            ["warning"],
        ),
    ],
)
def test_timeouts_must_fit_the_deadline(subject, steps, severities):
    assert [severity for _, severity, _ in told(timeouts, subject(steps=steps))] == severities


def test_the_step_that_has_no_time_left_is_named(subject):
    names = ("talk", "second", "third")
    steps = tuple((TALK % ", timeout: 4s").replace("talk", name) for name in names)
    ((_, _, message),) = told(timeouts, subject(steps=(*steps, SORRY)))
    assert message == "after 8 s in all, step `third` has nothing left of the deadline of 7.5 s"


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("now.hour >= 17 and now.hour < 5", "never"),
        ("now.hour >= 5 or now.hour < 17", "always"),
        ("now.month == 13", "never"),
        ("now.hour >= 17", None),
        ("false", None),
        ("client.vip and not client.vip", None),
        ("len(text) < 0", None),
    ],
)
def test_conditions_that_decide_nothing(subject, source, verdict):
    messages = [message for _, _, message in told(idle_conditions, subject(f'{{id: a, when: "{source}", say: [x]}}'))]
    assert messages == ([] if verdict is None else [f"condition `{source}` is {verdict} true"])


def test_hours_that_a_family_of_replies_leaves_out(subject):
    made = subject(
        "{id: a, match: [来たよ、ママ], when: now.hour >= 5 and now.hour < 11, say: [x]}",
        "{id: b, match: [来たよママ], when: now.hour >= 12 or now.hour < 4, say: [x]}",
    )
    ((_, severity, message),) = told(uncovered_hours, made)
    assert (severity, message) == ("warning", "nobody answers `来たよママ` from 4 to 5 and 11 to 12 o'clock")


@pytest.mark.parametrize(
    "last", ["now.hour >= 11 or now.hour < 5", "now.month == 2", "client.vip", "now.hour >= 11 or client.vip"]
)
def test_no_hours_are_left_out_where_others_may_answer(subject, last):
    made = subject(
        "{id: a, match: [来たよ、ママ], when: now.hour >= 5 and now.hour < 11, say: [x]}",
        f"{{id: b, match: [来たよママ], when: {last}, say: [x]}}",
    )
    assert told(uncovered_hours, made) == []


def test_a_family_is_told_of_once_whatever_it_shares(subject):
    made = subject(
        "{id: a, match: [来たよママ, ママ来たよ], when: now.hour < 11, say: [x]}",
        "{id: b, match: [来たよママ, ママ来たよ], when: now.hour >= 12, say: [x]}",
    )
    assert len(told(uncovered_hours, made)) == 1


def test_patterns_are_no_family(subject):
    made = subject(
        "{id: a, match: [{regex: おは}], when: now.hour < 11, say: [x]}",
        "{id: b, match: [{regex: こん}], when: now.hour >= 12, say: [x]}",
    )
    assert told(uncovered_hours, made) == []


def test_a_confidence_is_missed_only_where_the_backend_gives_none(subject):
    steps = (TALK % ", escalate_when: [{low_confidence: 0.2}, {if: output.confidence < 0.1, reason: x}]", SORRY)
    assert told(unknown_confidence, subject(steps=steps)) == []
    silent = PIPELINE.replace("backend: auto", "backend: gpt4all")
    problems = list(unknown_confidence(subject(steps=steps, pipeline=silent)))
    assert [problem.span.column for problem in problems] == [77, 104]


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("LOCAL_LLM_MODEL", None),
        ("LOCAL_LLM_MODLE", "error"),
        ("MY_OWN_MODEL_FILE", "warning"),
        ("OPENAI_API_KEY", "error"),
    ],
)
def test_variables_are_known_misspelt_own_or_secret(subject, name, severity):
    made = subject(pipeline=PIPELINE.replace("path: a.gguf", f'path: "${{{name}:}}"'))
    assert [found for _, found, _ in told(unknown_variables, made)] == ([] if severity is None else [severity])


@pytest.mark.parametrize(
    ("source", "code", "word"),
    [
        ("now.hour >= 17 and", "P401", "missing at its end"),
        ("now.hour >= 17)", "P401", "too many"),
        ("now.huor > 3", "P402", "now.huor"),
        ("lenght(text) > 3", "P403", "lenght"),
        ("text.__class__", "P402", "text.__class__"),
    ],
)
def test_broken_conditions(subject, source, code, word):
    ((found, _, message),) = told(broken_conditions, subject(f'{{id: a, when: "{source}", say: [x]}}'))
    assert found == code
    assert word in message


@pytest.mark.parametrize(
    "step",
    [
        "{id: a, kind: set, vars: {x: now.huor}}",
        "{id: a, kind: set, vars: {x: 1}, when: now.huor}",
        TALK % ", escalate_when: [{if: now.huor, reason: x}]",
    ],
)
def test_every_expression_of_a_step_is_looked_at(subject, step):
    assert [code for code, _, _ in told(broken_conditions, subject(steps=(step, SORRY)))] == ["P402"]


@pytest.mark.parametrize(
    ("source", "written", "meant"),
    [
        ("now.hour => 17", "=>", ">="),
        ("now.hour ≦ 3", "≦", "<="),
        ("text = '=>'", "=", "=="),
        ("text == 'a' && now.hour ＞ 3", "&&", "and"),
        ("now.hour ＞ 3 || text == 'a'", "＞", ">"),
        ("text == 「はい」", "「はい」", "'はい'"),
        ("（now.hour) > 3", "（", "("),
        ("now.hour > 3 かつ now.hour < 5", "かつ", "and"),
        ("now.hour > 3 AND now.hour < 5", "AND", "and"),
        ("now.hour > 30 または now.hour < 5", "または", "or"),
        ("now.hour 以上 17", "以上", ">="),
    ],
)
def test_what_other_notations_write_is_told_in_ours(subject, source, written, meant):
    (problem,) = broken_conditions(subject(f'{{id: a, when: "{source}", say: [x]}}'))
    assert (problem.code, problem.hint) == ("P401", f"write `{meant}` instead of `{written}`")
    assert problem.span.end_column - problem.span.column == len(written)


@pytest.mark.parametrize(
    ("source", "message", "hint"),
    [
        ("now.hour が 17", "`が` stands where nothing more is expected", "compare with"),
        ("now.hour >= 17時", "`時` stands where", "write the number without `時`"),
        ("17:00-22:00", "`:` stands where", "write hours as `now.hour >= 17 and now.hour < 22`"),
        ("now.hour between 17 and 22", "`between` stands where", "write `17 <= now.hour < 22`"),
        ("if now.hour > 17", "`now` stands where", "write the condition alone, without `if`"),
        ("now.hour >= 17 and < 22", "a value is missing before `<`", "compare with"),
        ("(now.hour >= 17", "a `(` is never closed", ""),
        ("text == 'a", "a quotation mark is opened and never closed", ""),
    ],
)
def test_what_is_no_expression_is_told_in_plain_words(subject, source, message, hint):
    (problem,) = broken_conditions(subject(f'{{id: a, when: "{source}", say: [x]}}'))
    assert problem.message.startswith(f"condition is not an expression: {message}")
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("夜", "put a text in quotes, as in `'夜' in text`"),
        ("vars.mood == 1", "a step of kind `set` has to keep it first"),
        ("now.huor == 1", "did you mean `now.hour`?"),
        ("session.x == 1", "`session` has `id`, `offered`, `said`, `turns`"),
    ],
)
def test_unknown_names_are_told_what_to_write(subject, source, hint):
    (problem,) = broken_conditions(subject(f'{{id: a, when: "{source}", say: [x]}}'))
    assert (problem.code, problem.hint) == ("P402", hint)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("now.weekday == 7", "weekdays are 0 for Monday to 6 for Sunday"),
        ("now.month == 13 and now.day == 1", "days are 1 to 31; months are 1 to 12"),
        ("now.hour == 24", "hours are 0 to 23; write `or` where they pass midnight"),
    ],
)
def test_what_the_clock_shows_is_told(subject, source, hint):
    (problem,) = idle_conditions(subject(f'{{id: a, when: "{source}", say: [x]}}'))
    assert problem.hint == hint


def test_an_hour_that_never_comes_leaves_no_gap(subject):
    made = subject(
        "{id: a, match: [来たよ、ママ], when: now.hour >= 24, say: [x]}",
        "{id: b, match: [来たよママ], when: now.hour >= 12, say: [x]}",
    )
    assert told(uncovered_hours, made) == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Tokyo", "did you mean `Asia/Tokyo`?"),
        ("Asia/Tokio", "did you mean `Asia/Tokyo`?"),
        ("JST", "write a name such as `Asia/Tokyo`"),
    ],
)
def test_a_time_zone_is_found_by_its_city(subject, name, hint):
    (problem,) = unknown_timezone(subject(pipeline=PIPELINE.replace("Asia/Tokyo", name)))
    assert (problem.code, problem.hint) == ("P311", hint)


@pytest.mark.parametrize("written", ["p.j3", "pp.j2", "talk.j2"])
def test_a_prompt_is_looked_for_beside_and_below(subject, tmp_path, written):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "talk.j2").write_text("x", "utf-8")
    (problem,) = missing_prompts(subject(steps=(TALK.replace("p.j2", written) % "", SORRY)))
    meant = {"p.j3": "it is looked for at `p.j3`", "pp.j2": "did you mean `p.j2`?"}
    assert problem.hint == meant.get(written, "did you mean `prompts/talk.j2`?")


@pytest.mark.parametrize(
    ("said", "braces"),
    [
        ("{persona.name}よ", "{persona.name}"),
        ("{ persona.name }よ", "{ persona.name }"),
        ("｛｛ persona.name ｝｝よ", "｛｛ persona.name ｝｝"),
        ("{{ persona.name }}よ", None),
        ("{mountain}はいかが", "{mountain}"),
        ("$nameさん", "$name"),
        ("{笑}や{a.b}、$5", None),
    ],
)
def test_braces_that_make_no_template_are_told(subject, said, braces):
    found = list(unread_templates(subject(f'{{id: a, match: [やあ来たよ], say: ["{said}"]}}')))
    assert [(problem.severity, problem.hint) for problem in found] == (
        [("warning", "write `{{ … }}`, or the words themselves")] if braces else []
    )
    assert all(f"`{braces}`" in problem.message for problem in found)
    assert all(in_language(problem.hint, "ja") == "`{{ … }}` か、言葉そのものを書いてください" for problem in found)


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("{{ persona.name", "P404", "`{{ … }}`"),
        ("{% if now.hour %}x", "P404", "never closed by `{% endif %}`"),
        ("{{ persona name }}", "P404", "more than one thing, see `name`"),
        ("{% blah %}", "P404", "`{% blah … %}` is not known"),
        ("{{ }}", "P404", "is empty"),
        ("{{ persona.nmae }}", "P402", "persona.nmae"),
        ("{{ persona.name | uper }}", "P405", "uper"),
        ("{{ 2 ** 99 }}", "P405", "not allowed"),
    ],
)
def test_broken_templates(subject, source, code, words):
    problem = next(broken_templates(subject(f"{{id: a, say: ['{source}']}}")))
    assert problem.code == code
    assert words in problem.message


def test_a_mistake_deep_in_a_block_is_placed(subject):
    made = subject("id: a\n    say:\n      - |\n        一行目\n\n        {{ persona.name }}と{{ persona.nmae }}\n")
    (problem,) = broken_templates(made)
    assert (problem.span.line, problem.span.column, problem.span.end_column) == (8, 31, 43)


def test_a_template_that_fails_is_found_by_trying_it(subject):
    made = subject("{id: a, say: ['{{ persona.name + 1 }}', '{{ client.name + 1 }}', '{{ persona.name }}']}")
    problems = told(failing_templates, made)
    assert [code for code, _, _ in problems] == ["P407"]
    assert "'str'" not in problems[0][2]


def test_a_template_without_braces_is_tried_too(subject):
    made = subject('{id: a, say: ["{% if persona.name > 1 %}x{% endif %}"]}')
    assert [code for code, _, _ in told(failing_templates, made)] == ["P407"]


def test_a_prompt_that_fails_is_tried_once_and_no_other_is_blamed(subject):
    made = subject(steps=(TALK % "", SORRY))
    Path("p.j2").write_text("{{ persona.name + 1 }}", "utf-8")
    ((code, severity, message),) = told(failing_templates, made)
    assert (code, severity) == ("P407", "error")
    assert message.startswith("template fails when it is tried: it calculates with something that is not a number")


def test_a_value_that_is_kept_decides_nothing(subject):
    made = subject(steps=(CANNED, "{id: a, kind: set, vars: {hello: \"'夜' if now.hour > 20 else '昼'\"}}", SORRY))
    assert told(idle_conditions, made) == []
