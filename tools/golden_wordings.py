"""Writes the goldens that hold every wording of every reply: what is said, and how often it is the one chosen.

    python -m tools.golden_wordings pipelines/snack_misaki.yml tests/golden/snack_misaki/wordings

One file for each file of replies, one conversation for each reply. Run it after adding replies; for words that changed,
`misaki test --accept` is enough. What it writes is to be read before it is kept, like any golden.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from engine.app import App
from engine.golden.cassette import Cassette
from engine.golden.draft import DraftConversation, DraftTurn, golden_text
from engine.golden.pipelines import Pipelines
from engine.golden.result import variables
from engine.golden.stage import Settings, Stage
from engine.golden.wordings import DEFAULT_SESSIONS, heard, wordings
from engine.model.errors import ConfigError
from engine.model.plan import Plan, Reply
from engine.model.spec import ReplySpec
from engine.model.text import clean
from engine.model.turn import ChatRequest, Outcome, Turn
from engine.prompts.render import TemplateRenderer
from engine.reading.sources import Sources
from engine.reporting.problems.text import render_problems
from engine.running.fold import names_of
from engine.schema.golden_spec import SUFFIX
from engine.sessions import open_store

SCHEMA = Path(__file__).resolve().parent.parent / "engine" / "schema" / "golden.schema.json"
SESSION = "wordings"
_BEFORE = re.compile(r"\b(last|topic|session|vars)\b")
USUAL = datetime(2026, 11, 20, 20, 30)  # noqa: DTZ001 - the zone is the persona's


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.golden_wordings", description="hold every wording of a bot")
    parser.add_argument("pipeline", metavar="PIPELINE", type=Path, help="the pipeline's file")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the goldens go; those of that name are lost")
    given = parser.parse_args(arguments)
    try:
        write(given.pipeline, given.folder)
    except ConfigError as error:
        sys.stderr.write(render_problems(error.problems, Sources()))
        return 1
    return 0


def write(pipeline: Path, folder: Path) -> None:
    """One golden for each file of replies; raises `ConfigError`, and `SystemExit` for a reply that nothing selects."""
    pipelines = Pipelines()
    spec, plan = pipelines.spec(pipeline), pipelines.plan(pipeline, {})
    # What no reply is for goes to models, of which none is to be had here.
    absent = Stage(plan, SESSION, Cassette(), Settings()).models
    app = App(plan, models=absent, sessions=open_store("none"))
    by_file: dict[Path, list[DraftConversation]] = {}
    for reply_spec, reply in zip(spec.replies, plan.replies, strict=True):
        found = _conversation(app, reply_spec, reply) if reply_spec.match else None
        if found is not None:
            by_file.setdefault(Path(reply.span.file), []).append(found)
    folder.mkdir(parents=True, exist_ok=True)
    for file, conversations in by_file.items():
        schema, shown = (Path(os.path.relpath(path, folder)).as_posix() for path in (SCHEMA, pipeline))
        head, rest = golden_text(shown, conversations, schema=schema).split("\n", maxsplit=1)
        note = f"#\n# Every wording of {file.name}, and how often it is chosen: `python -m tools.golden_wordings`."
        (folder / f"{file.stem}{SUFFIX}").write_text(f"{head}\n{note}\n{rest}", encoding="utf-8", newline="\n")


def _conversation(app: App, spec: ReplySpec, reply: Reply) -> DraftConversation | None:
    """The golden of `reply`; none for one that waits for what was said before, which a conversation has to show."""
    for moment in _moments():
        for text in _utterances(spec):
            now = moment.replace(tzinfo=ZoneInfo(app.plan.timezone))
            outcome = app.reply(ChatRequest(text=clean(text), session_id=SESSION, now=now)).outcome
            if outcome.reply_id == reply.id:
                expect = {"reply_id": reply.id, "wordings": _wordings(app.plan, reply, outcome, text, now)}
                clock = moment.strftime("%Y-%m-%d %H:%M")
                turn = DraftTurn(user=text, expect=expect)
                return DraftConversation(name=reply.id, session=SESSION, clock=clock, turns=[turn])
    if reply.when is not None and _BEFORE.search(reply.when.source):
        return None
    raise SystemExit(f"{reply.span}: nothing that its triggers say selects `{reply.id}`")


def _wordings(plan: Plan, reply: Reply, outcome: Outcome, text: str, now: datetime) -> list[dict[str, object]]:
    turn = Turn(text=clean(text), now=now, session_id=SESSION)
    counts = heard(reply, turn, DEFAULT_SESSIONS if len(reply.say) > 1 else 1)
    names = names_of(plan, turn).also(vars=variables(outcome))
    said = wordings(plan, reply, names, TemplateRenderer(), counts)
    return [{"times": times, "text": words} for words, times in said.items()]


def _utterances(spec: ReplySpec) -> Iterator[str]:
    """What an editor wrote as a sentence: the fuzzy triggers, the examples, then parts of sentences."""
    yield from (trigger.text.value for trigger in spec.match if hasattr(trigger, "text"))
    yield from (example.value for example in spec.examples)


def _moments() -> Iterator[datetime]:
    """An evening, then the other hours of its day and of the Sunday after it, then a day of each other month."""
    yield USUAL
    yield from (USUAL.replace(hour=hour) for hour in range(24))
    yield from (USUAL.replace(hour=hour) + timedelta(days=2) for hour in range(24))
    yield from (USUAL.replace(month=month) for month in range(1, 13))
    yield USUAL.replace(minute=0)


if __name__ == "__main__":
    sys.exit(main())
