"""Makes short digests of texts, the same in every process.

`hashlib` would load OpenSSL, which takes longer than all of a canned reply; this is the function that it hands out.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b


def digest(text: str, size: int = 8) -> bytes:
    """`size` bytes (1 to 64) that depend on `text` alone."""
    return blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()
