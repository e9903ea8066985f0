import pytest

from engine.chat.step_runner import run_steps
from engine.chat.trace import trace_entries
from engine.core.deadline import Deadline
from engine.core.errors import RateLimited, TimedOut, Unavailable
from engine.core.events import ModelAnswered, StepEnded
from engine.core.plan import ExpressionDetector, NamedDetector, Step
from engine.core.record import replace
from engine.core.turn import Completion, Message
from tests.fakes.clock import FakeClock
from tests.fakes.plans import (
    SPAN,
    FakeModel,
    condition,
    generate_step,
    plan,
    replies_step,
    reply,
    say_step,
    services,
    set_step,
    template,
    turn,
)

HELLO = reply("hello", "いらっしゃい。")
SORRY = reply("sorry", "ごめんなさいね。")


def outcome(the_plan, text="猫を飼い始めたんだ", models=None, clock=None, **more):
    return run_steps(
        the_plan, turn(text, **more), services(**(models or {})), Deadline.after(7.5, clock or FakeClock())
    )


def events(result):
    return [(entry["step"], entry["event"]) for entry in trace_entries(result)]


def test_a_canned_reply_answers_first():
    model = FakeModel("model")
    result = outcome(
        plan(replies_step(), generate_step("talk", "m"), replies={HELLO: ("こんばんは",)}),
        text="こんばんわ",
        models={"m": model},
    )
    assert (result.reply, result.engine, result.step, result.reply_id) == (
        "いらっしゃい。",
        "canned",
        "canned",
        "hello",
    )
    assert model.asked == []
    assert events(result) == [("canned", "matched"), ("canned", "answered")]


def test_what_no_reply_covers_goes_to_the_model():
    model = FakeModel("まあ、猫ちゃん！", engine="local")
    result = outcome(
        plan(replies_step(), generate_step("talk", "m"), replies={HELLO: ("こんばんは",)}), models={"m": model}
    )
    assert (result.reply, result.engine, result.step) == ("まあ、猫ちゃん！", "local", "talk")
    assert events(result)[:2] == [("canned", "no_match"), ("canned", "continued")]
    prompt, _ = model.asked[0]
    assert prompt.system == "あなたは美砂樹。"
    assert prompt.text == "猫を飼い始めたんだ"
    assert [(example.user, example.reply) for example in prompt.examples] == [("やあ", "あら")]


def test_a_refused_candidate_falls_through_to_the_next():
    evening = reply("evening", "こんばんは。", when="now.hour >= 20")
    result = outcome(
        plan(replies_step(), replies={evening: ("こんばんは",), HELLO: ("こんばんは",)}), text="こんばんは"
    )
    assert result.reply_id == "hello"
    assert events(result)[0] == ("canned", "condition_refused")


def test_what_a_template_leaves_around_the_words_is_not_said():
    result = outcome(plan(say_step(0), replies={reply("spaced", "\n {{ persona.name }}よ。 \n"): ()}))
    assert result.reply == "美砂樹よ。"


def test_a_reply_whose_template_fails_falls_through_too():
    broken = reply("broken", "{{ client.name }}さん")
    result = outcome(plan(replies_step(), replies={broken: ("こんばんは",), HELLO: ("こんばんは",)}), text="こんばんは")
    assert result.reply_id == "hello"
    assert events(result)[0] == ("canned", "reply_failed")


def test_an_error_escalates_to_the_next_model_and_step_with_its_reason():
    result = outcome(
        plan(generate_step("small", "a"), generate_step("large", "b", "c")),
        models={
            "a": FakeModel(Unavailable("no file", backend="llama.cpp", called=False)),
            "b": FakeModel(TimedOut("too slow", backend="openai")),
            "c": FakeModel("はい。"),
        },
    )
    assert result.reply == "はい。"
    assert [(e.step, e.model, e.reason, e.detail) for e in result.escalations] == [
        ("small", "a", "error", "no file"),
        ("large", "b", "timeout", "too slow"),
    ]
    assert events(result) == [
        ("small", "skipped"),
        ("small", "escalated"),
        ("large", "failed"),
        ("large", "generated"),
        ("large", "answered"),
    ]


@pytest.mark.parametrize(
    ("detector", "reason"),
    [
        (NamedDetector(name="low_confidence", threshold=0.25), "low_confidence"),
        (ExpressionDetector(test=condition("output.tokens < 9"), reason="too short"), "too short"),
        (NamedDetector(name="truncated"), "truncated"),
    ],
)
def test_a_detector_escalates_with_its_name_or_the_editors_words(detector, reason):
    poor = Completion(text="うん", finish_reason="length", model="m", completion_tokens=2, confidence=0.1)
    result = outcome(
        plan(generate_step("small", "a", detectors=(detector,)), generate_step("large", "b")),
        models={"a": FakeModel(poor), "b": FakeModel("そうなのね。")},
    )
    assert result.reply == "そうなのね。"
    assert [(e.step, e.reason) for e in result.escalations] == [("small", reason)]
    assert [event.escalates for event in result.trace if isinstance(event, ModelAnswered)] == [reason, None]


