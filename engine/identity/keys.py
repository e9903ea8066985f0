"""Keeps an issuer's public keys, and fetches them no more often than once in ten seconds, whatever tokens come.

Keys that are known go on working while the issuer's key server is down. A key that the issuer has withdrawn is
forgotten within the hour.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from io import BufferedReader, RawIOBase
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from engine.core.deadline import Clock, Deadline
from engine.core.errors import BackendError

FETCH_SECONDS = 3.0
"""The longest that one request waits for the key server."""
PAUSE = 10.0
"""Seconds between two fetches."""
KEPT = 3600.0
"""Seconds after which keys are fetched anew."""
LEAST_BITS = 2048
"""The shortest RSA modulus that RFC 7518, section 3.3, allows."""
MOST_KEYS = 100
BODY_LIMIT = 256_000

Fetch = Callable[[Deadline], bytes]
"""The JSON Web Key Set as its server sends it; raises `BackendError`, `OSError` or `ValueError`."""


def key_server(url: str) -> Fetch:
    """Fetches the key set at `url`, without the transport of models: importing that takes longer than a first reply."""

    def fetch(deadline: Deadline) -> bytes:
        from http.client import HTTPException, HTTPResponse

        from engine.models.http.connecting import connect, lookup, wait  # noqa: PLC0415  ssl, for the first token

        parts = urlsplit(url)
        asked = f"GET {parts.path or '/'}{parts.query and '?'}{parts.query} HTTP/1.1"
        head = (
            asked,
            f"Host: {parts.netloc.rpartition('@')[2]}",
            "Accept: application/json",
            "Connection: close",
            "",
            "",
        )
        with closing(connect(parts, deadline, "the key server", lookup)) as connection:
            wait(connection, deadline, lambda: connection.sendall("\r\n".join(head).encode()))
            stream = _Stream(lambda buffer: wait(connection, deadline, lambda: connection.recv_into(buffer)))
            answer = HTTPResponse(stream)  # type: ignore[arg-type]  # of a socket it only makes a file
            try:
                answer.begin()
                body = answer.read(BODY_LIMIT + 1)
            except HTTPException:
                raise ValueError("the key server's answer is not HTTP, or was cut short") from None
            if answer.status != 200 or len(body) > BODY_LIMIT:
                raise ValueError(f"the key server answered {answer.status}, {len(body)} bytes")
            return body

    return fetch


class _Stream(RawIOBase):
    """What comes over a connection, each part waited for until the deadline at most."""

    def __init__(self, receive: Callable[[bytearray], int]) -> None:
        self._receive = receive

    def makefile(self, _mode: str) -> BufferedReader:
        return BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._receive(buffer)


class KeysUnavailable(Exception):
    """The issuer's keys were never had, and cannot be had now."""


class IssuerKeys:
    """The RSA keys of one issuer by their `kid`. Callers on many threads share one fetch."""

    def __init__(self, fetch: Fetch, clock: Clock = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, RSAPublicKey] | None = None
        self._fetched = self._tried = float("-inf")

    def find(self, kid: str, deadline: Deadline | None = None) -> RSAPublicKey | None:
        """The key called `kid`, or `None` where the issuer has none of that name; raises `KeysUnavailable`."""
        keys = self._keys
        if keys is not None and kid in keys and self._clock() - self._fetched < KEPT:
            return keys[kid]
        if not self._lock.acquire(timeout=FETCH_SECONDS if deadline is None else deadline.remaining()):
            raise KeysUnavailable
        try:
            is_due = self._keys is None or kid not in self._keys or self._clock() - self._fetched >= KEPT
            if is_due and self._clock() - self._tried >= PAUSE:
                self._renew(deadline)
            if self._keys is None:
                raise KeysUnavailable
            return self._keys.get(kid)
        finally:
            self._lock.release()

    def _renew(self, deadline: Deadline | None) -> None:
        began = self._tried = self._clock()
        limit = Deadline.after(FETCH_SECONDS, self._clock)
        try:
            keys = read_keys(self._fetch(limit if deadline is None else limit.within(deadline.remaining() / 2)))
        except (BackendError, OSError, ValueError):
            return
        if keys:
            self._keys, self._fetched = keys, began


def read_keys(body: bytes) -> Mapping[str, RSAPublicKey]:
    """The usable keys of a JSON Web Key Set: RSA for signatures with a name of their own; raises `ValueError`."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    rows = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("a key set is an object with a list of `keys`")  # noqa: TRY004  bad data, not a bad call
    return {row["kid"]: key for row in rows[:MOST_KEYS] if (key := _key(row)) is not None}


def _key(row: Any) -> RSAPublicKey | None:
    if not isinstance(row, dict) or row.get("kty") != "RSA" or not isinstance(row.get("kid"), str):
        return None
    operations = row.get("key_ops", ["verify"])
    if row.get("use", "sig") != "sig" or row.get("alg", "RS256") != "RS256" or "verify" not in operations:
        return None
    if "d" in row:  # a private key is nobody's public one
        return None
    try:
        exponent, modulus = (int.from_bytes(decoded(row[name]), "big") for name in ("e", "n"))
        key = RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return key if key.key_size >= LEAST_BITS else None


def decoded(text: str) -> bytes:
    """What `text` encodes in base64url without padding, raising `ValueError`. Bits left over must be zero, so that
    nothing has two forms (RFC 7515, 2 and appendix C).
    """
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    found = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if urlsafe_b64encode(found).rstrip(b"=").decode() != text:
        raise ValueError("it is no base64url in its only form")
    return found
