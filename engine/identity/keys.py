"""Keeps an issuer's public keys, and fetches them no more often than once in ten seconds, whatever tokens come.

Keys that are known go on working while the issuer's key server is down. A key that the issuer has withdrawn is
forgotten within the hour.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

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
"""The JSON Web Key Set as its server sends it; raises `BackendError`."""


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
        except (BackendError, ValueError):
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
