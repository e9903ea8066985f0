"""The HTTP client that SDKs built on httpx2 are given: it sends through the call under way, and never on its own."""

from __future__ import annotations

import httpx2

from engine.models.http.transport import HttpRequest
from engine.models.http.wire import current

_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class _Bridge(httpx2.BaseTransport):
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        response = current().send(
            HttpRequest(
                method=request.method,
                url=str(request.url),
                headers=request.headers.multi_items(),
                body=request.read(),
            )
        )
        headers = [(name, value) for name, value in response.headers.items() if name not in _FRAMING]
        return httpx2.Response(response.status, headers=headers, content=response.body)


def client() -> httpx2.Client:
    """A client without sockets, time-outs, redirects or proxies of its own."""
    return httpx2.Client(transport=_Bridge(), trust_env=False, timeout=None)