def test_the_time_that_steps_and_the_turn_took_is_told():
    clock = FakeClock()
    models = {
        "a": FakeModel(TimedOut("x", backend="x"), on_call=lambda: clock.advance(2.0)),
        "b": FakeModel("はい。", on_call=lambda: clock.advance(1.5)),
    }
    answered = outcome(plan(generate_step("small", "a"), generate_step("large", "b")), models=models, clock=clock)
    assert answered.seconds == 3.5
    assert [(event.end, event.seconds) for event in answered.trace if isinstance(event, StepEnded)] == [
        ("escalated", 2.0),
        ("answered", 1.5),
    ]
    assert outcome(plan(generate_step("small", "a")), models=models, clock=clock).seconds == 2.0


def test_an_empty_answer_escalates_even_where_nothing_is_listed():
    result = outcome(plan(generate_step("small", "a")), models={"a": FakeModel("  ")})
    assert result.reply is None
    assert result.escalations[0].reason == "empty"


def test_an_expression_may_name_the_reason_of_an_error():
    busy = ExpressionDetector(test=condition("error == 'rate_limited'"), reason="busy")
    result = outcome(
        plan(generate_step("large", "a", detectors=(busy,))), models={"a": FakeModel(RateLimited("429", backend="x"))}
    )
    assert result.escalations[0].reason == "busy"


def test_escalate_to_jumps_forward_over_steps():
    first = generate_step("first", "a", escalate_to=2)
    result = outcome(
        plan(first, generate_step("skipped", "b"), say_step(0), replies={SORRY: ()}),
        models={"a": FakeModel(Unavailable("gone", backend="x")), "b": FakeModel("never")},
    )
    assert (result.reply, result.engine, result.step) == ("ごめんなさいね。", "fallback", "sorry")


def test_a_step_whose_condition_does_not_hold_is_passed_over():
    result = outcome(
        plan(generate_step("small", "a", when="not ('猫' in text)"), say_step(0), replies={SORRY: ()}),
        models={"a": FakeModel("x")},
    )
    assert result.step == "sorry"
    assert events(result)[0] == ("small", "not_applicable")


def test_no_step_left_that_answers_is_an_outcome_without_reply():
    result = outcome(plan(replies_step(), say_step(0, when="false"), replies={SORRY: ("x",)}))
    assert result.reply is None
    assert result.engine is None


def test_a_set_step_gives_variables_to_what_follows():
    language = set_step("language", lang="'ja' if is_japanese(text) else 'en'")
    english = reply("english", "Sorry.")
    the_plan = plan(
        language,
        say_step(0, "en", when="vars.lang == 'en'"),
        say_step(1, "ja"),
        replies={english: (), SORRY: ()},
    )
    assert outcome(the_plan, text="hello there").step == "en"
    assert outcome(the_plan, text="こんにちは").step == "ja"


@pytest.mark.parametrize(("number", "step"), [(1, "first"), (3, "later")])
def test_conditions_see_how_many_turns_the_session_had(number, step):
    the_plan = plan(
        say_step(0, "first", when="session.turns == 0 and turn.number == 1"),
        say_step(0, "later", when="session.turns == 2 and turn.number == 3"),
        replies={SORRY: ()},
    )
    assert outcome(the_plan, number=number).step == step


def test_a_say_step_whose_template_fails_escalates():
    broken = reply("broken", "{{ client.name }}")
    result = outcome(plan(say_step(0, "first"), say_step(1, "second"), replies={broken: (), SORRY: ()}))
    assert result.step == "second"
    assert result.escalations[0].step == "first"


def test_a_prompt_whose_template_fails_escalates_as_its_step_says():
    broken = replace(generate_step("small", "a", escalate_to=2), prompt=template("{{ client.name }}"))
    result = outcome(plan(broken, say_step(0, "skipped"), say_step(0, "target"), replies={SORRY: ()}))
    assert result.step == "target"
    assert [(one.step, one.reason) for one in result.escalations] == [("small", "error")]


def test_a_model_leaves_a_second_to_each_available_model_behind_it():
    models = {
        "a": FakeModel(Unavailable("x", backend="x")),
        "b": FakeModel(Unavailable("x", backend="x")),
        "off": FakeModel(Unavailable("x", backend="x"), available=False),
        "c": FakeModel("はい。"),
    }
    outcome(plan(generate_step("small", "a", timeout=6.0), generate_step("large", "b", "off", "c")), models=models)
    assert [models[name].asked[0][1] for name in ("a", "b", "off", "c")] == [5.5, 6.5, 6.5, 7.5]


def test_nothing_is_left_to_a_model_that_is_switched_off():
    model = FakeModel("はい。")
    outcome(plan(generate_step("small", "a"), generate_step("large", "off", when="false")), models={"a": model})
    assert model.asked[0][1] == 7.5


