"""What limits of a day do to turns: who is counted, what an empty purse leaves, and when the next day begins."""

from __future__ import annotations

import pytest

from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.errors import BadRequest, BudgetSpent, TimedOut, TurnsUsedUp
from engine.core.plan import Limit
from engine.core.turn import ChatRequest, Principal
from tests.fakes.plans import FakeModel
from tests.faults.stage import PROMPT
from tests.rooms.limits import COST, LATE, MOST, Bar, ample

USER = Principal(kind="user", id="yuki")


def test_an_empty_purse_leaves_canned_and_local_answers_and_says_why():
    bar = Bar({"anonymous": Limit(external=0)}, small=FakeModel("あら。", engine="local"))
    outcome = bar.says()
    assert (outcome.reply, outcome.engine) == ("あら。", "local")
    assert [(one.reason, one.model) for one in outcome.escalations] == [("budget", "large")]
    assert bar.model.asked == []
    assert bar.says("こんばんは").reply == "いらっしゃい。"


def test_what_an_answer_cost_is_taken_and_not_what_it_might_have():
    bar = Bar({"user": Limit(external=2 * COST + MOST)})
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


def test_a_model_without_a_price_or_a_store_that_answers_is_not_asked_where_money_is_bounded(tmp_path):
    for bar in (
        Bar({"everyone": Limit(external=10**9)}, prices={}),
        Bar({"everyone": Limit(external=10**9)}, store=open_store(f"sqlite:{tmp_path}/no/such/folder")),
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
    with pytest.raises(TurnsUsedUp):
        bar.says(room="g", address="::ffff:192.0.2.1")
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


def test_a_store_that_does_not_count_costs_no_turn(tmp_path):
    store = open_store(f"sqlite:{tmp_path}/no/such/folder")
    assert Bar({"anonymous": Limit(turns=0)}, store=store).says("こんばんは").reply == "いらっしゃい。"


def test_without_a_store_a_process_counts_for_itself():
    bar = Bar({"anonymous": Limit(turns=1)}, store=open_store("none"))
    bar.says()
    with pytest.raises(TurnsUsedUp):
        bar.says()


class NoStore:
    """Fails whoever works on it."""

    def on_items(self, _work, _seconds):
        raise AssertionError("the store was asked")


def test_limits_of_money_cost_a_canned_turn_nothing():
    assert Bar({"everyone": Limit(external=0)}, store=NoStore()).says("こんばんは").reply == "いらっしゃい。"


def test_a_user_is_told_what_is_left():
    bar = Bar({"user": Limit(turns=5, external=10_000), "everyone": Limit(external=1_000_000)})
    bar.says(principal=USER)
    bar.says(room="b", principal=Principal(kind="user", id="ken"))
    assert bar.limiter.left(USER, ample()) == {
        "user": {"turns": {"limit": 5, "left": 4}, "external": {"limit": 0.01, "left": (10_000 - COST) / 1e6}},
        "everyone": {"external": {"limit": 1.0, "left": (1_000_000 - 2 * COST) / 1e6}},
        "until": LATE + 30,
    }


def test_a_hold_is_refused_without_asking():
    bar = Bar({"everyone": Limit(external=1)})
    purse = bar.limiter.admit(ChatRequest(text="x"), "a", Deadline.after(5.0))
    bar.says()
    with pytest.raises(BudgetSpent, match="does not suffice"):
        purse.reserve("large", PROMPT, Deadline.after(5.0))
