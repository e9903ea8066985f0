"""A pipeline from its YAML text behind the Lambda handler, with models and a clock that an experiment brings itself."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.app import App
from engine.aws.handler import LambdaHandler as Handler
from engine.aws.handler import make_handler
from engine.conversations import open_store
from engine.conversations.records import Store
from engine.core.deadline import Clock
from engine.core.plan import Plan
from engine.core.ports import LanguageModel
from engine.validation.load import load

PROMPT = "あなたは{{ persona.name }}です。"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """`records` is what the handler logged; `response` of an answer is the whole proxy response."""

    app: App
    handler: Handler
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def ask(self, text: str, **more: Any) -> Answer:
        began = time.monotonic()
        response = self.handler({"input": text, "debug": True, **more}, None)
        return Answer(response=response, body=json.loads(response["body"]), seconds=time.monotonic() - began)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    response: Mapping[str, Any]
    body: Mapping[str, Any]
    seconds: float

    @property
    def status(self) -> int:
        return int(self.response["statusCode"])

    @property
    def end(self) -> str:
        """The engine that answered, or the error's code."""
        return str(self.body.get("engine") or self.body.get("code"))


def declared(*providers: str) -> str:
    """The `models` of a pipeline that has one of each."""
    rows = {name: {"backend": name, "model": "speaker", "region": "ap-northeast-1"} for name in providers}
    for name, row in rows.items():
        if name != "bedrock":
            del row["region"]
    return json.dumps(rows)


def make_plan(pipeline: str, replies: str, env: Mapping[str, str], **prompts: str) -> Plan:
    """The plan of a pipeline that lies beside `replies.yml`, `prompt.j2` and the other `prompts`."""
    with tempfile.TemporaryDirectory() as folder:
        texts = {"pipeline.yml": pipeline, "replies.yml": replies, "prompt.j2": PROMPT}
        texts |= {f"{name}.j2": text for name, text in prompts.items()}
        for name, text in texts.items():
            (Path(folder) / name).write_text(text, "utf-8")
        return load(Path(folder) / "pipeline.yml", env)


def make_bot(
    plan: Plan,
    models: Mapping[str, LanguageModel],
    *,
    clock: Clock = time.monotonic,
    rooms: Store | None = None,
    log: Callable[[Mapping[str, Any]], None] | None = None,
) -> Bot:
    records: list[Mapping[str, Any]] = []
    app = App(plan, models=models, rooms=rooms or open_store("none"), clock=clock)
    env = {"ALLOW_DEBUG": "true"}
    return Bot(app=app, handler=make_handler(app, env, log=log or records.append), records=records)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record) + repr(record.args))


@contextmanager
def captured_log() -> Iterator[list[str]]:
    """Everything that anybody logs, at the most talkative level."""
    root, lines = logging.getLogger(), _Lines()
    level = root.level
    root.addHandler(lines)
    root.setLevel(logging.DEBUG)
    try:
        yield lines.lines
    finally:
        root.removeHandler(lines)
        root.setLevel(level)
