from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.chat.service import ChatService
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.errors import Cancelled, TimedOut, Unavailable
from engine.core.events import ChatResult, Escalation, ModelAnswered, ModelAsked, ModelFailed, Sentence, TurnStarted
from engine.core.plan import Memory
from engine.core.record import replace
from engine.core.turn import ChatRequest, Principal, Visitor
from tests.fakes.clock import FakeClock
from tests.fakes.plans import FakeModel, StreamingModel, generate_step, plan, replies_step, reply, services, template

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
    *decided, said = heard[1:-1]
    assert tuple(decided) == result.outcome.trace
    assert said == Sentence(index=0, text="まあ、猫ちゃん！")
    asked = (ModelAsked, ModelFailed, Escalation, ModelAsked, ModelAnswered)
    assert tuple(type(event) for event in heard if getattr(event, "step", "") == "talk")[:-1] == asked
    assert isinstance(result, ChatResult)
    assert (result.outcome.model, result.outcome.completion.model) == ("b", "fake")


CALL_ME = replace(
    reply("call_me", "{{ memory.name }}さんね。"),
    captures=("(?P<name>\\S+)って呼んで",),
    remember=(("name", template("{{ captured.name }}")),),
)
BOTTLE = replace(reply("bottle", "お預かりするわ。"), remember=(("bottle", template("麦焼酎")),))
FORGET = replace(reply("forget", "{{ memory.name }}さん、忘れたわ。"), forget=("name",))
BACK = reply("back", "{{ memory.name }}さん、{{ visitor.days_away | int }}日ぶり。", when="visitor.days_away > 14")
ASKED = reply("asked", "名前は「{{ memory.name }}」、ボトルは「{{ memory.bottle }}」ね。")
REGULARS = replace(
    plan(
        replies_step(),
        replies={
            CALL_ME: ("ケンって呼んで",),
            BOTTLE: ("ボトル入れて",),
            FORGET: ("名前は忘れて",),
            BACK: ("こんばんは",),
            ASKED: ("覚えてる？",),
        },
    ),
    memory={
        "name": Memory(label="呼び名", characters=10),
        "bottle": Memory(label="ボトル", characters=40, forget_after=90 * 24 * 3600.0),
    },
)
EVENING = datetime(2026, 9, 1, 11, 0, tzinfo=UTC)


class Regular:
    """Somebody who comes again and again."""

    def __init__(self, principal=None):
        zone = ZoneInfo("Asia/Tokyo")
        self.rooms = open_store("memory")
        self._service = ChatService(plan=REGULARS, zone=zone, services=services(), rooms=self.rooms, clock=FakeClock())
        self._more = {"session_id": "evening"} if principal is None else {"principal": principal}
        self.heard = []

    def says(self, text, days=0.0):
        request = ChatRequest(text=text, now=EVENING + timedelta(days=days), **self._more)
        return self._service.reply(request, listen=self.heard.append).outcome

    @property
    def visitor(self):
        return [event.visitor for event in self.heard if isinstance(event, TurnStarted)][-1]


def test_what_a_reply_remembers_is_known_in_the_next_turn():
    guest = Regular()
    first = guest.says("ケンって呼んで")
    assert (first.reply, first.remembered) == ("ケンさんね。", {"name": "ケン"})
    assert guest.says("覚えてる？").reply == "名前は「ケン」、ボトルは「」ね。"
    assert guest.says("名前は忘れて").reply == "ケンさん、忘れたわ。"
    assert guest.says("覚えてる？").reply == "名前は「」、ボトルは「」ね。"


def test_a_user_is_known_in_every_room():
    guest = Regular(Principal(kind="user", id="ken", name="健太"))
    guest.says("ケンって呼んで")
    assert guest.says("覚えてる？").reply == "名前は「ケン」、ボトルは「」ね。"
    assert guest.visitor == Visitor(memory={"name": "ケン"}, signed_in=True, name="健太")


def test_visits_begin_after_six_hours_away():
    guest = Regular()
    guest.says("ケンって呼んで")
    guest.says("覚えてる？", days=0.2)
    assert (guest.visitor.visits, guest.visitor.days_away) == (1, None)
    assert guest.says("こんばんは", days=21.2).reply == "ケンさん、21日ぶり。"
    assert (guest.visitor.visits, round(guest.visitor.days_away, 3)) == (2, 21.0)


def test_what_has_its_time_is_forgotten_when_that_is_over_and_goes_from_the_store():
    guest = Regular(Principal(kind="user", id="ken"))
    guest.says("ボトル入れて")
    assert guest.says("覚えてる？", days=89.9).reply == "名前は「」、ボトルは「麦焼酎」ね。"
    assert guest.says("覚えてる？", days=90.1).reply == "名前は「」、ボトルは「」ね。"
    kept = guest.rooms.on_rooms(lambda rooms: rooms.memory(Principal(kind="user", id="ken")), 1.0)
    assert kept == {}


def streamed(model, gone=None, store="memory"):
    """What a listener of a streamed turn hears, its result, and the rooms."""
    rooms = open_store(store)
    service = ChatService(
        plan=replace(plan(generate_step("talk", "m")), closing="またね。"),
        zone=ZoneInfo("Asia/Tokyo"),
        services=services(m=model),
        rooms=rooms,
        clock=FakeClock(),
    )
    heard = []
    request = ChatRequest(text="猫", session_id="s", turn_key="k", streamed=True)
    try:
        result = service.reply(request, Deadline.after(5, gone=gone), listen=heard.append)
    except Cancelled:
        result = None
    again = service.reply(replace(request, streamed=False), listen=heard.append)
    return [(one.index, one.text) for one in heard if isinstance(one, Sentence)], result, again


def test_what_is_stored_is_what_was_said():
    model = StreamingModel("まあ。", "猫ちゃん。", Unavailable("gone", backend="b"))
    said, result, again = streamed(model)
    assert said[:3] == [(0, "まあ。"), (1, "猫ちゃん。"), (2, "またね。")]
    assert result.outcome.reply == "まあ。猫ちゃん。またね。"
    assert (again.outcome.reply, again.replayed) == (result.outcome.reply, True)
    assert again.outcome.completion.finish_reason == "interrupted"
    assert said[3:] == said[:3]


def test_a_guest_who_left_in_the_middle_finds_what_was_said():
    gone = threading.Event()
    said, result, again = streamed(StreamingModel("まあ。", gone.set, Cancelled("gone", backend="b")), gone)
    assert said[0] == (0, "まあ。")
    assert (result.outcome.reply, result.stored, again.replayed, again.outcome.reply) == (
        "まあ。",
        True,
        True,
        "まあ。",
    )


def test_a_guest_who_left_before_anything_was_said_may_ask_again():
    gone = threading.Event()
    said, result, again = streamed(StreamingModel(gone.set, Cancelled("gone", backend="b"), "まあ。"), gone)
    assert result is None
    assert (again.replayed, again.outcome.reply) == (False, "まあ。")
    assert said == [(0, "まあ。")]


def test_a_guest_who_leaves_has_left_whatever_a_model_says_of_it():
    gone = threading.Event()
    too_late = TimedOut("too little time is left", backend="b", called=False)
    said, result, again = streamed(StreamingModel(gone.set, too_late, "まあ。"), gone)
    assert result is None
    assert (again.replayed, again.outcome.reply) == (False, "まあ。")
    assert said == [(0, "まあ。")]
