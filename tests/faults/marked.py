"""The three providers in a process of their own, each failing as the user's words say: `python -m tests.faults.marked`.

A mark such as `〈openai=503;bedrock=silence〉` at the end of the user's text names faults of the catalogue; a provider
that it does not name answers well. The process prints the providers' URLs as JSON and ends with its standard input.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import cast

from tests.children import child
from tests.faults import behaviours, wires
from tests.faults.catalogue import FAULTS
from tests.faults.peer import Behaviour, Connection, Peer, Received
from tests.faults.wires import PROVIDERS, Provider

_MARK = re.compile("〈([^〉]*)〉")
_BY_NAME = {fault.name: fault for fault in FAULTS}


def mark(faults: Mapping[str, str]) -> str:
    return f"〈{';'.join(f'{layer}={fault}' for layer, fault in faults.items())}〉"


def marked(text: str) -> dict[str, str]:
    """The faults by layer that the last mark in `text` names; earlier ones belong to earlier turns."""
    found = _MARK.findall(text)
    pairs = (entry.partition("=") for entry in found[-1].split(";")) if found else ()
    return {layer: fault for layer, _, fault in pairs if fault}


class _Read(Connection):
    """A connection whose request was read to find out how to behave."""

    def __init__(self, connection: Connection, request: Received) -> None:
        super().__init__(connection._raw, connection._closing, [])
        self._request = request

    def read_request(self) -> Received:
        return self._request


def as_marked(provider: Provider) -> Behaviour:
    def behave(connection: Connection) -> None:
        request = connection.read_request()
        # Bodies are JSON, in which a mark may stand as escapes.
        name = marked(json.dumps(json.loads(request.body), ensure_ascii=False)).get(provider)
        answer = behaviours.respond(wires.answer(provider))
        (_BY_NAME[name].behave(provider) if name else answer)(_Read(connection, request))

    return behave


@contextmanager
def town() -> Iterator[Mapping[Provider, str]]:
    """The URLs of the providers, in another process while this lasts."""
    command = [sys.executable, "-m", "tests.faults.marked"]
    with child(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield cast("Mapping[Provider, str]", json.loads(process.stdout.readline()))


def main() -> None:
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer([as_marked(name)])) for name in PROVIDERS}
        print(json.dumps({name: peer.url for name, peer in peers.items()}), flush=True)  # noqa: T201  `town` reads it
        sys.stdin.read()


if __name__ == "__main__":
    main()
