"""What limits of a day hold on every store: the same cases for memory, SQLite and DynamoDB.

A module that imports these has a fixture `stores` of its own: two open stores that share what they hold, as two
processes have them; and `setting`, the `SESSION_STORE` of one that outlives a process.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.chat.service import ChatService
from engine.conversations import open_store
from engine.conversations.allowance import Allowance
from engine.conversations.counters import Bound, Counters, Day
from engine.core.deadline import Deadline
from engine.core.plan import Limit, Limits, ModelRow, Step
from engine.core.record import replace
from engine.core.turn import ChatRequest, Completion
from tests.children import child
from tests.fakes.clock import FakeClock
from tests.fakes.plans import SPAN, FakeModel, generate_step, plan, replies_step, reply, say_step, services

ZONE = ZoneInfo("Asia/Tokyo")
LATE = datetime(2126, 11, 30, 23, 59, 30, tzinfo=ZONE).timestamp()
"""So late that no store has forgotten what is counted then."""
NOON = LATE - 12 * 3600
DAY = Day(pipeline="bar", name="2126-11-30", ends=LATE + 30)
MANY = 1_000
ROOT = Path(__file__).parents[2]
THREADS = 40
HELLO, SORRY, TIRED = reply("hello", "いらっしゃい。"), reply("sorry", "ごめんね。"), reply("tired", "もう寝るわ。")
PRICES = {"large": (1.0, 2.0)}
ANSWER = Completion(text="ええ。", finish_reason="stop", model="m", prompt_tokens=100, completion_tokens=10)
COST = 120
"""Millionths of a dollar for `ANSWER`."""
MOST = 300 + 2 * 50
"""At least what one call of the bar may cost, and less than two."""
NONE = Limits(anonymous=Limit(), user=Limit(), everyone=Limit())


class Bar:
    """A process that serves a pipeline with limits; its large model costs money. Its counters are in `store`."""

    def __init__(self, limits, *, store=None, model=None, small=None, with_reply=False, prices=PRICES, at=LATE):
        self.model = model or FakeModel(ANSWER)
        models = {"large": self.model, **({"small": small} if small else {})}
        steps = (replies_step(), generate_step("ask", *models), say_step(1))
        made = plan(*steps, replies={HELLO: ("こんばんは",), SORRY: (), TIRED: ()})
        rows = {name: ModelRow(id=name, backend="openai", settings={"max_tokens": 50}) for name in models}
        step = Step(id="limits", kind="say", when=None, span=SPAN, replies=(2,)) if with_reply else None
        self.limits = replace(NONE, **limits, step=step)
        self.plan = replace(made, limits=self.limits, models=rows)
        self.now = FakeClock(at)
        self.limiter = Allowance(
            plan=self.plan,
            limits=self.limits,
            counters=Counters(store or open_store("memory"), self.now),
            prices=prices,
            zone=ZONE,
            now=self.now,
        )
        self._service = ChatService(
            plan=self.plan,
            zone=ZONE,
            services=services(**models),
            rooms=open_store("none"),
            clock=FakeClock(),
            limiter=self.limiter,
        )

    def says(self, text="猫を飼ったよ", room="a", **more):
        return self._service.reply(ChatRequest(text=text, session_id=room, **more)).outcome


def ample():
    return Deadline.after(120.0)


def at_once(work, many=MANY):
    """What `work` returns to each of many threads, of which the first begin together."""
    first = min(THREADS, many)
    ready = threading.Barrier(first)

    def begin(number):
        if number < first:
            ready.wait()
        return work(number)

    with ThreadPoolExecutor(first) as pool:
        return list(pool.map(begin, range(many)))


def test_one_turn_that_is_left_is_taken_once(stores):
    both = [Counters(store) for store in stores]
    bounds = (Bound("E", 1), Bound("A#room", 5))
    taken = at_once(lambda number: both[number % 2].take_turn(DAY, bounds, ample()))
    assert sum(taken) == 1
    assert not both[0].take_turn(DAY, bounds, ample())
    assert both[0].take_turn(DAY, (Bound("A#room", 5),), ample())


def test_one_unit_of_money_that_is_left_is_held_once(stores):
    both = [Counters(store) for store in stores]
    bounds = (Bound("E", 10), Bound("A#room", 100))
    names = at_once(lambda number: both[number % 2].hold(DAY, bounds, 10, 600.0, ample()))
    held = [name for name in names if name is not None]
    assert len(held) == 1
    both[0].settle(DAY, bounds, held[0], 4, ample())
    assert both[1].hold(DAY, bounds, 7, 600.0, ample()) is None
    assert both[1].hold(DAY, bounds, 6, 600.0, ample()) is not None


def test_what_is_settled_while_others_hold_adds_up(stores):
    both, bounds = [Counters(store) for store in stores], (Bound("E", 60),)

    def spend(number):
        counters = both[number % 2]
        name = counters.hold(DAY, bounds, 5, 600.0, ample())
        if name is not None:
            counters.settle(DAY, bounds, name, 1, ample())
        return name is not None

    spent = sum(at_once(spend, 200))
    assert 12 <= spent <= 60
    assert both[0].hold(DAY, bounds, 60 - spent, 600.0, ample()) is not None
    assert both[1].hold(DAY, bounds, 1, 600.0, ample()) is None


def test_a_thousand_turns_with_money_for_one_ask_once_and_all_are_answered(stores):
    dear = replace(ANSWER, prompt_tokens=MOST)
    bars = [Bar({"everyone": Limit(external=MOST)}, store=store, model=FakeModel(dear)) for store in stores]
    outcomes = at_once(lambda number: bars[number % 2].says(room=f"room{number}"))
    assert sum(len(bar.model.asked) for bar in bars) == 1
    assert sorted({str(outcome.reply) for outcome in outcomes}) == ["ええ。", "ごめんね。"]
    assert sum(outcome.engine == "external" for outcome in outcomes) == 1
    refused = [outcome for outcome in outcomes if outcome.engine != "external"]
    assert {(one.reason, one.model) for outcome in refused for one in outcome.escalations} == {("budget", "large")}


def test_turns_at_once_in_one_room_do_not_pass_its_limit_before_what_they_cost_is_known(stores):
    """LiteLLM #34732: all of them read what was spent before any of them had written it down."""
    together = threading.Barrier(8)

    class Slow(FakeModel):
        def generate(self, prompt, deadline):
            # No answer comes, and nothing is settled, before all others were let in or turned away.
            together.wait(60)
            return super().generate(prompt, deadline)

    bars = [Bar({"anonymous": Limit(external=MOST)}, store=store, model=Slow(ANSWER)) for store in stores]

    def turn(number):
        outcome = bars[number % 2].says(room="one")
        if outcome.engine != "external":
            together.wait(60)
        return outcome

    outcomes = at_once(turn, 8)
    assert [outcome.engine for outcome in outcomes].count("external") == 1
    assert sum(len(bar.model.asked) for bar in bars) == 1


