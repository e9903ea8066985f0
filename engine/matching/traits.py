"""What a text is about beyond its content words: polarity, numbers, questions, times, persons, quotation.

Knows closed classes of grammar, nothing of triggers: the guards compare what is found here. Each alternative of the
patterns begins with a plain character, which lets `re` skip to the places where one may match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from engine.matching import grammar
from engine.matching.normalise import flatten, hiragana

_LATIN = re.compile("[a-z]+")

_QUESTION, _TIME, _PERSON = 0, 1, 2
_CLASSES: dict[str, tuple[int, str]] = (
    {word: (_QUESTION, value) for word, value in grammar.QUESTIONS.items()}
    | {word: (_TIME, value) for word, value in grammar.TIMES.items()}
    | {word: (_PERSON, word) for word in grammar.PERSONS}
)


def _by_first(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    grouped: dict[str, list[str]] = {}
    for word in sorted(words, key=len, reverse=True):
        grouped.setdefault(word[0], []).append(word)
    return {first: tuple(rows) for first, rows in grouped.items()}


_BY_FIRST = _by_first(word for word in _CLASSES if not word.isascii())


def closed(text: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Question words, times and persons in a normal form, each by its class's name, sorted."""
    found: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for word in (*_japanese(text), *_english(text)):
        kind, value = _CLASSES[word]
        found[kind].add(value)
    questions, times, persons = (tuple(sorted(values)) if values else () for values in found)
    return questions, times, persons


def _japanese(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        for word in _BY_FIRST.get(text[place], ()):
            if text.startswith(word, place) and not _another(text, place, word):
                yield word
                place += len(word)
                break
        else:
            place += 1


def _another(text: str, place: int, word: str) -> bool:
    """Whether what looks like the word is part of another one."""
    before, after = grammar.UNLIKE.get(word, ("", ()))
    return (place > 0 and text[place - 1] in before) or text.startswith(after, place + len(word))


def _english(text: str) -> Iterator[str]:
    words = _LATIN.findall(text)
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        pair = f"{word} {following}"
        if pair in _CLASSES:
            yield pair
        elif word in _CLASSES:
            yield word


_COUNTERS = "人名杯本個時分日月年階番号枚回度円歳才つ件泊席種品皿冊着足匹部室列割倍週"
_MAYBE_NUMBER = re.compile("[0-9〇一二三四五六七八九十百千半a-zひふみよ]")
_NUMBER = re.compile(
    rf"[0-9]+|[〇一二三四五六七八九十百千]+(?=[{_COUNTERS}])|(?<=第)[一二三四五六七八九十]+|半(?=[日額年月分休期])"
    rf"|(?<![ぁ-ん])(?:{'|'.join(w for w in grammar.NUMBER_WORDS if not w.isascii())})"
    rf"|(?<![a-z])(?:{'|'.join(w for w in grammar.NUMBER_WORDS if w.isascii())})(?![a-z])"
    r"|(?<![a-z0-9ぁ-んァ-ヺー])[b-hj-z](?![a-z0-9])|(?<=[^\Wa-z0-9_ぁ-ヿ])[ai](?![a-z0-9])"
)


def numbers(folded: str) -> tuple[str, ...]:
    """Digits, numerals before a counter, and single Latin letters (as in room B), sorted."""
    if not _MAYBE_NUMBER.search(folded):
        return ()
    found = _NUMBER.findall(folded)
    return tuple(sorted(grammar.NUMBER_WORDS.get(n, n).rstrip("つ人").translate(grammar.NUMERALS) for n in found))


_NEGATION = re.compile(
    "な(?<![少危汚切]な)(?:い(?=$|[^ぁ-ん]|[でかよねわのとがけしんだすなほまっじ])|かった|くて|ければ|きゃ)"
    "|ません|まへん|へん(?=$|[わでかねよ])|ん(?<=[られき]ん)(?<!さっきん)(?=$|[わでかねよ])|ずに"
    "|ねえ$(?<=[かがさたなばまらわえけげせてねべめれんき]ねえ)|わけ(?:が|は|じゃ)?な"
    "|嫌い|きらい|苦手"
)
_NOT_NEGATION = re.compile(
    "すみません|すいません|申し訳(?:あり|ござい)ません"
    "|もらえ(?:ません|ない)|いただけ(?:ません|ない)|頂け(?:ません|ない)|くれ(?:ません|ない)"
    "|かもしれ(?:ない|ません)|なければな(?:らない|りません)|なきゃ(?:いけない)?|ないといけない|じゃないですか"
    "|(?:すく|あぶ|せつ|つまら|つまん|くだら)な(?=[いかくけ])|(?<![ぁ-ん])きたな(?=[いかくけ])"
    "|ないと(?=[ねなよ]*$)|ませんか|くない\\?|じゃない\\?|ない(?:の|ん?です)?か?\\?|てたまらない|みません"
)


def negative(folded: str) -> bool:
    """Whether the text denies, refuses or cannot: an odd count of negations that are not mere politeness."""
    plain = hiragana(folded)
    count = 0
    if _NEGATION.search(plain):
        count = len(_NEGATION.findall(_NOT_NEGATION.sub("", plain)))
    return (count + sum(word in grammar.ENGLISH_NOT for word in _LATIN.findall(folded))) % 2 == 1


_QUOTED = re.compile('「.+?[」"]|『.+?』|".+?"|“.+?”')
_SAYING = (
    "(?:言|いわれ|いっ|いう|書|聞|送|返|伝|叫|噂|歌|呼|訳|鼻|手紙|かい|曲|英語|中国語|日本語"
    "|何[てと語]|なん[てと]|どう[言い])"
)
_REPORT = re.compile(
    f"って{_SAYING}|と(?<!っと){_SAYING}|とか{_SAYING}|らしい|だって$(?<=[んな]だって)|という(?!か)|口癖"
)
_IRONY = re.compile(
    "わけ(?:が|は|じゃ)?な|わけねえ|どこが|何が.*だ|もんか$|ものか$|とでも|口が裂け|どころか|なんて(?<=\\wなんて)"
    "|なんか(?<=[くり]なんか)|なんか(?<=[^\\Wぁ-ゖ]なんか)|で済|と言いたい|くせに|と思ったら|と言えたら|のは.*だけ"
)


def signs(folded: str) -> str:
    """`q` where words stand in quotation marks inside more text, `r` for reported speech, `i` for irony or denial."""
    quoted = _QUOTED.search(folded)
    found = "q" if quoted and len(flatten(_QUOTED.sub("", folded))) > 2 else ""
    told = _REPORT.search(folded) or not grammar.ENGLISH_SAYING.isdisjoint(_LATIN.findall(folded))
    found += "r" if told else ""
    return found + ("i" if _IRONY.search(folded) else "")
