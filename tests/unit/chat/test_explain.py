from datetime import UTC, datetime

from engine.chat.explain import explain, explain_reply
from engine.core.plan import NamedDetector
from engine.core.record import replace
from tests.fakes.plans import generate_step, plan, replies_step, reply, say_step, set_step, turn

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


def actions(explanation):
    return [(one.step, one.action) for one in explanation.decisions]


def test_the_winner_and_what_stood_in_the_way_of_the_others():
    explanation = explained("こんばんは")
    assert verdicts(explanation)[:2] == [
        ("evening", "condition", "`now.hour >= 17` does not hold now"),
        ("any", "chosen", ""),
    ]
    assert explanation.decisions[0].action == "answers with `any`"
    assert explanation.decisions[0].why == "trigger `こんばんは` scores 100.0, no other reply matches"


def test_a_reply_without_condition_is_chosen_over_those_that_score_less():
    near = reply("near", "こちらも。")
    the_plan = plan(replies_step(), replies={ANY: ("ただいま戻りました",), near: ("ただいま戻りましたよ",)})
    explanation = explain(the_plan, the_plan.index, turn("ただいま戻りました", now=NOON), ())
    assert verdicts(explanation) == [("any", "chosen", ""), ("near", "passed over", "`any` stands before it")]
    best, other = (one.score for one in explanation.considered)
    assert explanation.decisions[0].why.endswith(f", {best - other:.1f} before the next reply")
    assert best > other


def test_triggers_of_one_reply_that_share_a_verdict_are_told_once():
    the_plan = plan(
        replies_step(), replies={EVENING: ("今夜も来たよ", "今夜もきたよ"), ANY: ("今夜もきたよね", "今夜も来たよね")}
    )
    explanation = explain(the_plan, the_plan.index, turn("今夜も来たよ", now=NOON), ())
    assert [(one.reply_id, one.verdict) for one in explanation.considered] == [
        ("evening", "condition"),
        ("any", "chosen"),
    ]


def test_the_clock_changes_the_winner():
    explanation = explained("こんばんは", now=datetime(2026, 11, 20, 19, 0, tzinfo=UTC))
    assert verdicts(explanation)[:2] == [
        ("evening", "chosen", ""),
        ("any", "passed over", "`evening` stands before it"),
    ]


def test_a_guard_is_told():
    explanation = explained("ありがとうございません", replies_step(), say_step(3))
    assert ("thanks", "refused", "opposite polarity") in verdicts(explanation)
    assert explanation.decisions[0].why == "no reply that reaches 80 may be said"


def test_a_near_miss_tells_how_much_was_missing():
    near = explained("こんばんは、来たよ今日も", replies_step(threshold=99.0), say_step(3)).considered
    assert {one.verdict for one in near} == {"too low"}
    assert "below the threshold of 99" in near[0].why


def test_the_steps_are_followed_to_the_one_that_surely_answers():
    small = generate_step("small", "a", detectors=(NamedDetector(name="low_confidence", threshold=0.25),))
    explanation = explained(
        "猫を飼い始めたんだ", replies_step(), generate_step("off", "z", when="false"), small, say_step(3)
    )
    assert explanation.decisions[0].why == "no reply reaches 80"
    assert actions(explanation) == [
        ("canned", "goes on"),
        ("off", "passed over"),
        ("small", "asks a"),
        ("sorry", "says `sorry`"),
    ]
    assert explanation.decisions[2].why == (
        "on error, timeout, empty, low_confidence below 0.25 the turn goes on to `sorry`"
    )


def test_where_a_step_escalates_to_is_told():
    jump = generate_step("small", "a", escalate_to=2)
    explanation = explained("猫を飼い始めたんだ", jump, generate_step("large", "b"), say_step(3))
    assert explanation.decisions[0].why.rpartition(" to ")[2] == "`sorry`"


def test_each_replies_step_has_its_own_threshold():
    explanation = explained("やあやあやあ", replies_step("strict", 100.0), replies_step("loose", 70.0), say_step(3))
    assert actions(explanation) == [("strict", "goes on"), ("loose", "answers with `any`")]
    assert explanation.threshold == 70.0
    assert verdicts(explanation)[0] == ("any", "chosen", "")


def test_a_variable_that_a_step_sets_counts_for_the_replies_behind_it():
    english = reply("english", "Hello.", when="vars.lang == 'en'")
    setting = set_step("tongue", lang="'en'")
    the_plan = plan(setting, replies_step(), replies={english: ("やあやあ",)})
    explanation = explain(the_plan, the_plan.index, turn("やあやあ"), ())
    assert actions(explanation) == [("tongue", "sets lang = en"), ("canned", "answers with `english`")]


def test_what_an_escalation_jumps_over_is_not_told():
    first = generate_step("small", "a", escalate_to=2)
    explanation = explained("猫を飼い始めたんだ", first, generate_step("large", "b"), say_step(3))
    assert [one.step for one in explanation.decisions] == ["small", "sorry"]


def test_a_pipeline_that_may_end_without_answer_says_so():
    explanation = explained("猫を飼い始めたんだ", replies_step(), generate_step("small", "a"))
    assert explanation.decisions[-1].action == "no answer: error 503"


def why_not(text, which, *steps):
    the_plan = plan(*(steps or (replies_step(), say_step(3))), replies=REPLIES)
    return explain_reply(the_plan, the_plan.index, turn(text, now=NOON), which)


def test_a_reply_whose_condition_fails_is_told_with_each_step_that_may_say_it():
    found = why_not("こんばんは", EVENING)
    assert (found.reply_id, found.when, found.holds) == ("evening", "now.hour >= 17", False)
    assert [(one.step, one.action) for one in found.steps] == [("canned", "answers with `any`")]
    assert [(one.verdict, one.why) for one in found.steps[0].considered] == [
        ("condition", "`now.hour >= 17` does not hold now")
    ]


def test_a_reply_whose_triggers_are_far_away_is_told_with_its_score():
    far = why_not("こんばんは、やあやあ", THANKS).steps[0]
    assert [one.verdict for one in far.considered] in ([], ["too low"])
    assert all(one.reply_id == "thanks" for one in far.considered)


def test_a_step_that_the_turn_does_not_reach_looks_at_nothing():
    found = why_not("こんばんは", SORRY)
    assert (found.when, found.holds) == (None, None)
    assert [(one.step, one.action, one.considered) for one in found.steps] == [
        ("canned", "answers with `any`", ()),
        ("sorry", "not reached", ()),
    ]


def test_what_is_chosen_is_told_as_chosen():
    assert [one.verdict for one in why_not("こんばんは", ANY).steps[0].considered] == ["chosen"]


def test_a_step_that_is_passed_over_says_why():
    found = why_not("こんばんは", ANY, replies_step(when="client.vip"), say_step(3))
    assert [(one.action, one.why, one.considered) for one in found.steps] == [
        ("passed over", "`client.vip` does not hold", ())
    ]


def test_the_rules_that_keep_something_from_models_outside_are_told_with_what_they_find():
    masking = replace(plan(replies_step(), replies=REPLIES), mask=("email", "phone"))
    explanation = explain(masking, masking.index, turn("a@b.jpか090-1234-5678まで"), ())
    assert explanation.masked == "[メール1]か[電話1]まで"
    assert explanation.masks == (("email", "a@b.jp"), ("phone", "090-1234-5678"))