def test_first_turns_at_once_of_somebody_unknown_are_bounded_as_later_ones(stores):
    """LiteLLM #40095: who had no counter yet had no limit either, however much each call might cost."""
    bars = [Bar({"anonymous": Limit(external=1)}, store=store) for store in stores]
    outcomes = at_once(lambda number: bars[number % 2].says(room="new", address="192.0.2.1"), 8)
    outcomes.append(bars[0].says(room="new", address="192.0.2.1"))
    assert {(outcome.reply, outcome.escalations[0].reason) for outcome in outcomes} == {("ごめんね。", "budget")}
    assert [bar.model.asked for bar in bars] == [[], []]


def wait_for_ever(setting):
    """A turn whose model never answers."""

    def hang():
        sys.stdout.write("asked\n")
        sys.stdout.flush()
        threading.Event().wait()

    limits = {"everyone": Limit(external=MOST)}
    Bar(limits, store=open_store(setting), model=FakeModel(ANSWER, on_call=hang), at=NOON).says()


def test_what_a_killed_process_held_is_free_when_its_time_is_over(setting):
    script = f"from tests.rooms.limits import wait_for_ever; wait_for_ever({setting!r})"
    with child([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGKILL)
    store = open_store(setting)
    bar = Bar({"everyone": Limit(external=MOST)}, store=store, at=NOON)
    assert [one.reason for one in bar.says().escalations] == ["budget"]
    bar.now.advance(bar.plan.deadline + 5.1)
    assert bar.says().engine == "external"
    store.close()
