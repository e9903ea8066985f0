"""The listening socket: one thread a connection, and no more connections than the limits say."""

from __future__ import annotations

import socket
import threading
from http.server import ThreadingHTTPServer
from typing import Any

from engine.cli.local.connection import Connection, Limits
from engine.cli.local.front import Front


class LocalServer(ThreadingHTTPServer):
    """Listens on `address`, an IPv4 or IPv6 host and a port (0 takes a free one), as soon as it is made."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], front: Front, limits: Limits | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.front = front
        self.limits = limits or Limits()
        self._room = threading.BoundedSemaphore(self.limits.connections)
        super().__init__(address, Connection)

    @property
    def url(self) -> str:
        host, port = str(self.server_address[0]), self.server_address[1]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away in the middle is no news, and the handler itself never raises."""
