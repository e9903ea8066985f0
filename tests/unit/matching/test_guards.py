import pytest

from engine.matching.forms import form
from engine.matching.guards import refusal


@pytest.mark.parametrize(
    ("utterance", "trigger", "reason"),
    [
        ("ログインできました", "ログインできない", "opposite polarity"),
        ("the printer is not broken", "printer is broken", "opposite polarity"),
        ("3人です", "2人です", "different number: 2 / 3"),
        ("半日休みたい", "1日休みたい", "different number: 1 / 半"),
        ("会議室Bを予約", "会議室Aを予約", "different number: a / b"),
        ("研修はいつ？", "研修はどこ？", "different question word: どこ / いつ"),
        ("how do i delete a file", "i deleted a file", "a question, where the trigger states: どう"),
        ("来週は休み？", "明日は休み？", "another time: 来週"),
        ("明日は休み？", "休み？", "another time: 明日"),
        ("友達が失恋した", "失恋した", "another person: 友達"),
        ("おばあさん元気？", "おばさん元気？", "another person: おばあさん"),
        ("「愛してる」って曲ある？", "愛してる", "quoted"),
        ("愛してるって言われた", "愛してる", "reported speech"),
        ("楽しいなんてどこが", "楽しい", "said in irony or denied"),
        ("唐揚げください", "枝豆ください", "different content: 枝 豆 / 唐 揚"),
        ("カラアゲできる？", "カラオケできる？", "different content: からおけ / からあげ"),
        ("lost my umbrella", "lost my badge", "different content: badge / umbrella"),
        ("飴配ってる", "雨降ってる", "different content: 降 雨 / 配 飴"),
        ("ウーロンハイ", "緑茶ハイ", "different content: 緑 茶 / うろんはい"),
        ("run", "i'm drunk", "different content: drunk / run"),
        ("i'm old", "i have a cold", "different content: cold / old"),
        ("where are you", "are you well", "different content: well / where"),
        ("ゴルフしよう", "girlfriendになって", "different content: girlfriend / ごるふ"),
        ("カラオケ嫌い", "カラオケできる？", "opposite polarity"),
        ("帰らないで", "帰らないと", "opposite polarity"),
        ("聞きたくない", "生きたくない", "different content: 生 / 聞"),
        ("バスある？", "バーボンソーダある？", "different content: ばぼんそだ / ばす"),
        ("abください", "アルコールビールください", "different content: あるこるびる / ab"),
    ],
)
def test_a_close_match_is_refused_for_a_reason(utterance, trigger, reason):
    assert refusal(form(utterance), form(trigger)) == reason


@pytest.mark.parametrize(
    ("utterance", "trigger"),
    [
        ("今日は疲れた", "疲れた"),
        ("有給の神聖方法", "有給の申請方法"),
        ("かぎを無くした", "鍵をなくした"),
        ("printerが動かない", "プリンターが動かない"),
        ("プリンタが動かない", "プリンターが動かない"),
        ("スマホなくした", "スマートフォンなくした"),
        ("reset my pasword", "reset my password"),
        ("「在宅勤務の申請」", "在宅勤務の申請"),
        ("席空いてない？", "席空いてる？"),
        ("たばこ吸える？", "煙草吸える？"),
        ("今って何時？", "今何時？"),
        ("where's the rest room", "where's the restroom"),
        ("printers", "printer please"),
        ("e-mail is down", "mail is down"),
        ("what have you got", "what do you have"),
        ("つまんない", "つまらない"),
        ("絵を見たい", "絵をみたい"),
        ("あぶない", "危ない"),
        ("休み？", "明日は休み？"),
        ("カラケオできる？", "カラオケできる？"),
        ("3人で予約したい", "予約したい"),
        ("予約したい", "3人で予約したい"),
        ("printerある？", "プリンタードライバーある？"),
        ("プリンタードライバーある？", "printerある？"),
    ],
)
def test_what_is_the_same_is_not_refused(utterance, trigger):
    assert refusal(form(utterance), form(trigger)) is None


@pytest.mark.parametrize(
    "text", ["帰らない", "2人です", "彼が好きだって", "「あ」って曲ある？", "どこ？", "カラオケ", "lost my badge"]
)
def test_nothing_is_refused_its_own_reply(text):
    assert refusal(form(text), form(text)) is None
