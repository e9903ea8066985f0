from __future__ import annotations

from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.record import replace
from engine.expressions.parse import parse_condition
from engine.expressions.scope import condition_scope
from tests.fakes.clock import FakeClock
from tests.fakes.plans import plan, replies_step, reply, services, turn

TIRED = reply("tired", "お疲れさま。")
CARING = replace(reply("care", "話してくれてありがとう。"), tags=("care",))
WHEN = parse_condition("kind.chance.despair >= 0.2", condition_scope((), (), ("despair", "tired")))
LISTENING = replace(reply("by_kind", "ひとりで抱えないで。"), tags=("care",), when=WHEN)
NOT_EXACT = parse_condition("not turn.exact", condition_scope((), ()))


class Kinds:
    """A model of kinds that counts who asks it."""

    def __init__(self, **chances: float) -> None:
        self.asked: list[str] = []
        self._chances = chances

    def chances(self, text: str) -> dict[str, float]:
        self.asked.append(text)
        return self._chances


def said(the_plan, text):
    return run_steps(the_plan, turn(text), services(), Deadline.after(7.5, FakeClock())).reply_id


def test_a_step_that_names_tags_says_only_replies_with_one_of_them():
    care = replace(replies_step("care"), tags=("care",))
    replies = {TIRED: ("もう疲れちゃった",), CARING: ("もう疲れた",)}
    assert said(plan(care, replies=replies), "もう疲れちゃった") != "tired"
    assert said(plan(care, replies=replies), "もう疲れた") == "care"


def by_kind(kinds):
    """Care by kind before the ordinary replies."""
    care = replace(replies_step("care", when=None), tags=("care",), searches=False, replies=(1,), when=NOT_EXACT)
    return replace(plan(care, replies_step(), replies={TIRED: ("疲れた",), LISTENING: ()}), kinds=kinds)


def test_a_reply_without_triggers_is_said_by_the_kind_alone():
    assert said(by_kind(Kinds(despair=0.3, tired=0.7)), "もう全部おしまい") == "by_kind"
    assert said(by_kind(Kinds(tired=0.9, despair=0.1)), "すごく疲れた") == "tired"


def test_nobody_asks_for_the_kind_of_what_is_said_word_for_word():
    kinds = Kinds(despair=1.0)
    assert said(by_kind(kinds), "疲れた") == "tired"
    assert kinds.asked == []
