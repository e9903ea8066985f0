"""Brings Japanese text to the one form in which texts are compared. Knows Unicode, nothing of triggers or replies.

The pipeline has two parts. `fold` makes equal what Unicode and the keyboard made different and keeps punctuation,
because `forms` reads clauses, quotations and questions from it; `flatten` drops whatever is not said aloud.

Patterns that few texts need are kept as strings, which `re` compiles when the first such text comes: compiling them all
would take a tenth of a cold start.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from engine.core.language import phrase

IDEOGRAPH = "[^\\Wa-z0-9_ぁ-ヿ]"
"""A pattern for what is nearly always a kanji: a letter that is neither Latin nor kana. It says what it is not, because
`re` takes a millisecond to compile a set of 20,000 characters."""

LIMIT = 2000
"""Characters looked at; NFKC is quadratic in runs of combining marks, and no trigger is anywhere near this long."""

_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)} | {0x30FD: 0x309D, 0x30FE: 0x309E}
_TO_KATAKANA = {hira: kata for kata, hira in _KATAKANA.items()}
# The small ones are counters, and said か: 一ヶ月.
_KATAKANA |= dict.fromkeys((0x30F5, 0x30F6), ord("か"))
_MARKS = "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
_MARKS += "\u3099\u309a\ufe20-\ufe2f"
_RUN_LIMIT = 30
_MARK_RUN = f"([{_MARKS}]{{{_RUN_LIMIT}}})[{_MARKS}]+"
_JOINED = (
    "['\u2018\u2019\u02bc`]|(?<=[a-z0-9])[-\u2010-\u2015\u2212](?=[a-z0-9])"
    "|(?<=[^\\Wa-z0-9_])[~〜]+(?=[ぁ-ヺ]{1,2}(?:\\W|$))"
)
_JOINING = frozenset("'\u2018\u2019\u02bc`-\u2010\u2011\u2012\u2013\u2014\u2015\u2212~〜")

# A bracketed group is a face when it holds a sign that no sentence needs, and an aside when it is one character.
_ODD = r"(?:[^\w\s()、。,.!?:/%~$¥+&\"\'-]|[α-ωа-я])"
_FACE = rf"[\\ヽヾ٩m]?\((?:[^()]{{0,12}}{_ODD}[^()]{{0,12}}|[^\W\d_]|[;^_ ]+)\)(?:=\d|[mノ彡])?"
_UNDERSCORED = r"(?<![a-z0-9])(?:[to0ouq]_+[to0ouq]|orz)(?![a-z0-9])"
_LAUGHTER = f"(?<![a-z0-9])(?!\\Aw{IDEOGRAPH})w+(?![a-z0-9])"
"""Not so one letter that begins the text, as in W杯."""
_LAUGHED = frozenset("wｰー笑草ぁぃぅぇぉァィゥェォ")
_SILENT = re.compile(r"[\W_]+")
_SPACE = re.compile(r" (?![a-z0-9])|(?<![a-z0-9]) ")
_REPEAT = re.compile(r"([ぁ-ヿ])\1{2,}|([a-z])\2{2,}")
_ROWS = {
    "ぁ": "あかがさざただなはばぱまやゃらわ",
    "ぃ": "いきぎしじちぢにひびぴみり",
    "ぅ": "うくぐすずつづぬふぶぷむゆゅる",
    "ぇ": "えけげせぜてでねへべぺめれ",
    "ぉ": "おこごそぞとどのほぼぽもよょろを",
}
_DRAWING = frozenset("ーｰぁぃぅぇぉァィゥェォ")
_HESITATION = "(?P<hesitation>(?<![ぁ-ヿ])[うウ][ーｰぅゥ]+[んン](?![ぁ-ヿ]))|"
"""Only how long it lasts tells うーん from うん, which is a yes."""
_DRAWN = _HESITATION + (
    "|".join(
        f"(?<=[{row}{row.translate(_TO_KATAKANA)}])(?:[ーｰ]*[{vowel}{vowel.translate(_TO_KATAKANA)}])+"
        for vowel, row in _ROWS.items()
    )
    + f"|(?<={IDEOGRAPH})(?:(?:[ーｰ]*[ぁぃぅぇぉ])+|([あいうえお])\\2{{2,}})|(?<![a-z0-9])[ーｰ]+"
)


_VARIANTS = str.maketrans(
    "髙﨑邊邉齋齊斎濵濱澤廣國櫻嶋嶌眞德塚惠榮冨學會來氣樂藝驛處萬圓體聲戀醫發變壽龍瀧黑晝點靜絲燒酔醉縣龜",
    "高崎辺辺斉斉斉浜浜沢広国桜島島真徳塚恵栄富学会来気楽芸駅処万円体声恋医発変寿竜滝黒昼点静糸焼酔酔県亀",
)
"""Old and other forms of kanji, most of them in names."""


def _cap(text: str) -> str:
    if len(text) <= _RUN_LIMIT:
        return text
    text = text[:LIMIT]
    return text if text.isascii() else re.sub(_MARK_RUN, r"\1", text)


def _unicode(text: str) -> str:
    if text.isascii():
        return text.casefold()
    wide = unicodedata.normalize("NFKC", text).translate(_VARIANTS)
    folded = wide.casefold()
    return (wide if folded == wide else unicodedata.normalize("NFKC", folded))[:LIMIT]


def _joined(text: str) -> str:
    """Joins words at apostrophes and hyphens; a wave within a word draws it out, as ー does."""
    return (
        text if _JOINING.isdisjoint(text) else re.sub(_JOINED, lambda sign: "ー" if sign[0][0] in "~〜" else "", text)
    )


def _faces(text: str) -> str:
    if "(" in text:
        text = re.sub(_FACE, " ", text)
    return re.sub(_UNDERSCORED, " ", text) if "_" in text or "orz" in text else text


def _laughter(text: str) -> str:
    if "笑" in text or "草" in text:
        text = text[: _laughed(text)]
    return re.sub(_LAUGHTER, " ", text) if "w" in text else text


def _laughed(text: str) -> int:
    """Finds where nothing but 笑, or 草 after kana, is said any more; the text's length where that is nowhere."""
    said = len(text)
    while said and (text[said - 1] in _LAUGHED or not text[said - 1].isalnum()):
        said -= 1
    signs = "笑草" if "ぁ" <= text[said - 1 : said] <= "ヿ" else "笑"
    return next((place for place in range(max(said, 1), len(text)) if text[place] in signs), len(text))


