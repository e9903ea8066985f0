"""Japanese typed in Latin letters, as hiragana. Knows spelling, no triggers."""

from __future__ import annotations

import re

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
