"""Which URLs can be asked. Apart from the transport, so that a row can be checked before any of that is loaded."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_address(text: str) -> bool:
    """Whether `text` is an http or https URL with a host, and a port that exists."""
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
