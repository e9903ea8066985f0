"""Reads numbers as people write them: all their forms as one, and what stands around one that tells what it counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_SIGNS = {
    **dict.fromkeys("−⁻₋➖─━ｰ⁃", "-"),
    **dict.fromkeys("·•‧∙⋅", "・"),
    **dict.fromkeys("〜゠〰", ""),
    "\t": " ",
}
"""Signs that stand for others, beside those of which Unicode says so; an empty one stands for itself."""
_SPOKEN = str.maketrans("〇零一壱二弐三参四五六七八九", "00112233456789")
_IN_KANJI = re.compile("[〇零一壱二弐三参四五六七八九]{2,}")
_LONG = re.compile(r"(?<=\d)[ー一](?=\d)|(?<=\d )ー(?= \d)")
"""The sign of a long vowel, or the kanji for one, which stand where people mean a hyphen."""
_FULL_STOP = re.compile("(?<=[A-Za-z0-9])。(?=[A-Za-z0-9])")
_HIDDEN = frozenset(("Mn", "Me", "Cf"))
_SPACED_OUT = re.compile(r"(?<!\d)(?!0 1 2 3)\d(?: \d){6,}(?!\d)")


class _Fold(dict[int, str]):
    """The plain form of a character by its code, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = plain = _plain(chr(code))
        return plain


def _plain(char: str) -> str:
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    if char in _SIGNS:
        return _SIGNS[char] or char
    kind = unicodedata.category(char)
    if kind in {"Pd", "Zs"}:
        return "-" if kind == "Pd" else " "
    form = unicodedata.normalize("NFKC", char)
    base = unicodedata.normalize("NFKD", char)[0]
    return base if base.isascii() and base.isalpha() and len(form) == 1 else form if len(form) == 1 else char


_FOLDED = _Fold()

_COUNTED = re.compile(
    " ?(?:円|えん|ドル|ユーロ|ウォン|元(?![気カ彼の])|個|コ(?![ァ-ヶ])|ケ(?![ァ-ヶ])|本(?![当人気物日番来社店])|杯|枚|"
    "匹|頭|羽|冊|台(?![所風])|歳|才|点|回(?!線)|人|名(?![前刺義])|年(?![末始上下])|月(?![曜末初])|日(?![曜本中程付])|時(?!々)|"
    "分(?![かけり])|秒|番地|番線|丁目|号|階|度|割|倍|件|通(?!じ)|曲|席|組|週|泊|便|票|株|戸|坪|字|文字|ページ|キロ|"
    "グラム|リットル|ミリ|センチ|メートル|ポイント|マイル|カロリー|十|百|千|万|億|兆|"
    "yen|dollars|points|people|JPY|USD|pt|km|kg|cm|mm|ml|mL|cc|%|[gm](?![A-Za-z]))"
)
_COSTS = re.compile(" ?(?:円|えん|ドル|ユーロ|ウォン|個|点|万|億|%|ポイント|マイル)")
_PRICED = re.compile(r"[¥￥$€£] ?$")
_NUMBERED = re.compile(
    "(?:(?:注文|オーダー|伝票|受注|発注|予約|受付|会員|社員|学籍|口座|追跡|合わせ|合せ|問合|商品|製造|管理|整理|登録|契約|証券|"
    "チケット|航空券|当選|くじ|抽選|機種|部品|図面|請求書|領収書|見積書?|配送|荷物|お客様|診察券|保険証|シリアル|ロット|レジ)"
    "(?:の)?(?:番号|ナンバー|コード|ID|No\\.?)|型番|品番|JAN(?:コード)?|バーコード|ISBN|シリアル|"
    "(?:order|invoice|tracking|ticket|serial|booking|reservation|part|lot|model) ?(?:number|no\\.?|id|code)?)"
    '(?:は|が|の|です|is|[ :：=#＃「『"(])*$',
    re.IGNORECASE,
)
_LOOK_BACK = 30
"""Characters before a number in which its label may stand."""


def fold(text: str) -> str:
    """`text` with one form of each digit, Latin letter, space and hyphen, at the same places."""
    folded = _IN_KANJI.sub(lambda found: found[0].translate(_SPOKEN), text.translate(_FOLDED))
    return _FULL_STOP.sub(".", _LONG.sub("-", folded))


def shown(text: str) -> Sequence[int]:
    """The places of a folded `text` that are read: not what is drawn upon a digit, such as the frame of a keycap, and
    no spaces between single digits.
    """
    spaces = {place for found in _SPACED_OUT.finditer(text) for place in range(found.start() + 1, found.end(), 2)}
    if text.isascii() and not spaces:
        return range(len(text))
    return [at for at, char in enumerate(text) if at not in spaces and unicodedata.category(char) not in _HIDDEN]


def digits_of(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def counts(text: str, start: int, end: int) -> bool:
    """Whether the number from `start` to `end` is a price, or counts something: its unit stands beside it."""
    return _COUNTED.match(text, end) is not None or _PRICED.search(text, max(0, start - 2), start) is not None


def costs(text: str, start: int, end: int) -> bool:
    """Whether it is an amount even for what looks like another number: units that no sentence begins with."""
    return _COSTS.match(text, end) is not None or _PRICED.search(text, max(0, start - 2), start) is not None


def is_labelled(text: str, start: int) -> bool:
    """Whether the number at `start` is said to be that of an order, a ticket, a member or a part."""
    return _NUMBERED.search(text, max(0, start - _LOOK_BACK), start) is not None


def passes_luhn(digits: str) -> bool:
    """The check of ISO/IEC 7812: every second digit from the right doubled, their digits add up to tens."""
    doubled = (sum(divmod(int(digit) * (1 + place % 2), 10)) for place, digit in enumerate(reversed(digits)))
    return sum(doubled) % 10 == 0
