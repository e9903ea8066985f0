import pytest

from engine.core.plan import Variant
from engine.core.record import replace
from engine.core.spoken import SpokenTexts
from tests.fakes.plans import reply, template

OFFERED = Variant(text=template("今夜は梅酒をどうぞ。"), weight=1.0, offers=template("梅酒"))
REPLIES = (
    replace(reply("recommended", "ほかのものを。"), say=(OFFERED,), topic="お酒"),
    reply("again", "今夜は梅酒をどうぞ。", "またどうぞ。"),
    reply("price", "うちは{{ persona.name }}の笑顔が{{ price }}よ。"),
    reply("short", "{{ persona.name }}よ。"),
    reply("logic", "{% if lang %}あらあら、まあまあ。{% endif %}"),
)
SPOKEN = SpokenTexts.of(REPLIES)


@pytest.mark.parametrize(
    ("text", "said_by"),
    [
        ("今夜は梅酒をどうぞ。", "recommended"),
        ("またどうぞ。", "again"),
        ("うちは美砂樹の笑顔が三千円よ。", "price"),
        ("うちはの笑顔がよ。", "price"),
        ("うちは美砂樹\nの笑顔が三千円よ。", "price"),
        ("うちは美砂樹の笑顔が三千円よ。え？", None),
        ("うちは三千円よ。", None),
        ("の笑顔がうちはよ。", None),
        ("美砂樹よ。", None),
        ("あらあら、まあまあ。", None),
        ("", None),
    ],
)
def test_a_text_is_found_whole_or_by_what_a_template_says_itself(text, said_by):
    talk = SPOKEN.find(text)
    assert (talk.reply_id if talk else None) == said_by


def test_what_the_first_reply_that_says_it_declares():
    talk = SPOKEN.find("今夜は梅酒をどうぞ。")
    assert talk is not None
    assert (talk.engine, talk.offered, talk.topic) == ("canned", "梅酒", "お酒")


def test_no_replies_say_nothing():
    assert SpokenTexts.of(()).find("こんばんは。") is None
