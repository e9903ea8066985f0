from datetime import UTC, datetime

from engine.model.plan import NamedDetector
from engine.running.explain import explain
from tests.fakes.plans import generate_step, plan, replies_step, reply, say_step, turn

EVENING = reply("evening", "こんばんは。", when="now.hour >= 17")
ANY = reply("any", "いらっしゃい。")
THANKS = reply("thanks", "こちらこそ。")
SORRY = reply("sorry", "ごめんなさいね。")
REPLIES = {EVENING: ("こんばんは",), ANY: ("こんばんは", "やあやあ"), THANKS: ("ありがとうございます",), SORRY: ()}
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def explained(text, *steps, now=NOON):
    the_plan = plan(*(steps or (replies_step(), say_step(3))), replies=REPLIES)
    return explain(the_plan, the_plan.index, turn(text, now=now), (("folded", text),))


def verdicts(explanation):
    return [(one.reply_id, one.verdict, one.why) for one in explanation.considered]


def test_the_winner_and_what_stood_in_the_way_of_the_others():
    explanation = explained("こんばんは")
    assert verdicts(explanation)[:2] == [
        ("evening", "condition", "`now.hour >= 17` does not hold now"),
        ("any", "chosen", ""),
    ]
    assert explanation.decisions[0].action == "answers with `any`"
    assert "scores 100.0" in explanation.decisions[0].why


def test_the_clock_changes_the_winner():
    explanation = explained("こんばんは", now=datetime(2026, 11, 20, 19, 0, tzinfo=UTC))
    assert verdicts(explanation)[:2] == [
        ("evening", "chosen", ""),
        ("any", "passed over", "`evening` stands before it"),
    ]


def test_a_guard_is_told():
    assert ("thanks", "refused", "opposite polarity") in verdicts(explained("ありがとうございません"))


def test_a_near_miss_tells_how_much_was_missing():
    near = explained("こんばんは、来たよ今日も", replies_step(threshold=99.0), say_step(3)).considered
    assert {one.verdict for one in near} == {"too low"}
    assert "below the threshold of 99" in near[0].why


def test_the_steps_are_followed_to_the_one_that_surely_answers():
    small = generate_step("small", "a", detectors=(NamedDetector(name="low_confidence", threshold=0.25),))
    explanation = explained(
        "猫を飼い始めたんだ", replies_step(), generate_step("off", "z", when="false"), small, say_step(3)
    )
    assert [(one.step, one.action) for one in explanation.decisions] == [
        ("canned", "goes on"),
        ("off", "passed over"),
        ("small", "asks a"),
        ("sorry", "says `sorry`"),
    ]
    assert explanation.decisions[2].why == (
        "on error, timeout, empty, low_confidence below 0.25 the turn goes on to `sorry`"
    )


def test_a_hedge_is_told():
    step = generate_step("large", "a", "b", hedge=0.4)
    assert explained("猫を飼い始めたんだ", step, say_step(3)).decisions[0].action == "asks a, then b, hedged at 40%"


def test_a_pipeline_that_may_end_without_answer_says_so():
    explanation = explained("猫を飼い始めたんだ", replies_step(), generate_step("small", "a"))
    assert explanation.decisions[-1].action == "no answer: error 503"