def test_a_model_leaves_no_time_to_those_that_its_escalation_jumps_over():
    models = {"a": FakeModel(Unavailable("x", backend="x")), "b": FakeModel("never"), "c": FakeModel("はい。")}
    steps = [generate_step("small", "a", escalate_to=2), generate_step("large", "b"), generate_step("last", "c")]
    outcome(plan(*steps), models=models)
    assert [models[name].asked[0][1] for name in ("a", "c")] == [6.5, 7.5]
    assert models["b"].asked == []


@pytest.mark.parametrize(("used", "given"), [(6.0, 0.75), (6.3, 0.6), (6.5, 1.0), (7.2, 0.3)])
def test_a_model_that_used_up_its_time_leaves_shares_that_are_worth_a_call(used, given):
    clock = FakeClock()
    models = {
        "a": FakeModel(TimedOut("x", backend="x"), on_call=lambda: clock.advance(used)),
        "b": FakeModel(TimedOut("x", backend="x")),
        "c": FakeModel("はい。"),
    }
    outcome(plan(generate_step("large", "a", "b", "c")), models=models, clock=clock)
    assert models["b"].asked[0][1] == pytest.approx(given)


def listen_step(*places, name="listen"):
    return Step(id=name, kind="replies", when=None, span=SPAN, replies=places)


def test_where_no_trigger_fits_a_reply_that_waits_is_said():
    listening = reply("listening", "ええ、聞いてるわ。")
    result = outcome(plan(replies_step(), listen_step(1), replies={HELLO: ("こんばんは",), listening: ()}))
    assert (result.reply, result.engine, result.step, result.reply_id) == (
        "ええ、聞いてるわ。",
        "canned",
        "listen",
        "listening",
    )
    assert ("listen", "listened") in events(result)


def test_of_those_that_wait_the_highest_priority_that_holds_is_said():
    plain, night = reply("plain", "ええ。"), reply("night", "夜更けね。", when="now.hour >= 23", priority=2)
    long = reply("long", "長いお話ね。", when="len(text) > 5", priority=1)
    the_plan = plan(listen_step(0, 1, 2), replies={plain: (), night: (), long: ()})
    assert outcome(the_plan).reply_id == "long"
    assert outcome(the_plan, text="ねえ").reply_id == "plain"


def test_several_that_wait_never_say_the_same_words_while_others_are_left():
    one, other = reply("one", "一", "二"), reply("other", "三", "二")
    the_plan = plan(listen_step(0, 1), replies={one: (), other: ()})
    history, said = (), {}
    for number in range(1, 4):
        result = outcome(the_plan, history=history, said=said, number=number)
        assert result.reply not in {message.text for message in history}
        history = (*history, Message("assistant", result.reply))
        said = {**said, result.reply_id: (*said.get(result.reply_id, ()), result.variant)}


def test_where_none_that_waits_may_be_said_the_turn_goes_on():
    night = reply("night", "夜更けね。", when="now.hour >= 23")
    result = outcome(plan(listen_step(0), say_step(1), replies={night: (), SORRY: ()}))
    assert (result.reply_id, events(result)[0]) == ("sorry", ("listen", "no_match"))


def test_later_conditions_see_why_a_step_gave_up():
    model = FakeModel(TimedOut("late", backend="scripted"), engine="local")
    the_plan = plan(
        generate_step("talk", "m"),
        say_step(0, when="escalated.talk == 'timeout'"),
        listen_step(1),
        replies={SORRY: (), HELLO: ()},
    )
    assert outcome(the_plan, models={"m": model}).reply_id == "sorry"
    assert outcome(the_plan, models={"m": FakeModel("", engine="local")}).reply_id == "hello"


DOUBTED = generate_step("talk", "m", detectors=(NamedDetector(name="low_confidence", threshold=0.5),))
UNSURE = Completion(text="猫は月から来たのよ。", finish_reason="stop", model="fake", confidence=0.3)


def test_a_doubtful_answer_is_said_where_no_later_step_has_words():
    result = outcome(plan(DOUBTED), models={"m": FakeModel(UNSURE, engine="local")})
    assert (result.reply, result.engine, result.step) == (UNSURE.text, "local", "talk")
    assert [one.reason for one in result.escalations] == ["low_confidence"]


def test_a_doubtful_answer_stands_below_a_reply_that_waits():
    the_plan = plan(DOUBTED, listen_step(0), replies={HELLO: ()})
    assert outcome(the_plan, models={"m": FakeModel(UNSURE, engine="local")}).reply_id == "hello"


@pytest.mark.parametrize(("doubt", "said"), [(True, "えっ。"), (False, None)])
def test_a_rule_of_the_pipelines_own_may_be_a_doubt(doubt, said):
    short = ExpressionDetector(test=condition("len(output.text) < 5"), reason="too short", doubt=doubt)
    the_plan = plan(generate_step("talk", "m", detectors=(short,)))
    assert outcome(the_plan, models={"m": FakeModel("えっ。")}).reply == said


def test_a_doubt_beside_a_mistake_is_not_said():
    step = generate_step("talk", "m", detectors=(*DOUBTED.detectors, NamedDetector(name="echo")))
    parroted = replace(UNSURE, text="猫を飼い始めたのね。")
    assert outcome(plan(step), models={"m": FakeModel(parroted)}).reply is None
