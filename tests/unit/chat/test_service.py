from zoneinfo import ZoneInfo

from engine.chat.service import ChatService
from engine.conversations import open_store
from engine.core.errors import Unavailable
from engine.core.events import ChatResult, Escalation, ModelAnswered, ModelAsked, ModelFailed, TurnStarted
from engine.core.turn import ChatRequest
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, generate_step, plan, replies_step, reply, services

HELLO = reply("hello", "いらっしゃい。")


def test_a_listener_hears_the_turn_from_its_start_to_its_result():
    service = ChatService(
        plan=plan(replies_step(), generate_step("talk", "a", "b"), replies={HELLO: ("こんばんは",)}),
        zone=ZoneInfo("Asia/Tokyo"),
        services=services(a=FakeModel(Unavailable("gone", backend="x")), b=FakeModel("まあ、猫ちゃん！")),
        rooms=open_store("none"),
        clock=FakeClock(),
    )
    heard = []
    result = service.reply(ChatRequest(text="猫を飼い始めたんだ", session_id="s"), listen=heard.append)
    assert heard[0] == TurnStarted(session_id="s", number=1)
    assert heard[-1] is result
    assert tuple(heard[1:-1]) == result.outcome.trace
    asked = (ModelAsked, ModelFailed, Escalation, ModelAsked, ModelAnswered)
    assert tuple(type(event) for event in heard if getattr(event, "step", "") == "talk")[:-1] == asked
    assert isinstance(result, ChatResult)
    assert (result.outcome.model, result.outcome.completion.model) == ("b", "fake")