def hiragana(text: str) -> str:
    """Katakana as hiragana; one character each, so places stay the same."""
    return text.translate(_KATAKANA)


def _silence(text: str) -> str:
    return _SILENT.sub(" ", text)


def undrawn(text: str) -> str:
    """Takes drawn-out sounds out, which make no other word: `ー`, and a small vowel after its own row."""
    long_vowel = "あああ" in text or "いいい" in text or "ううう" in text or "えええ" in text or "おおお" in text
    if not long_vowel and _DRAWING.isdisjoint(text):
        return text
    return re.sub(_DRAWN, lambda drawn: "うーん" if drawn["hesitation"] else "", text)


def repeated(text: str) -> str:
    """Runs of three and more are drawn out: of kana one is left, of Latin letters two."""
    return _REPEAT.sub(r"\1\2\2", text) if len(set(text)) + 1 < len(text) else text


def _spaces(text: str) -> str:
    text = text.strip()
    return _SPACE.sub("", text) if " " in text else text


FOLDING: tuple[tuple[str, Callable[[str], str]], ...] = (
    (phrase("length capped"), _cap),
    (phrase("width and case"), _unicode),
    (phrase("apostrophes and hyphens"), _joined),
    (phrase("faces"), _faces),
    (phrase("laughter"), _laughter),
)
FLATTENING: tuple[tuple[str, Callable[[str], str]], ...] = (
    (phrase("punctuation, symbols and emoji"), _silence),
    (phrase("spaces"), _spaces),
    (phrase("elongation"), undrawn),
    (phrase("katakana to hiragana"), hiragana),
    (phrase("repeats"), repeated),
)


@lru_cache(maxsize=16)
def fold(text: str) -> str:
    """The text with width, case, faces and laughter made equal, punctuation and katakana still in place.

    A turn asks four times for that of one utterance.
    """
    for _, stage in FOLDING:
        text = stage(text)
    return text


def flatten(folded: str) -> str:
    """Leaves of a folded text only what is said; may be empty."""
    for _, stage in FLATTENING:
        folded = stage(folded)
    return folded


def normalise(text: str) -> str:
    """The normal form of a text. Signs alone are kept as they are, so that a trigger of one emoji can match itself."""
    normal = flatten(fold(text))
    if normal:
        return normal
    signs = _unicode("".join(_unicode(_cap(text)).split()))
    return flatten(fold(signs)) or signs


def steps(text: str) -> tuple[tuple[str, str], ...]:
    """Each stage's name with the text after it, for showing an editor what the matcher sees."""
    shown = []
    for name, stage in FOLDING + FLATTENING:
        text = stage(text)
        shown.append((name, text))
    return tuple(shown)
