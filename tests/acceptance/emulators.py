"""The function in AWS's own Runtime Interface Emulator, with AWS's own runtime client, and what its log may hold.

Every function that a test starts has secrets to give away. When it is stopped, its whole log is searched for them and
for what its users said, and each of its metrics is held against the schema of the embedded metric format.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from engine.aws.body import read_payload
from engine.aws.chat import read_chat
from engine.aws.errors import RequestError
from engine.aws.event import read_event
from tests.acceptance.processes import ROOT, environment, free_port, post
from tools.lambda_emulator import INVOCATIONS, command
from tools.lambda_emulator import environment as lambda_environment

NOWHERE = "http://127.0.0.1:9"
"""Nobody listens on the discard port."""

SECRETS = {
    "OPENAI_API_KEY": "sk-canary-key-93ac",
    "HUGGINGFACE_TOKEN": "hf_canaryToken5d02",
    "BEDROCK_CREDENTIALS": json.dumps({"access_key_id": "AKIACANARY7F3A", "secret_access_key": "canary/secret/8c1d"}),
}
HIDDEN = (
    *(value for name, value in SECRETS.items() if name != "BEDROCK_CREDENTIALS"),
    *json.loads(SECRETS["BEDROCK_CREDENTIALS"]).values(),
)
SCHEMA = Draft202012Validator(json.loads((ROOT / "tests" / "data" / "emf.schema.json").read_text()))


class Emulator:
    """A running function. Its log goes to a file: a pipe that nobody reads would fill and stop it in mid-turn."""

    def __init__(self, log: Path, timeout: int, env: Mapping[str, str]) -> None:
        self.port = free_port()
        self.log = log
        self.hidden = set(HIDDEN)
        base = environment({**SECRETS, "OPENAI_BASE_URL": NOWHERE, "AWS_ENDPOINT_URL": NOWHERE, **env})
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command("127.0.0.1", self.port),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=lambda_environment(timeout, 1024, base),
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{INVOCATIONS}"

    def post(self, event: object) -> tuple[int, dict[str, Any]]:
        """Status and JSON of an invocation; what the user says in it is remembered as something to keep secret."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.hidden |= set(_said(payload))
        return post(self.url, payload)

    def invoke(self, event: object) -> dict[str, Any]:
        """The function's proxy response."""
        status, answer = self.post(event)
        assert status == 200
        return answer

    def raw(self, payload: bytes) -> str:
        """Whatever the emulator says, which is not always JSON."""
        return httpx.post(self.url, content=payload, timeout=60).text

    def functions(self) -> list[int]:
        """The process ids of the runtime client, which is the emulator's only child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        others = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return sorted({int(pid) for file in (children, *others) for pid in file.read_text().split()})

    def stop(self) -> str:
        """Ends it and returns its log, in which nothing is that should be hidden."""
        self.process.terminate()
        self.process.wait(60)
        text = self.log.read_text("utf-8")
        for secret in self.hidden:
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text
        for line in _metrics(text):
            SCHEMA.validate(line)
        return text

    def metrics(self) -> list[dict[str, Any]]:
        return list(_metrics(self.log.read_text("utf-8")))


def body_of(proxy: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(proxy["body"])
    return found


def _metrics(log: str) -> Iterator[dict[str, Any]]:
    return (json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"'))


def _said(payload: bytes) -> Iterator[str]:
    """The words and the session of an event that the handler would accept; very short ones are in any log."""
    with suppress(RequestError, ValueError):
        request = read_chat(read_payload(read_event(json.loads(payload)))).request
        texts = [request.text, *(message.text for message in request.history), request.session_id or ""]
        yield from (text for text in texts if len(text) > 3)
