"""Reading from a socket against one deadline, however slowly the bytes drip in."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TimedReader(io.RawIOBase):
    """A raw stream over `connection`; `allow` grants the seconds in which everything that follows must arrive."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._until = 0.0

    def allow(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Raises `TimeoutError` once the granted seconds are over."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client was too slow")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)
