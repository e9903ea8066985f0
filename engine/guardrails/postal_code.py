"""Finds Japanese postal codes: by their sign or name, and alone where nothing says that the number is another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.guardrails.numbers import counts, is_labelled

_NAMED = re.compile(
    r"(?:〒|郵便番号|ゆうびん番号|(?:zip|postal|post) ?codes?)(?:は|が|も|の|is|[ :：=「(])*"
    r"(\d{3}[- ・._:|~〜,、]{0,3}\d{4})(?!\d)",
    re.IGNORECASE,
)
_ALONE = re.compile(r"(?<![\dA-Za-z.,/+:-])(?<!\d )(?<!\) )\d{3} ?-{1,2} ?\d{4}(?![\dA-Za-z/:-]|[.,]\d| \d{3,4}(?!\d))")
_ELSEWHERE = re.compile(
    "(?:番号|ナンバー|コード|ID|No\\.?|号|スコア|得点|対|第|内線|線|機|便|[A-Za-zァ-ヴー])"
    "(?:は|が|の|です|[ :：=#＃「(])*$",
    re.IGNORECASE,
)
"""What a number of another sort is called, or a product by its name."""
_RECKONED = ("=", " =", "を計算", "の計算", "を引", "の答え")


def find(text: str) -> Iterator[tuple[int, int]]:
    for found in _NAMED.finditer(text):
        yield found.span(1)
    for found in _ALONE.finditer(text):
        start, end = found.span()
        is_other = _ELSEWHERE.search(text, max(0, start - 8), start) is not None
        if not (is_other or counts(text, start, end) or is_labelled(text, start) or _is_sum(text, found)):
            yield start, end


def _is_sum(text: str, found: re.Match[str]) -> bool:
    """Whether it is reckoned with: from so much to so much, in round numbers, or a difference."""
    low, high = (int(part) for part in re.findall(r"\d+", found[0]))
    is_round = low % 50 == 0 and high % 100 == 0 and low < high
    return text.startswith(_RECKONED if not is_round else (*_RECKONED, "くらい", "ぐらい", "の間"), found.end())
