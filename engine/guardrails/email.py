"""Finds e-mail addresses as people write them: also with `(at)`, which is meant to hide one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_AT = re.compile(r"@| ?[(\[](?:at|アット(?:マーク)?|あっと)[)\]] ?", re.IGNORECASE)
_LOCAL = re.compile(r"[A-Za-z0-9._%+&'*/=?^{|}~!#$-]*[A-Za-z0-9_%+-]\.{0,3}$")
"""With the dots at the end and in a row that some Japanese providers gave out."""
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9])")
_LONGEST = 100
"""Characters before the `@` that are looked at; a mailbox has 64 at most (RFC 5321, 4.5.3.1.1)."""


def find(text: str) -> Iterator[tuple[int, int]]:
    for at in _AT.finditer(text):
        domain = _DOMAIN.match(text, at.end())
        local = _LOCAL.search(text, max(0, at.start() - _LONGEST), at.start())
        if domain and local:
            yield local.start(), domain.end()
