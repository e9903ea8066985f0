"""A real base model that has learnt to count: asked for a large number it goes on for a minute and more, and never ends
a sentence.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

from engine.core.deadline import Deadline
from engine.core.plan import ModelRow
from engine.core.turn import Exchange, Labels, Prompt
from engine.models.local.model import LocalModel
from engine.models.registry import open_model

EXAMPLES = tuple(Exchange(str(last), " ".join(map(str, range(1, last + 1)))) for last in (20, 40, 100))
AS_YAML = json.dumps([{"user": example.user, "reply": example.reply} for example in EXAMPLES])
"""The examples for a pipeline's persona."""


def prompt(text: str) -> Prompt:
    return Prompt(system="Count.", examples=EXAMPLES, history=(), text=text, labels=Labels("User", "Bot"))


@contextlib.contextmanager
def counting_model(path: Path) -> Iterator[LocalModel]:
    """What every prompt begins with is read already, so that a turn's time is for its answer."""
    settings = {"path": str(path), "max_tokens": 3000, "context": 4096, "threads": 1, "temperature": 0.0}
    row = ModelRow(id="local", backend="auto", settings={**settings, "repeat_penalty": 1.0, "cache": "off"})
    with contextlib.closing(open_model(row, {})) as opened:
        assert isinstance(opened, LocalModel)
        opened.prepare(prompt(""))
        assert opened.wait_prepared(Deadline.after(120.0))
        yield opened
