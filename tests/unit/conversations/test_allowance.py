"""What limits of a day do to turns: who is counted, what an empty purse leaves, and when the next day begins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.chat.service import ChatService
from engine.conversations import open_store
from engine.conversations.allowance import Allowance
from engine.conversations.counters import Counters
from engine.core.deadline import Deadline
from engine.core.errors import BadRequest, BudgetSpent, TimedOut, TurnsUsedUp
from engine.core.plan import Limit, Limits, ModelRow, Step
from engine.core.principal import Principal
from engine.core.record import replace
from engine.core.turn import ChatRequest, Completion
from tests.fakes.clock import FakeClock
from tests.fakes.plans import SPAN, FakeModel, generate_step, plan, replies_step, reply, say_step, services
from tests.faults.stage import PROMPT

ZONE = ZoneInfo("Asia/Tokyo")
LATE = datetime(2026, 11, 30, 23, 59, 30, tzinfo=ZONE).timestamp()
HELLO, SORRY, TIRED = reply("hello", "いらっしゃい。"), reply("sorry", "ごめんね。"), reply("tired", "もう寝るわ。")
PRICES = {"large": (1.0, 2.0)}
ANSWER = Completion(text="ええ。", finish_reason="stop", model="m", prompt_tokens=100, completion_tokens=10)
COST = 120
"""Millionths of a dollar for `ANSWER`."""
USER = Principal(kind="user", id="yuki")


class Bar:
    """A service with limits; its large model costs money."""

    def __init__(self, limits, *, store="memory", model=None, small=None, with_reply=False, prices=PRICES):
        self.model = model or FakeModel(ANSWER)
        models = {"large": self.model, **({"small": small} if small else {})}
        steps = (replies_step(), generate_step("ask", *models), say_step(1))
        made = plan(*steps, replies={HELLO: ("こんばんは",), SORRY: (), TIRED: ()})
        rows = {name: ModelRow(id=name, backend="openai", settings={"max_tokens": 50}) for name in models}
        step = Step(id="limits", kind="say", when=None, span=SPAN, replies=(2,)) if with_reply else None
        self.limits = replace(NONE, **limits, step=step)
        self.plan = replace(made, limits=self.limits, models=rows)
        self.now = FakeClock(LATE)
        self.rooms = open_store(store)
        counters = Counters(self.rooms, self.now)
        limiter = Allowance(
            plan=self.plan, limits=self.limits, counters=counters, prices=prices, zone=ZONE, now=self.now
        )
        self._service = ChatService(
            plan=self.plan,
            zone=ZONE,
            services=services(**models),
            rooms=self.rooms,
            clock=FakeClock(),
            limiter=limiter,
        )

    def says(self, text="猫を飼ったよ", room="a", **more):
        return self._service.reply(ChatRequest(text=text, session_id=room, **more)).outcome


NONE = Limits(anonymous=Limit(), user=Limit(), everyone=Limit())


def test_an_empty_purse_leaves_canned_and_local_answers_and_says_why():
    bar = Bar({"anonymous": Limit(external=0)}, small=FakeModel("あら。", engine="local"))
    outcome = bar.says()
    assert (outcome.reply, outcome.engine) == ("あら。", "local")
    assert [(one.reason, one.model) for one in outcome.escalations] == [("budget", "large")]
    assert bar.model.asked == []
    assert bar.says("こんばんは").reply == "いらっしゃい。"


def test_what_an_answer_cost_is_taken_and_not_what_it_might_have():
    most = 300 + 2 * 50
    bar = Bar({"user": Limit(external=2 * COST + most)})
    engines = [bar.says(room=f"room{number}", principal=USER).engine for number in range(6)]
    asked = engines.count("external")
    assert engines == ["external"] * asked + ["fallback"] * (6 - asked)
    assert 2 <= asked <= 5


@pytest.mark.parametrize(
    ("error", "is_taken"),
    [(TimedOut("late", backend="x"), True), (BadRequest("no", backend="x"), False)],
)
def test_a_call_that_may_have_been_paid_for_is_taken(error, is_taken):
    bar = Bar({"everyone": Limit(external=600)}, model=FakeModel(error))
    reasons = [bar.says(room=f"room{number}").escalations[0].reason for number in range(8)]
    assert ("budget" in reasons) is is_taken


def test_a_model_without_a_price_or_a_store_is_not_asked_where_money_is_bounded():
    for bar in (
        Bar({"everyone": Limit(external=10**9)}, prices={}),
        Bar({"everyone": Limit(external=10**9)}, store="none"),
    ):
        outcome = bar.says()
        assert (outcome.reply, outcome.escalations[0].reason) == ("ごめんね。", "budget")
        assert bar.model.asked == []
    assert Bar({"everyone": Limit(turns=5)}, prices={}).says().engine == "external"


def test_turns_are_counted_by_room_and_by_address():
    bar = Bar({"anonymous": Limit(turns=2)})
    bar.says(room="a", address="192.0.2.1")
    bar.says(room="b", address="192.0.2.1")
    with pytest.raises(TurnsUsedUp):
        bar.says(room="c", address="192.0.2.1")
    bar.says(room="a", address="192.0.2.2")
    with pytest.raises(TurnsUsedUp):
        bar.says(room="a", address="192.0.2.3")
    bar.says(room="d", address="2001:db8::1")
    bar.says(room="e", address="2001:db8::2")
    with pytest.raises(TurnsUsedUp):
        bar.says(room="f", address="2001:db8::3")
    assert bar.says(room="a", principal=USER).reply


def test_users_are_counted_by_who_they_are():
    bar = Bar({"user": Limit(turns=1)})
    bar.says(room="a", principal=USER)
    with pytest.raises(TurnsUsedUp):
        bar.says(room="b", principal=USER)
    assert bar.says(room="a", principal=Principal(kind="user", id="ken")).reply
    assert bar.says(room="a").reply


def test_the_next_day_begins_at_midnight_of_the_pipeline():
    bar = Bar({"anonymous": Limit(turns=1)})
    bar.says()
    with pytest.raises(TurnsUsedUp) as caught:
        bar.says()
    assert caught.value.retry_after == 30
    bar.now.advance(31)
    assert bar.says().reply


def test_the_declared_reply_is_said_when_the_turns_are_used_up():
    bar = Bar({"anonymous": Limit(turns=1)}, with_reply=True)
    bar.says()
    outcome = bar.says()
    assert (outcome.reply, outcome.reply_id, outcome.step) == ("もう寝るわ。", "tired", "limits")
    assert [one.reason for one in outcome.escalations] == ["turns"]
    assert len(bar.model.asked) == 1


def test_a_store_that_does_not_count_costs_no_turn():
    assert Bar({"anonymous": Limit(turns=0)}, store="none").says("こんばんは").reply == "いらっしゃい。"


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_thousand_turns_with_money_for_one_ask_once_and_all_are_answered(store, tmp_path):
    store = store if store == "memory" else f"sqlite:{tmp_path}/rooms.db"
    most = 300 + 2 * 50
    bar = Bar({"everyone": Limit(external=most)}, store=store, model=FakeModel(replace(ANSWER, prompt_tokens=most)))
    with ThreadPoolExecutor(40) as pool:
        outcomes = list(pool.map(lambda number: bar.says(room=f"room{number}"), range(1_000)))
    assert len(bar.model.asked) == 1
    assert sorted({str(outcome.reply) for outcome in outcomes}) == ["ええ。", "ごめんね。"]
    assert sum(outcome.engine == "external" for outcome in outcomes) == 1
    bar.rooms.close()


def test_a_hold_is_refused_without_asking():
    bar = Bar({"everyone": Limit(external=1)})
    purse = bar._service.limiter.admit(ChatRequest(text="x"), "a", Deadline.after(5.0))
    bar.says()
    with pytest.raises(BudgetSpent, match="does not suffice"):
        purse.reserve("large", PROMPT, Deadline.after(5.0))
