"""Serves an application with uvicorn, in a thread of its own, from `start` to `stop`."""

from __future__ import annotations

import socket
import threading

from uvicorn import Server

from engine.api.response import Response
from engine.web.app import Hosted, make_app
from engine.web.pool import Pool
from engine.web.protocol import HEAD_LIMIT, HttpProtocol, Lane, Limits, ServerConfig

_BACKLOG = 128


class WebServer:
    """Listens on `address`, an IPv4 or IPv6 host and a port (0 takes a free one), as soon as it is made."""

    def __init__(self, address: tuple[str, int], hosted: Hosted, limits: Limits | None = None) -> None:
        """Raises `OSError` where the address cannot be had."""
        limits = limits or Limits()
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.create_server(address, family=family, backlog=_BACKLOG)
        self._pool: Pool[Response] = Pool(limits.turns, limits.waiting)
        config = ServerConfig(
            make_app(hosted, self._pool, limits.seconds),
            http=HttpProtocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            headers=[("server", "misaki")],
            timeout_keep_alive=3600,
            h11_max_incomplete_event_size=2 * HEAD_LIMIT,
        )
        config.limits, config.sent_ahead = limits, Lane(limits.ahead)
        self._server = Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._listener],), name="web", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Let nothing more in, wait at most `seconds` for what is being answered, and close every socket."""
        self._server.config.timeout_graceful_shutdown = round(seconds)
        self._server.should_exit = True
        self._thread.join()
        self._pool.close()
        self._listener.close()
