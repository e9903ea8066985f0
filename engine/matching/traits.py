"""What a text is about beyond its content words: polarity, numbers, questions, times, persons, quotation.

Knows closed classes of grammar, nothing of triggers: the guards compare what is found here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from engine.matching import grammar
from engine.matching.normalise import flatten, hiragana

_COUNTERS = "人名杯本個時分日月年階番号枚回度円歳才つ件泊席種品皿冊着足匹部室列割倍週"
_NUMBER = re.compile(
    rf"[0-9]+|[〇一二三四五六七八九十百千]+(?=[{_COUNTERS}])|(?<=第)[一二三四五六七八九十]+"
    rf"|(?<![ぁ-ん])(?:{'|'.join(w for w in grammar.NUMBER_WORDS if not w.isascii())})"
    rf"|(?<![a-z])(?:{'|'.join(w for w in grammar.NUMBER_WORDS if w.isascii())})(?![a-z])"
    r"|(?<![a-z0-9ぁ-んァ-ヺー])[b-hj-z](?![a-z0-9])|(?<=[一-鿿])[ai](?![a-z0-9])"
)
_LATIN = re.compile("[a-z]+")
_NEGATION = re.compile(
    "(?<![少危汚切])(?<!つまら)な(?:い(?=$|[^ぁ-ん]|[でかよねわのとがけしんだすなほまっじ])|かった|くて|ければ|きゃ)|ません|まへん|へん(?:$|[わでかねよ])"
    "|(?:[られ]|でき)ん(?:$|[わでかねよ])|ずに|[かがさたなばまらわえけげせてねべめれんき]ねえ$|わけ(?:が|は|じゃ)?な"
)
_NOT_NEGATION = re.compile(
    "すみません|すいません|申し訳(?:あり|ござい)ません|(?:もらえ|いただけ|頂け|くれ)(?:ません|ない)|かもしれ(?:ない|ません)"
    "|なければな(?:らない|りません)|なきゃ(?:いけない)?|ないといけない|じゃないですか|ませんか|くない\\?|じゃない\\?"
    "|ない(?:の|ん?です)?か?\\?|てたまらない|みません"
)
_QUOTED = re.compile('[「『"“](.+?)[」』"”]')
_REPORT = re.compile(
    "(?:って|(?<!っ)と|とか)(?:言|いわれ|いっ|いう|書|聞|送|返|伝|叫|噂|歌|呼|訳|鼻|手紙|かい|曲|英語|中国語|日本語|何[てと語]|なん[てと]|どう[言い])|らしい"
    "|[んな]だって$|という(?!か)|口癖|\\b(?:said|says|say|saying|told|tells|texted|wrote|asked|called)\\b"
)
_IRONY = re.compile(
    "わけ(?:が|は|じゃ)?な|わけねえ|どこが|何が.*だ|もんか$|ものか$|とでも|口が裂け|どころか|[^\\W]なんて|[くり一-鿿ァ-ヺ]なんか|で済|と言いたい|くせに"
    "|と思ったら|と言えたら|のは.*だけ"
)


def _alternatives(words: Iterable[str]) -> re.Pattern[str]:
    """Longest first; Latin words only as whole words, kana and kanji not inside the common words that contain them."""
    ordered = sorted(words, key=len, reverse=True)
    latin = "|".join(w for w in ordered if w.isascii())
    other = "|".join(_UNLIKE.get(w, w) for w in ordered if not w.isascii())
    return re.compile(f"{other}|(?<![a-z])(?:{latin})(?![a-z])")


_UNLIKE = {
    "なんで": "なんで(?!す|しょ)",
    "何で": "何で(?!す|しょ)",
    "なん": "(?<![ぁ-ん])なん(?=[のだじがに])",
    "いつ": "いつ(?!も|か(?!ら))",
    "どう": "(?<![いぶこそ])どう(?!も|ぞ|せ|ろ|い)",
    "どこ": "どこ(?!か|も)",
    "だれ": "だれ(?!か|も)",
    "誰": "誰(?!か|も)",
    "なに": "なに(?!か|も|せ)",
    "何": "何(?!か|も|とか)",
    "夫": "(?<!丈)夫",
    "友": "友(?!人|達)",
}
_CLASSES: dict[str, tuple[int, str]] = (
    {word: (0, value) for word, value in grammar.QUESTIONS.items()}
    | {word: (1, value) for word, value in grammar.TIMES.items()}
    | {word: (2, word) for word in grammar.PERSONS}
)
_CLOSED = _alternatives(_CLASSES)


def closed(text: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Question words, times and persons in a normal form, each by its class's name, sorted."""
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for word in _CLOSED.findall(text):
        kind, value = _CLASSES[word]
        found[kind].add(value)
    questions, times, persons = (tuple(sorted(values)) for values in found)
    return questions, times, persons


def numbers(folded: str) -> tuple[str, ...]:
    """Digits, numerals before a counter, and single Latin letters (as in room B), sorted."""
    found = _NUMBER.findall(folded)
    return tuple(sorted(grammar.NUMBER_WORDS.get(n, n).rstrip("つ人").translate(grammar.NUMERALS) for n in found))


def negative(folded: str) -> bool:
    """Whether the text denies, refuses or cannot: an odd count of negations that are not mere politeness."""
    rest = _NOT_NEGATION.sub("", hiragana(folded))
    english = sum(word in grammar.ENGLISH_NOT for word in _LATIN.findall(folded))
    return (len(_NEGATION.findall(rest)) + english) % 2 == 1


def signs(folded: str) -> str:
    """`q` where words stand in quotation marks inside more text, `r` for reported speech, `i` for irony or denial."""
    quoted = _QUOTED.search(folded)
    found = "q" if quoted and len(flatten(_QUOTED.sub("", folded))) > 2 else ""
    found += "r" if _REPORT.search(folded) else ""
    return found + ("i" if _IRONY.search(folded) else "")
