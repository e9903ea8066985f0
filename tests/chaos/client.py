"""Clients of a local server, a process of its own: `python -m tests.chaos.client HOST PORT CLIENTS SECONDS [RATE]`.

Each client is one connection that is kept, with one request in flight. Without a rate each asks again as soon as it has
its answer; with one, requests leave at random moments, so many a second over all clients. Prints one JSON object:
sorted milliseconds from the sending of a request to its answer, for those answered and those turned away, and how many
failed.
"""

from __future__ import annotations

import json
import random
import select
import socket
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field

BODY = '{"input": "こんばんは"}'.encode()
REQUEST = (
    b"POST /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: tests.chaos\r\nAccept: */*\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "
PATIENCE = 60.0
"""Seconds without an answer after which a client counts as lost."""


@dataclass(slots=True)
class Client:
    socket: socket.socket
    sent: float = 0.0
    received: bytes = b""

    def ask(self) -> None:
        self.sent = time.perf_counter()
        self.socket.send(REQUEST)

    def status(self) -> int:
        """Of the answer, once it is all there; 0 until then, -1 when the connection has ended."""
        data = self.socket.recv(65536)
        if not data:
            return -1
        self.received += data
        head = self.received.find(_HEAD_END)
        at = self.received[: head + 2].lower().find(_LENGTH)
        if head < 0 or at < 0:
            return 0
        length = int(self.received[at + len(_LENGTH) : self.received.index(b"\r", at + len(_LENGTH))])
        if len(self.received) < head + len(_HEAD_END) + length:
            return 0
        status = int(self.received[9:12])
        self.received = b""
        return status


@dataclass(slots=True)
class Tally:
    answered: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    errors: int = 0

    def note(self, status: int, seconds: float) -> None:
        if status == 200:
            self.answered.append(seconds * 1000)
        elif status == 503:
            self.turned_away.append(seconds * 1000)
        else:
            self.errors += 1


def load(address: tuple[str, int], clients: int, seconds: float, rate: float = 0.0, seed: int = 1) -> Tally:
    """What `clients` saw in `seconds`; answers that come later still count."""
    crowd = [Client(socket.create_connection(address, timeout=PATIENCE)) for _ in range(clients)]
    by_number = {client.socket.fileno(): client for client in crowd}
    poll = select.epoll()
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    dice, tally, free = random.Random(seed), Tally(), deque(crowd)
    end = time.perf_counter() + seconds
    due = time.perf_counter()
    while True:
        now = time.perf_counter()
        while free and now < end and due <= now:
            free.popleft().ask()
            due += dice.expovariate(rate) if rate else 0.0
            now = time.perf_counter()
        if rate and not free:
            # What cannot leave now, because every client waits for an answer, never does.
            due = max(due, now)
        if now >= end and len(free) == len(by_number):
            return tally
        if now > end + PATIENCE:
            tally.errors += len(by_number) - len(free)
            return tally
        for number, _ in poll.poll(min(0.1, max(0.0, due - now)) if rate and free else 0.1):
            client = by_number[number]
            status = client.status()
            if status:
                tally.note(status, time.perf_counter() - client.sent)
                if status < 0:
                    poll.unregister(number)
                    del by_number[number]
                else:
                    free.append(client)


def main() -> None:
    host, port, clients, seconds, *rate = sys.argv[1:]
    tally = load((host, int(port)), int(clients), float(seconds), *map(float, rate))
    json.dump(asdict(tally), sys.stdout)


if __name__ == "__main__":
    main()
