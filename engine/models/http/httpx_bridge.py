"""The HTTP client that SDKs built on httpx2 are given: it sends through the call under way, and never on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx2

from engine.models.http.transport import HttpRequest
from engine.models.http.wire import Call, current

_FRAMING = frozenset({"content-encoding", "content-length", "transfer-encoding"})


class _Bridge(httpx2.BaseTransport):
    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        call = current()
        sent = HttpRequest(
            method=request.method, url=str(request.url), headers=request.headers.multi_items(), body=request.read()
        )
        if call.streams:
            incoming = call.open(sent)
            return httpx2.Response(incoming.status, headers=_unframed(incoming.headers.items()), stream=_Events(call))
        response = call.send(sent)
        return httpx2.Response(response.status, headers=_unframed(response.headers.items()), content=response.body)


class _Events(httpx2.SyncByteStream):
    def __init__(self, call: Call) -> None:
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        return self._call.chunks()

    def close(self) -> None:
        self._call.close()


def _unframed(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers without those that tell how a body was sent, which is decoded by now."""
    return [(name, value) for name, value in headers if name not in _FRAMING]


def client() -> httpx2.Client:
    """A client without sockets, time-outs, redirects or proxies of its own."""
    return httpx2.Client(transport=_Bridge(), trust_env=False, timeout=None)
