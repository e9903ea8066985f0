"""Replies whose templates or conditions take too much end a turn in time, however many there are of them."""

from __future__ import annotations

from engine.chat.step_runner import run_steps
from engine.core.deadline import Deadline
from engine.core.ports import Services
from engine.templates import TemplateRenderer
from tests.fakes.clock import FakeClock
from tests.fakes.plans import plan, replies_step, reply, say_step, turn


class Slow:
    """Renders as a template does that takes all of its time and fails."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.rendered = clock, 0

    def render(self, template, _names, _until=None):
        if template.constant:
            return template.source
        self.rendered += 1
        self.clock.advance(0.25)
        raise ValueError("template took too long")


def test_many_slow_variants_and_replies_end_at_the_deadline():
    clock = FakeClock()
    began, slow = clock(), Slow(clock)
    replies = {reply(f"r{place}", *(f"{{{{ text }}}}{at}" for at in range(9))): ("やあ",) for place in range(50)}
    sorry = reply("sorry", "ごめんなさいね。")
    the_plan = plan(replies_step(), say_step(50), replies={**replies, sorry: ()})
    outcome = run_steps(the_plan, turn("やあ"), Services(models={}, renderer=slow), Deadline.after(5, clock))
    assert outcome.reply == "ごめんなさいね。"
    assert clock() - began <= 5 + 0.25 * 4


def test_without_time_replies_that_need_none_are_given():
    clock = FakeClock()
    the_plan = plan(replies_step(), replies={reply("a", "{{ text }}よ"): ("やあ",)})
    outcome = run_steps(
        the_plan, turn("やあ"), Services(models={}, renderer=TemplateRenderer()), Deadline.after(0, clock)
    )
    assert outcome.reply == "やあよ"
