"""Certificates of our own, trusted as the system's are."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest
import trustme

from engine.models.http import connecting


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch) -> Iterator[trustme.CA]:
    """An authority of our own in the place where OpenSSL looks for the system's."""
    authority = trustme.CA()
    with authority.cert_pem.tempfile() as path:
        monkeypatch.setenv("SSL_CERT_FILE", path)
        connecting.trust.cache_clear()
        yield authority
    connecting.trust.cache_clear()


@pytest.fixture
def secure(authority: trustme.CA) -> ssl.SSLContext:
    """For a peer on 127.0.0.1 that is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context
