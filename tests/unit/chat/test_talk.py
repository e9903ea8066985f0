import pytest

from engine.chat.step_runner import names_of
from engine.chat.talk import next_talk
from engine.core.events import Outcome
from engine.core.plan import Variant
from engine.core.record import replace
from engine.core.turn import Message, Talk
from engine.expressions.evaluate import evaluate
from engine.templates import TemplateRenderer
from tests.fakes.plans import condition, plan, replies_step, reply, template, turn

RECOMMENDED = replace(
    reply("recommended", "今夜は梅酒をどうぞ。"),
    say=(Variant(text=template("今夜は梅酒をどうぞ。"), weight=1.0, offers=template("梅酒")),),
)
PRICE = replace(reply("price", "うちは{{ persona.name }}の笑顔が三千円よ。"), topic="お代")
PLAN = plan(replies_step(), replies={RECOMMENDED: ("おすすめは？",), PRICE: ("いくら？",)})


def says(*texts):
    roles = ("user", "assistant") * len(texts)
    return tuple(Message(role, text) for role, text in zip(roles, texts, strict=False))


def value(source, **more):
    return evaluate(condition(source), names_of(PLAN, turn("それって高いの？", **more)))


def test_the_session_tells_what_was_said_and_offered_last():
    known = {
        "history": says("おすすめは？", "今夜は梅酒をどうぞ。"),
        "talk": Talk(reply_id="recommended", engine="canned", offered="梅酒", on_offer="梅酒"),
    }
    assert value("last.reply_id", **known) == "recommended"
    assert value("last.engine", **known) == "canned"
    assert value("last.text", **known) == "今夜は梅酒をどうぞ。"
    assert value("last.user", **known) == "おすすめは？"
    assert value("last.offered", **known) == "梅酒"
    assert value("session.offered", **known) == "梅酒"


def test_at_the_beginning_there_is_nothing_before():
    assert [value(f"last.{name}") for name in ("reply_id", "engine", "text", "user", "offered")] == [None] * 5
    assert value("topic") is None


def test_a_history_that_the_client_sends_is_looked_up_among_the_replies():
    history = says("おすすめは？", "今夜は梅酒をどうぞ。")
    assert value("last.reply_id", history=history) == "recommended"
    assert value("last.offered", history=history) == "梅酒"


def test_words_of_a_template_are_known_by_what_it_says_itself():
    history = says("おすすめは？", "今夜は梅酒をどうぞ。", "いくら？", "うちは美砂樹の笑顔が三千円よ。")
    assert value("last.reply_id", history=history) == "price"
    assert (value("last.offered", history=history), value("session.offered", history=history)) == (None, "梅酒")
    assert value("topic", history=history) == "お代"


def test_what_was_said_in_a_conversation_stays_known():
    assert value("session.said") == ""
    assert value("session.said", said={"price": (0, 0), "recommended": (0,)}) == "price recommended"


def test_what_was_said_in_a_history_that_the_client_sends_is_looked_up_with_the_newest_at_the_end():
    price = "うちは美砂樹の笑顔が三千円よ。"
    history = says("いくら？", price, "おすすめは？", "今夜は梅酒をどうぞ。", "やあ", "まあ！", "いくら？", price)
    assert value("session.said", history=history) == "recommended price"
    assert value("matches(session.said, 'recommended( \\\\S+){0,1}$')", history=history) is True


def test_what_a_model_said_is_no_reply_of_ours():
    assert value("last.reply_id", history=says("やあ", "まあ、猫ちゃん！")) is None


def test_the_topic_is_the_newest_noun_of_the_user():
    history = says("上司がひどいんだ", "あらまあ。", "うん", "それで？")
    assert value("topic", history=history) == "上司"
    assert value("topic", history=says("上司がひどいんだ", "あらまあ。", "猫を飼い始めた", "いいわね。")) == "猫"


def test_what_a_reply_says_the_talk_is_about_goes_before_older_nouns_and_behind_newer_ones():
    talk = Talk(topic="お代", topic_turn=1)
    assert value("topic", history=says("上司の給料いくら？", "x"), number=2, talk=talk) == "お代"
    assert value("topic", history=says("いくら？", "x", "猫を飼い始めた", "y"), number=3, talk=talk) == "猫"
    assert value("topic", history=says("いくら？", "x", "うん", "y"), number=3, talk=talk) == "お代"


def test_a_template_sees_them_too():
    names = names_of(PLAN, turn("じゃあそれで", talk=Talk(offered="梅酒", topic="お代", topic_turn=0)))
    said = TemplateRenderer().render(template("{{ last.offered }}ね。{{ topic }}は内緒。{{ words.topic }}"), names)
    assert said == "梅酒ね。お代は内緒。None"


def test_what_was_offered_stays_on_offer_until_something_else_is():
    first = next_talk(turn("おすすめは？", number=1), Outcome(reply="x", reply_id="a", engine="canned", offers="梅酒"))
    second = next_talk(turn("うん", number=2, talk=first), Outcome(reply="y", engine="local"))
    assert (first.offered, first.on_offer) == ("梅酒", "梅酒")
    assert (second.reply_id, second.engine, second.offered, second.on_offer) == (None, "local", None, "梅酒")


@pytest.mark.parametrize(("topic", "kept"), [("お代", ("お代", 4)), (None, ("席", 2))])
def test_the_topic_of_a_reply_is_kept_with_its_turn(topic, kept):
    before = Talk(topic="席", topic_turn=2)
    after = next_talk(turn("いくら？", number=4, talk=before), Outcome(reply="x", topic=topic))
    assert (after.topic, after.topic_turn) == kept
