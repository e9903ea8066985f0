"""Finds what a sentence is about, as a noun that can be said back: 上司がひどいんだ is about 上司.

A guess by the words alone: the noun that a particle marks as the topic or the subject, else the object, else another
one. Nouns that name nothing by themselves (times, numbers, こと, もの) are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.core.record import record
from engine.text.words import LATIN, Word, analyse

LONGEST = 12
"""Characters of a noun; a longer one is no noun that anybody says back."""

_NOTHING = (
    "事 物 者 所 時 為 筈 訳 方 様 風 感 感じ 気 気持ち 話 話し 件 人 奴 内 家 間 中 上 下 前 後 先 他 次 "
    "目 手 度 回 位 程 通り こと もの とこ やつ 積もり 意味 方法 場合 結果 名前 何 誰 何処 何時 幾ら 僕 俺 "
    "私 貴方 君 御前 自分 一人 二人 皆 全部 今 今日 明日 昨日 今夜 昨夜 今朝 最近 此の頃 久し振り 日 月 年 "
    "最高 最悪 本当 マジ 大丈夫 無理 駄目 一緒 少し 沢山 おかわり お代わり ほんま ほんと まじ 御願い 御蔭 所為 "
)
_EMPTY = frozenset(_NOTHING.split())
"""By their normalised form: nouns that say nothing of what a sentence is about."""

_RANKS = {"は": 4, "って": 4, "が": 4, "も": 3, "を": 3, "": 2, "に": 1, "と": 1, "で": 1, "から": 1, "まで": 0}
"""How likely a noun with this particle is what the sentence is about."""

_NO_PART = frozenset({"がてら", "すぎ", "高", "中"})
_INSULTS = re.compile("^(?:クソ|くそ|糞|バカ|馬鹿|ばか|アホ|ボケ)(?=.)")
_ONE_KANA = re.compile("[ぁ-ヿ]")
_POLITE = "接頭辞"
_NUMBER = "数詞"
_IS_TIME = "副詞可能"
_OWNED = re.compile(
    r"\b(?:my|our)\s+(?:(?:new|old|little|big|best|poor|own|favou?rite|dear|ex)\s+)*([a-z][a-z'-]+)", re.IGNORECASE
)
_ABOUT = re.compile(r"\b(?:about|called|named)\s+(?:the\s+|a\s+|an\s+)?([a-z][a-z'-]{2,})\b", re.IGNORECASE)
_NO_ENGLISH = "it that this them him her you me us what how why when where who last next god life own"
_NO_NOUN = frozenset(_NO_ENGLISH.split())


@record
class _Noun:
    """A noun phrase with the particle after it; `told` is the normalised form of its last word."""

    text: str
    told: str
    particle: str
    is_deed: bool


def topic_of(text: str) -> str | None:
    """The noun that `text` is about, as it was written; none where no noun stands out."""
    words = analyse(text)
    if all(word.tags[0] == LATIN or not word.surface.isalnum() for word in words):
        owned = _OWNED.search(text) or _ABOUT.search(text)
        return owned[1].lower() if owned and owned[1].lower() not in _NO_NOUN else None
    best: _Noun | None = None
    for noun in _nouns(words):
        if noun.told in _EMPTY or noun.is_deed or len(noun.text) > LONGEST or _ONE_KANA.fullmatch(noun.text):
            continue
        if best is None or _RANKS.get(noun.particle, 0) > _RANKS.get(best.particle, 0):
            best = noun
    return None if best is None else best.text


def _nouns(words: Sequence[Word]) -> Iterator[_Noun]:
    """Runs of nouns, with the honorific before them, in the order of the sentence."""
    run: list[Word] = []
    for place, word in enumerate((*words, None)):
        if word is not None and _belongs(word, run):
            # 最近ギターを: a time at the front is no part of the noun.
            run = [word] if len(run) == 1 and _IS_TIME in run[0].tags else [*run, word]
            continue
        counts = place > len(run) and _NUMBER in words[place - len(run) - 1].tags
        # 100点, 一等賞: what a number counts is no noun of its own.
        noun = None if counts else _noun(run, words[place:])
        if noun is not None:
            yield noun
        run = [word] if word is not None and _belongs(word, []) else []


def _belongs(word: Word, run: Sequence[Word]) -> bool:
    kind, finer = word.tags[0], word.tags[1] if len(word.tags) > 1 else ""
    if kind == _POLITE:
        return not run and word.surface in ("お", "ご", "御")
    if kind == "接尾辞" and finer == "名詞的":
        return bool(run) and word.lemma not in _NO_PART
    return kind == "名詞" and finer != _NUMBER and word.lemma not in _NO_PART


def _noun(run: Sequence[Word], rest: Sequence[Word]) -> _Noun | None:
    if not run or all(word.tags[0] == _POLITE for word in run):
        return None
    last, after = run[-1], rest[0] if rest else None
    if len(run) == 1 and _IS_TIME in last.tags:
        return None
    particle = after.surface if after is not None and after.tags[0] == "助詞" else ""
    # Half a verb (結婚する) or half an adjective (不安だ).
    is_deed = (
        after is not None
        and after.form in ("為る", "出来る", "だ", "です")
        and particle == ""
        and not {"サ変可能", "形状詞可能", "サ変形状詞可能"}.isdisjoint(last.tags)
    )
    text = _INSULTS.sub("", "".join(word.surface for word in run))
    return _Noun(text=text, told=last.form if len(run) == 1 else text, particle=particle, is_deed=is_deed)
