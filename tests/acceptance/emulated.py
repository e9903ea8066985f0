"""The function in AWS's own Runtime Interface Emulator with AWS's own runtime client; every run is searched at its end.

Whatever a test is about, no line of its log may show a secret, a user's words or a reply, every line of the function
is one JSON object, and every line of metrics has the form that CloudWatch reads.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from jsonschema import Draft202012Validator

from tests.acceptance.processes import ROOT, compiled, environment, post
from tests.children import child
from tools.lambda_emulator import HANDLER, INVOCATIONS, command, free_port
from tools.lambda_emulator import environment as lambda_environment

SECRETS = {
    "OPENAI_API_KEY": "sk-canary-key-93ac",
    "BEDROCK_CREDENTIALS": '{"access_key_id": "AKIACANARY5D20", "secret_access_key": "canary-secret-71be"}',
    "HUGGINGFACE_TOKEN": "hf_canary_token_c84f",
    "CLIENT_TOKEN": "canary-token-4b1e",
}
CANARIES = frozenset(re.findall(r"[\w-]*canary[\w-]*", " ".join(SECRETS.values()), re.IGNORECASE))
SCHEMA = Draft202012Validator(json.loads((ROOT / "tests" / "data" / "emf.schema.json").read_text()))

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the discard port."""

_AT_HAND = {
    "OPENAI_API_KEY": SECRETS["OPENAI_API_KEY"],
    "OPENAI_BASE_URL": NOWHERE,
    "BEDROCK_CREDENTIALS": SECRETS["BEDROCK_CREDENTIALS"],
    "AWS_ENDPOINT_URL": NOWHERE,
}
"""Every function has secrets to give away, but for those that would lead outside or shut callers out."""
_OF_THE_EMULATOR = r"(\d\d \w{3} \d{4} [\d:,]+ \[\w+\] \(rapid\)|(START|END|REPORT|INIT_REPORT) (RequestId|Init)).*"
_SHORTEST = 4
"""Characters of a text that tells whether it was logged; a shorter one stands anywhere."""


class Emulator:
    """A running emulator. It takes one invocation at a time: two at once crash it."""

    def __init__(self, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}{INVOCATIONS}"
        self.process = process
        self._log = log
        self._private: set[str] = set(CANARIES)

    def call(self, payload: object) -> tuple[int, dict]:
        """What the emulator answers; the words of both sides are looked for in the log when it ends."""
        status, answer = post(self.url, payload)
        self.keep_private(*_words(payload), *_words(answer))
        return status, answer

    def invoke(self, payload: object) -> dict:
        """The answer of an invocation that ends as it should."""
        status, answer = self.call(payload)
        assert status == 200
        return answer

    def told(self, payload: object) -> str:
        """What the emulator says in the function's place, which is no JSON."""
        return httpx.post(self.url, json=payload, timeout=60).text

    def keep_private(self, *texts: str) -> None:
        self._private.update(text for text in texts if len(text) >= _SHORTEST)

    def log(self) -> str:
        return self._log.read_text("utf-8")

    def records(self) -> list[dict]:
        """What the function itself has logged, metrics included."""
        lines = (line for line in self.log().splitlines() if line and not re.fullmatch(_OF_THE_EMULATOR, line))
        return [json.loads(line) for line in lines]

    def metrics(self) -> list[dict]:
        return [record for record in self.records() if "_aws" in record]

    def search(self) -> None:
        log = self.log()
        shown = {text for text in self._private if text in log or json.dumps(text)[1:-1] in log}
        assert not shown, f"the log shows {shown}"
        for metric in self.metrics():
            SCHEMA.validate(metric)


@contextmanager
def emulated(
    log: Path, env: Mapping[str, str] | None = None, *, timeout: int = 20, handler: str = HANDLER
) -> Iterator[Emulator]:
    """The shipped pipeline, compiled, unless another is named.

    The log goes to a file: a pipe that nobody reads would fill, and stop the function in the middle of a turn.
    """
    port = free_port()
    plan = {} if "MISAKI_PIPELINE" in (env or {}) else compiled()
    settings = lambda_environment(timeout, 1024, environment({**_AT_HAND, **plan, **(env or {})}))
    with (
        log.open("wb") as output,
        child(
            command("127.0.0.1", port, handler), stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=settings
        ) as process,
    ):
        emulator = Emulator(port, process, log)
        yield emulator
        process.terminate()
        process.wait(60)
    emulator.search()


def http(body: object, token: str = "", *, method: str = "POST", path: str = "/chat") -> dict:
    """A request as a function URL hands it over."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {"authorization": f"Bearer {token}"} if token else {},
        "requestContext": {"http": {"method": method, "path": path}, "stage": "$default"},
        "body": json.dumps(body),
    }


def body_of(proxy: dict) -> dict:
    return json.loads(proxy["body"])


def _words(value: object) -> Iterator[str]:
    """The texts that are a user's or a persona's, wherever they stand in an event or an answer."""
    if isinstance(value, bytes | str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return
    for name, inner in value.items() if isinstance(value, dict) else ():
        if name == "body":
            yield from _words(inner)
        elif name in {"input", "message", "conversation", "messages", "reply", "session_id"}:
            yield from _texts(inner)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for entry in value if isinstance(value, list) else ():
        yield from _texts(entry.get("content") if isinstance(entry, dict) else entry)
