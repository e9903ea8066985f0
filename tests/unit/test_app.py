import contextlib
import itertools
from datetime import UTC, datetime

import pytest

from engine.app import App, load_app
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.errors import Unavailable
from engine.core.record import replace
from engine.core.table import Damaged
from engine.core.turn import ChatRequest, Message
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, generate_step, plan, replies_step, reply

HELLO = reply("hello", "いらっしゃい。", "あら、こんばんは。")
EVENING = plan(replies_step(), generate_step("talk", "m"), replies={HELLO: ("こんばんは",)})


def app(*, model=None, sessions="none", clock=None):
    models = {"m": model or FakeModel("まあ、猫ちゃん！")}
    return App(EVENING, models=models, rooms=open_store(sessions), clock=clock or FakeClock())


def test_a_turn_without_a_session_gets_one():
    one, two = (app().reply(ChatRequest(text="こんばんは")) for _ in range(2))
    assert one.session_id
    assert one.session_id != two.session_id


def test_a_session_remembers_what_was_said_and_never_repeats_it_at_once():
    bar = app(sessions="memory")
    said = [bar.reply(ChatRequest(text="こんばんは", session_id="s")).outcome.reply for _ in range(10)]
    assert all(first != second for first, second in itertools.pairwise(said))


def test_a_conversation_can_go_on_with_the_session_that_the_first_answer_named():
    model = FakeModel("まあ、猫ちゃん！")
    bar = app(model=model, sessions="memory")
    first = bar.reply(ChatRequest(text="猫を飼い始めたんだ"))
    bar.reply(ChatRequest(text="三毛猫でね", session_id=first.session_id))
    assert [message.text for message in model.asked[1][0].history] == ["猫を飼い始めたんだ", "まあ、猫ちゃん！"]


def test_a_session_gives_the_model_its_history():
    model = FakeModel("まあ、猫ちゃん！")
    bar = app(model=model, sessions="memory")
    bar.reply(ChatRequest(text="猫を飼い始めたんだ", session_id="s"))
    bar.reply(ChatRequest(text="三毛猫でね", session_id="s"))
    prompt, _ = model.asked[1]
    assert prompt.history == (Message("user", "猫を飼い始めたんだ"), Message("assistant", "まあ、猫ちゃん！"))


def test_a_history_that_the_client_sends_takes_the_place_of_the_stored_one():
    model = FakeModel("そう。")
    bar = app(model=model, sessions="memory")
    bar.reply(ChatRequest(text="猫を飼い始めたんだ", session_id="s"))
    sent = (Message("user", "犬の話だけど"), Message("assistant", "ええ。"))
    bar.reply(ChatRequest(text="柴犬でね", session_id="s", history=sent))
    assert model.asked[1][0].history == sent


def test_a_turn_with_rooms_of_its_own_leaves_those_of_the_app_alone():
    bar, apart = app(sessions="memory"), open_store("memory")
    bar.reply(ChatRequest(text="こんばんは", session_id="s"), rooms=apart)
    turns = [
        rooms.open(ChatRequest(text="x", session_id="s"), (), Deadline.after(5)).state.turns
        for rooms in (bar.rooms, apart)
    ]
    assert turns == [0, 1]


def test_the_earlier_deadline_counts():
    model = FakeModel("そう。")
    clock = FakeClock()
    bar = app(model=model, clock=clock)
    bar.reply(ChatRequest(text="猫でね"), Deadline.after(3.0, clock))
    bar.reply(ChatRequest(text="猫でね"), Deadline.after(30.0, clock))
    assert [remaining for _, remaining in model.asked] == [3.0, 7.5]


def test_an_unanswered_turn_is_not_remembered():
    bar = app(model=FakeModel(Unavailable("gone", backend="x")), sessions="memory")
    assert bar.reply(ChatRequest(text="猫でね", session_id="s")).outcome.reply is None
    result = bar.reply(ChatRequest(text="こんばんは", session_id="s", now=datetime(2026, 11, 20, 12, tzinfo=UTC)))
    assert result.outcome.reply_id == "hello"


class Torn:
    """An index that turns out to be damaged, after something else has happened."""

    def __init__(self, meanwhile):
        self._meanwhile = meanwhile

    def candidates(self, _text, _threshold):
        self._meanwhile()
        raise Damaged("a piece of a table is not what was written")


def test_a_damaged_plan_is_made_anew_and_the_turn_is_answered():
    torn = replace(EVENING, index=Torn(lambda: None))
    bar = App(torn, models={"m": FakeModel("x")}, rooms=open_store("none"), clock=FakeClock(), rebuild=lambda: EVENING)
    assert bar.reply(ChatRequest(text="こんばんは")).outcome.reply_id == "hello"
    assert bar.plan is EVENING


def test_damage_that_another_turn_has_mended_is_no_matter():
    torn = replace(EVENING, index=Torn(lambda: bar.renew(EVENING)))
    bar = App(torn, models={"m": FakeModel("x")}, rooms=open_store("none"), clock=FakeClock())
    assert bar.reply(ChatRequest(text="こんばんは")).outcome.reply_id == "hello"


def test_damage_without_sources_is_told():
    bar = App(replace(EVENING, index=Torn(lambda: None)), models={}, rooms=open_store("none"), clock=FakeClock())
    with pytest.raises(Damaged):
        bar.reply(ChatRequest(text="こんばんは"))


def test_health_tells_what_the_parts_of_the_start_took():
    with contextlib.closing(load_app({"MISAKI_PIPELINE": "tests/configs/good/bar/pipeline.yml"})) as loaded:
        assert set(loaded.health()["start_ms"]) == {"plan", "models_and_sessions"}


def test_health_is_degraded_while_a_circuit_is_open():
    for circuit, status in (("closed", "ok"), ("open", "degraded"), ("half_open", "degraded")):
        assert app(model=FakeModel("x", circuit=circuit)).health()["status"] == status


def test_health_tells_the_state_of_every_model():
    health = app(model=FakeModel("x", available=False)).health()
    assert health["pipeline"] == "test"
    assert health["models"]["m"]["state"] == "unavailable"


def test_a_turn_leaves_time_to_keep_its_session():
    model = FakeModel("そう。")
    clock = FakeClock()
    app(model=model, clock=clock, sessions="memory").reply(ChatRequest(text="猫でね"))
    app(model=model, clock=clock, sessions="memory").reply(ChatRequest(text="猫でね"), Deadline.after(1.0, clock))
    assert [remaining for _, remaining in model.asked] == pytest.approx([7.3, 0.9])


def test_listeners_hear_every_turn_and_one_of_a_turn_its_own():
    bar, everything, one = app(), [], []
    bar.add_listener(everything.append)
    bar.reply(ChatRequest(text="こんばんは"), listen=one.append)
    bar.reply(ChatRequest(text="こんばんは"))
    assert len(everything) == 2 * len(one)
    assert everything[: len(one)] == one
