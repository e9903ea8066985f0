"""Cursors: positions in a list, signed for the list that they were given for, so that a client can only give them back.

The key is made once and kept in the store itself, so that every process that shares the store knows it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable

from engine.conversations.items import Item, Key, Lost, Put, Storage
from engine.core.errors import BadCursor

_KEY = Key("K", "cursors")
_CENTURY = 100 * 365 * 24 * 3600
_SIGNATURE = 12


class Cursors:
    """Writes and reads positions, each a name and a number; raises `BadCursor`, and `StoreFailed`."""

    def __init__(self, storage: Storage, now: Callable[[], float] = time.time) -> None:
        self._storage = storage
        self._now = now
        self._lock = threading.Lock()
        self._secret: bytes | None = None

    def write(self, scope: str, position: tuple[str, int]) -> str:
        text = json.dumps(position, ensure_ascii=False).encode()
        return _ascii(self._sign(scope, text) + text)

    def read(self, scope: str, cursor: str) -> tuple[str, int]:
        from base64 import urlsafe_b64decode
        from hmac import compare_digest

        try:
            given = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            signature, text = given[:_SIGNATURE], given[_SIGNATURE:]
            if _ascii(given) == cursor and compare_digest(signature, self._sign(scope, text)):
                name, number = json.loads(text)
                return str(name), int(number)
        except ValueError:
            pass
        raise BadCursor("the cursor is none that this list gave")

    def _sign(self, scope: str, text: bytes) -> bytes:
        from hmac import digest

        return digest(self._key(), scope.encode("utf-8", "replace") + b"\n" + text, "sha256")[:_SIGNATURE]

    def _key(self) -> bytes:
        with self._lock:
            while self._secret is None:
                found = self._storage.get([_KEY]).get(_KEY)
                if found is not None:
                    self._secret = bytes.fromhex(found.data.strip('"'))
                    break
                expires = int(self._now()) + _CENTURY
                try:
                    self._storage.write([Put(Item(key=_KEY, data=f'"{os.urandom(32).hex()}"', expires=expires), 0)])
                except Lost:
                    continue
            return self._secret


def _ascii(data: bytes) -> str:
    from base64 import urlsafe_b64encode

    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
