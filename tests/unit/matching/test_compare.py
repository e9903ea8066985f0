from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from engine.matching.compare import PAIRS, comparable, compare, score
from engine.matching.forms import form, lexicon, takes
from engine.matching.refusals import refusal


def test_a_hundred_is_kept_for_the_same_normal_form():
    assert score(form("コンバンハ！"), form("こんばんは")) == 100
    assert score(form("疲れたわ"), form("疲れた")) == 99


@pytest.mark.parametrize(
    ("query", "trigger", "expected"),
    [("", "", False), ("", "abc", False), ("abc", "abd", True), ("abc", "ab", False), ("ab", "ab", True)],
)
def test_very_short_forms_are_the_same_or_nothing(query, trigger, expected):
    assert comparable(query, trigger) is expected


@pytest.mark.parametrize("threshold", [0.0, 50.0, 79.2, 80.0, 85.714, 88.0, 90.0, 99.0, 100.0])
def test_no_ratio_below_a_cutoff_reaches_the_threshold(threshold):
    for pair in PAIRS:
        cutoff = pair.cutoff(threshold)
        if cutoff is None:
            assert pair.score(100.0) < threshold
        else:
            assert 0.0 <= cutoff <= 100.0
            assert cutoff == 0.0 or pair.score(cutoff) < threshold


@given(st.text("かきくけ帰りますないアレab ー、", max_size=12), st.text("かきくけ帰りますないアレab ー、", max_size=12))
def test_the_score_is_the_best_of_the_pairs(one, other):
    query, trigger = form(one), form(other)
    best = 0.0
    for pair in PAIRS:
        asked, stored = getattr(query, pair.name), getattr(trigger, pair.name)
        if comparable(asked, stored):
            best = max(best, min(fuzz.ratio(asked, stored) * pair.weight, pair.most))
    assert score(query, trigger) == best


WORDS = lexicon(["ママ", "mama"], [])


def refused(trigger, utterance):
    """The reason, or none where some form of the utterance is taken for the trigger."""
    found = [refusal(compare(query, form(trigger, WORDS))) for query in takes(utterance, WORDS)]
    return None if None in found else found[0]


@pytest.mark.parametrize(
    ("trigger", "utterance"),
    [
        ("ウィスキーください", "ウヰスキーください"),
        ("子供が生まれた", "子どもが生まれた"),
        ("高橋さんいる？", "髙橋さんいる？"),
        ("三人で行きたい", "3人で行きたい"),
        ("午後7時に予約したい", "19時に予約したい"),
        ("疲れた", "今日もめっちゃ疲れたわ"),
        ("疲れた", "つかれました"),
        ("いくらですか", "ここなんぼなん？"),
        ("じゃあ帰るね", "ほな帰るわ"),
        ("そうかな", "せやろか"),
        ("ビールください", "びーるくだしあ"),
        ("会議室を予約したい", "会議室を予訳したい"),
        ("パスワードを忘れた", "おはようございます。パスワードを忘れてしまって"),
        ("おすすめは？", "ねえママ、今日のおすすめは？"),
        ("経費精算の締切", "経費精算の締切はいつ？"),
        ("住所の変更", "住所を変更したいのですが"),
        ("i forgot my password", "hi, i forgot my pasword"),
        ("how late are you open", "hi there, how late are you open?"),
        ("振られた", "昨日ついに振られた"),
        ("パソコンが重い", "今朝からパソコンがやたら重い"),
        ("飲まないの？", "飲まへんの？"),
        ("印刷できません", "印刷できねえんだけんど"),
        ("寒いね", "今日は寒かねえ"),
        ("もう一回言って", "もう一度おっしゃっていただけますか"),
        ("設定を教えて", "設定をご教示いただけますと幸いです"),
        ("転職しようかな", "この水割り濃いね。転職しようかな"),
        ("予約方法", "どうやって予約する？"),
        ("深夜0時まで？", "深夜零時まで？"),
        ("19時に予約したい", "19:00に予約したい"),
        ("book the room for 3 pm", "book the room for 15:00"),
        ("i'll be half an hour late", "i'll be 30 minutes late"),
        ("my laptop freezes", "my laptop keeps freezing"),
        ("unlock my account", "would you mind unlocking my account?"),
        ("fix the projector", "would you be able to fix the projector?"),
        ("元気？", "ママは元気？"),
        ("いいよね", "いいよね？"),
        ("仕事がつらい", "もう毎日仕事がつらい"),
        ("パソコンが起動しない", "パソコンが起動しません。どうすればいいですか"),
        ("i lost my badge", "i think i lost my badge"),
    ],
)
def test_what_changes_nothing(trigger, utterance):
    assert refused(trigger, utterance) is None


