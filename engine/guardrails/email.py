"""Finds e-mail addresses as people write them: also with `(at)` and the like, which are meant to hide one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_AT = re.compile(
    r" ?@ ?| ?[(\[](?:@|at|a|アット(?:マーク)?|あっと(?:まーく)?)[)\]] ?|アットマーク|あっとまーく|[★☆]"
    r"| at (?=[\w.-]{1,63} dot )",
    re.IGNORECASE,
)
_LOCAL = re.compile(
    r"(?:[A-Za-z0-9._%+&'*/=?^{|}~!#$-]*[A-Za-z0-9_%+-]\.{0,3}|\"[^\"\n]{1,64}\"|[ァ-ヺー一-鿿]{1,16})$"
)
"""With the dots at the end and in a row that some Japanese providers gave out, in quotes, or a name in Japanese."""
_DOT = r"(?:\.| ?[(\[](?:dot|ドット)[)\]] ?| dot |ドット)"
_DOMAIN = re.compile(
    rf"(?:[A-Za-z0-9ぁ-ヺー一-鿿](?:[A-Za-z0-9ぁ-ヺー一-鿿-]{{0,61}}[A-Za-z0-9ぁ-ヺー一-鿿])?{_DOT}){{1,6}}"
    r"[A-Za-z]{2,24}(?![A-Za-z0-9])|\[\d{1,3}(?:\.\d{1,3}){3}\]"
)
_LONGEST = 100
"""Characters before the `@` that are looked at; a mailbox has 64 at most (RFC 5321, 4.5.3.1.1)."""


def find(text: str) -> Iterator[tuple[int, int]]:
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        local = _LOCAL.search(text, max(0, at.start() - _LONGEST), at.start())
        if domain and local:
            yield local.start(), domain.end()
