from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.pipeline.schema.load import read_pipeline
from engine.validation.subject import Subject

PIPELINE = """\
version: 1
name: bar
locale: ja
timezone: Asia/Tokyo
persona: {name: 舞}
replies: [replies.yml]
models:
  small: {backend: auto, path: a.gguf}
steps:
  - {id: canned, kind: replies}
  - {id: sorry, kind: say, reply: sorry}
"""
SORRY = "  - {id: sorry, say: [ごめんね。]}\n"
Make = Callable[..., Subject]


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes the subject of a check from the lines of replies, and steps in the place of the usual two."""

    def make(*replies: str, steps: tuple[str, ...] = (), pipeline: str = PIPELINE) -> Subject:
        monkeypatch.chdir(tmp_path)
        Path("replies.yml").write_text("replies:\n" + SORRY + "".join(f"  - {reply}\n" for reply in replies), "utf-8")
        if steps:
            pipeline = pipeline.split("steps:", maxsplit=1)[0] + "steps:\n" + "".join(f"  - {step}\n" for step in steps)
        Path("pipeline.yml").write_text(pipeline, "utf-8")
        Path("p.j2").write_text("{{ persona.name }}", "utf-8")
        loaded = read_pipeline(Path("pipeline.yml"))
        assert loaded.problems == ()
        assert loaded.spec is not None
        return Subject(spec=loaded.spec)

    return make
