"""How a text sounds, in hiragana: kanji by a small table, Latin letters where they are typed Japanese.

Good enough to hear that two spellings are one word; it knows nothing of triggers, and it is often wrong about names.
"""

from __future__ import annotations

import re
from functools import lru_cache

from engine.matching.kanji_readings import KANJI, WORDS
from engine.matching.normalise import IDEOGRAPH

_LINES = f"\n{KANJI}"
_WORDS = dict(entry.split("=") for entry in WORDS.split())
_LONGEST = max(map(len, _WORDS))


_NUMERALS = str.maketrans("0123456789", "〇一二三四五六七八九")
_READABLE = re.compile(f"([おご]?{IDEOGRAPH}+)(?=(.?))|[a-z]+")


def heard(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A folded text with its kanji and its romaji as hiragana, and each run of kanji with its reading."""
    spelled: list[tuple[str, str]] = []

    def read(match: re.Match[str]) -> str:
        if match[1] is None:
            return read_latin(match[0])
        spelled.append((match[1], read_kanji(match[1], match[2])))
        return spelled[-1][1]

    return _READABLE.sub(read, text.translate(_NUMERALS)), tuple(spelled)


def read_kanji(run: str, following: str) -> str:
    """A run of kanji as it is most likely read; `following` is the next kana (okurigana) or nothing."""
    heard: list[str] = []
    place = 0
    text = run + following
    while place < len(run):
        for end in range(min(place + _LONGEST, len(text)), place + 1, -1):
            word = _WORDS.get(text[place:end])
            if word is not None:
                heard.append(word)
                place = end
                break
        else:
            last = place == len(run) - 1
            heard.append(_one(run[place], following if last else "", alone=len(run) == 1))
            place += 1
    return "".join(heard)


@lru_cache(maxsize=4096)
def _fields(kanji: str) -> list[str]:
    """The kanji's line of the table: a text is searched at once, where a mapping would first have to be made."""
    place = _LINES.find(f"\n{kanji}")
    return [kanji] if place < 0 else _LINES[place + 2 : _LINES.index("\n", place + 1)].split()


def _one(kanji: str, following: str, *, alone: bool) -> str:
    fields = _fields(kanji)
    if following:
        for field in fields[1:]:
            reading, _, kana = field.partition(":")
            if following in kana:
                return reading
    if alone and len(fields) > 1 and fields[1][0] == ".":
        return fields[1][1:]
    return fields[0]


_ROWS = {
    "": "あいうえお",
    "k": "かきくけこ",
    "g": "がぎぐげご",
    "s": "さしすせそ",
    "z": "ざじずぜぞ",
    "t": "たちつてと",
    "d": "だぢづでど",
    "n": "なにぬねの",
    "h": "はひふへほ",
    "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
    "m": "まみむめも",
    "r": "らりるれろ",
}
_GLIDES = {"ya": "や", "yu": "ゆ", "yo": "よ", "yi": "い", "ye": "いえ", "wa": "わ", "wi": "うぃ"}
_GLIDES |= {"wu": "う", "we": "うぇ", "wo": "を"}
_PALATAL = {"sh": "し", "ch": "ち", "j": "じ", "f": "ふ", "ts": "つ"}


def _syllables() -> dict[str, str]:
    table = {c + v: kana for c, row in _ROWS.items() for v, kana in zip("aiueo", row, strict=True)} | _GLIDES
    for consonant, row in _ROWS.items():
        if consonant:
            table |= {f"{consonant}y{v}": row[1] + small for v, small in zip("auo", "ゃゅょ", strict=True)}
    for consonant, kana in _PALATAL.items():
        smalls = "ぁぃぅぇぉ" if kana in "ふつ" else "ゃぃゅぇょ"
        table |= {consonant + v: kana + small for v, small in zip("aiueo", smalls, strict=True)}
        table[consonant + ("u" if kana in "ふつ" else "i")] = kana
    return table | {"n": "ん"}


_SYLLABLES = _syllables()
_ROMAJI = re.compile(
    "(?:(?:[kgsztdnhbpmrfwj]|[kgnhbpmr]y|y|sh|ch|ts|kk|ss|tt|pp|ssh|tch|cch|kky|ppy)?[aiueo]|n(?![aiueoy]))+"
)
SHORTEST = 4
"""Shorter Latin words are codes and English (ai, vpn, hi) far more often than typed Japanese."""


def read_latin(word: str) -> str:
    """A Latin word (lower case) as hiragana where it is typed Japanese, else as it is."""
    if len(word) < SHORTEST or not _ROMAJI.fullmatch(word):
        return word
    heard: list[str] = []
    place = 0
    while place < len(word):
        for size in (3, 2, 1):
            kana = _SYLLABLES.get(word[place : place + size])
            if kana is not None:
                heard.append(kana)
                place += size
                break
        else:
            place += 1
    return "".join(heard)
