"""What a word and the loanword made of it have in common: consonants, as far as Japanese keeps them apart."""

from __future__ import annotations

import re
from functools import cache, lru_cache

SHORTEST_LATIN = 4
"""Shorter Latin words are codes and initials: vpn, pc, id."""

_KANA_SOUNDS = {
    "k": "かきくけこ",
    "z": "がぎぐげござじずぜぞぢづ",
    "s": "さしすせそ",
    "t": "たちつてと",
    "d": "だでど",
    "n": "なにぬねのん",
    "m": "まみむめも",
    "h": "はひふへほ",
    "b": "ばびぶべぼ",
    "p": "ぱぴぷぺぽ",
    "r": "らりるれろ",
    "w": "わ",
}
_CONSONANT = {kana: letter for letter, row in _KANA_SOUNDS.items() for kana in row}
_GLIDE = re.compile("う(?=[ぃぇぉ])|^う(?=い)")
_LETTERS = (
    (r"gh|(?<=[aeiou])[rhw](?![aeiouy])|^k(?=n)|e$", ""),
    (r"ch", "t"),
    (r"tion|sion", "sn"),
    (r"c(?=[eiy])|th|sh", "s"),
    (r"ph", "h"),
    (r"x", "ks"),
    (r"wh", "w"),
    (r"dg", "z"),
    (r"m(?=[pb])", "n"),
)


@cache
def _letters() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compiled when the first Latin word comes, which is never in many processes."""
    return tuple((re.compile(pattern), sound) for pattern, sound in _LETTERS)


_LETTER = str.maketrans({"c": "k", "q": "k", "f": "h", "l": "r", "v": "b", "g": "z", "j": "z", "y": None})


@lru_cache(maxsize=4096)
def skeleton(word: str) -> str:
    """The consonants of a loanword in Latin letters (lower case) or hiragana, as far as Japanese keeps them apart.

    printer and ぷりんた give the same. A word that begins with a vowel keeps a sign for it. A code, or a word of a
    single consonant, would be anything, so it stays as it is.
    """
    if len(word) < (SHORTEST_LATIN if word.isascii() else 2):
        return word
    whole = word
    if word.isascii():
        for pattern, sound in _letters():
            word = pattern.sub(sound, word)
        letters = word.translate(_LETTER)
    else:
        letters = "".join(_CONSONANT.get(kana, kana) for kana in _GLIDE.sub("わ", word))
    first = "a" if letters[:1] in set("aeiouあいうえおやゆよ") else ""
    bones = first + re.sub(r"(.)\1+", r"\1", re.sub("[aeiouぁ-ゖ]", "", letters))
    return bones if len(bones) > 1 else whole


def abbreviated(word: str) -> str:
    """The first two consonants of a loanword: what printer and プリンター, リモワ and リモートワーク have in common."""
    bones = skeleton(word)
    return bones if bones == word else bones[:2]
