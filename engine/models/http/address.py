"""Which URLs can be asked. Apart from the transport, so that a row can be checked before any of that is loaded."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_STRANGE = re.compile(r"[\s\\<>\"',、。　]")
"""What stands in no address, and beside one that was copied out of a sentence or a list."""


def is_address(text: str) -> bool:
    """Whether `text` is an http or https URL with a host, and a port that exists."""
    try:
        url = urlsplit(text)
        is_host = bool(url.hostname) and url.port != 0
        return url.scheme in {"http", "https"} and is_host and not _STRANGE.search(text.strip())
    except ValueError:
        return False