@pytest.mark.parametrize(
    ("trigger", "utterance", "reason"),
    [
        ("合格した", "不合格だった", "more content: 不"),
        ("有給を取りたい", "有給を取り消したい", "more content: 消す"),
        ("ビールください", "黒ビールください", "more content: 黒"),
        ("パスワードを忘れた", "傘を忘れた", "different content: パスワード / 傘"),
        ("turn on the light", "turn off the light", "different content: on / off"),
        ("i'm happy", "i'm unhappy", "different content: happy / unhappy"),
        ("かわいい", "かわいそう", "different content: 可愛い / 可哀想"),
        ("二人で行きたい", "十人で行きたい", "different number: 2人 / 10人"),
        ("いつ帰るの？", "誰が帰るの？", "different question word: いつ / 誰"),
        ("来週の予定は？", "先週の予定は？", "another time: 来週 / 先週"),
        ("飲める", "飲めない", "opposite polarity"),
        ("結婚した", "結婚したい", "only the utterance has a wish (たい)"),
        ("振った", "振られた", "only the utterance has done to one (られる)"),
        ("食べた", "食べる", "another tense"),
        ("愛してる", "「愛してる」って言われた", "quoted"),
        ("いいの？", "いいよ", "one asks, the other tells"),
        ("それちょうだい", "それでいいや", "more content: 良い"),
        ("やめて", "やっぱりやめた", "one tells, the other bids"),
        ("邪魔", "お邪魔しました", "one says in politeness what the speaker does"),
        ("聞いてる？", "ねえママ、聞いて", "one asks, the other bids"),
        ("大丈夫です", "大丈夫ですか", "one asks, the other tells"),
        ("空いてる？", "空いてます", "one asks, the other tells"),
        ("そうだね", "そうだっけ", "one asks, the other tells"),
        ("is that it?", "that's it", "one asks, the other tells"),
        (
            "写真を撮った",
            "写真を撮ってもいい？",
            "one tells what happened, the other what may be or is meant to be done",
        ),
        ("帰っちゃった", "帰っちゃおうかな", "one tells what happened, the other what may be or is meant to be done"),
        ("奢って", "奢るよ", "one bids, the other does it"),
        ("歌って", "歌おうかな", "one bids, the other means to do it"),
        ("俺、太ったかな", "ママ、太った？", "told of another person"),
        ("僕は独身です", "ママは独身です", "told of another person"),
        ("can you help me", "can i help you", "told of another person"),
        ("上司に怒られた", "上司が怒られた", "one tells who did it, the other to whom it was done"),
        ("ちょっと酔った", "ちょっと寄った", "different content: 酔う / 寄る"),
        ("lunch time", "launch time", "different content: lunch / launch"),
        ("社員証を受け取りたい", "社員証のケースを受け取りたい", "more content: ケース"),
    ],
)
def test_what_counts(trigger, utterance, reason):
    assert refused(trigger, utterance) == reason


@pytest.mark.parametrize(
    ("trigger", "utterance"),
    [
        ("おはよう", "おはよう、昨日の資料はどこ？"),
        ("いい天気だね", "いい天気だね、どしゃ降りだけど"),
        ("お酒ください", "お皿ください"),
        ("おばさん元気？", "お母さん元気？"),
        ("my computer won't turn on", "my computer won't turn off"),
        ("i left", "my girlfriend left me"),
    ],
)
def test_what_is_another_sentence(trigger, utterance):
    assert refused(trigger, utterance)


def test_a_slip_scores_less_than_the_same_words():
    trigger = form("ビールください")
    same, slip = (compare(form(text), trigger) for text in ("ビールくださいな", "びーるくだしあ"))
    assert (same.agrees, slip.agrees, slip.slip) == (True, False, True)
    assert same.score(0.0) > slip.score(0.0) >= 80
