"""Takes over what is saved while `misaki serve` runs: from the next turn on, replies, persona, prompts and steps are
the new ones. A change that does not load is told and leaves everything as it was.

Models stay as they are loaded: a change of one, or of who asks it, needs a restart, and is told so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from engine.app import App
from engine.chat.models import rows_of
from engine.cli.environment import pipeline_path
from engine.core.errors import ConfigError
from engine.core.language import Phrase, phrase, said
from engine.core.source import Problem
from engine.pipeline.bind import bind
from engine.pipeline.compile import learn_kinds
from engine.pipeline.reading.files import PROMPT_ENDINGS, Sources, states
from engine.validation.load import read
from engine.validation.reporters.text import render_problems

INTERVAL = 0.5
"""Seconds between two looks at the files."""

_KINDS = frozenset({".yml", ".yaml", *PROMPT_ENDINGS})


class Page(Protocol):
    """Takes what became of an edit: whether it was `taken` over, or the problems for which it was not."""

    def __call__(self, text: Phrase, problems: Sequence[Problem], *, taken: bool) -> None: ...


class Reloader:
    """Watches the folders of the pipeline that `app` was loaded from, and tells what becomes of an edit."""

    def __init__(
        self,
        app: App,
        env: Mapping[str, str],
        say: Callable[[str], None],
        page: Page | None = None,
    ) -> None:
        self._app, self._env, self._say, self._page = app, env, say, page
        self._path = pipeline_path(env)
        self._seen = states(self._files())

    def watch(self, stop: threading.Event, interval: float = INTERVAL) -> None:
        """Looks until `stop` is set; before that, kinds are learned that no stored plan holds."""
        learn_kinds(self._app.plan)
        while not stop.wait(interval):
            self.look()

    def look(self) -> None:
        """Load the pipeline again where a file was saved, added or removed since the last look; never raises."""
        try:
            state = states(self._files())
            if state != self._seen:
                self._seen = state
                self._reload()
        except Exception as error:  # noqa: BLE001  the next save is looked at whatever this one was
            self._tell(
                phrase(
                    "not reloaded: the files cannot be read ({reason}); save again when they are right",
                    reason=type(error).__name__,
                )
            )

    def _reload(self) -> None:
        try:
            plan = bind(read(self._path).compiled, self._env)
        except ConfigError as error:
            self._tell(phrase("not reloaded, since it does not load"), error.problems)
            return
        if rows_of(plan) != rows_of(self._app.plan):
            self._tell(phrase("not reloaded: a model or a step that asks one has changed, which takes a restart"))
            return
        learn_kinds(plan)
        self._app.renew(plan)
        self._tell(phrase("reloaded: {name} with {count} replies", name=plan.name, count=len(plan.replies)), taken=True)

    def _tell(self, text: Phrase, problems: Sequence[Problem] = (), *, taken: bool = False) -> None:
        told = said(text)
        self._say(f"{told}:\n{render_problems(problems, Sources())}".rstrip() if problems else told)
        if self._page is not None:
            self._page(text, problems, taken=taken)

    def _files(self) -> Iterator[Path]:
        """Lists files beside the pipeline, prompts and replies; what lies deeper may be anything, in any number."""
        plan, home = self._app.plan, self._path.parent
        folders = {home} | {Path(reply.span.file).parent for reply in plan.replies}
        folders |= {(home / step.prompt.origin).parent for step in plan.steps if step.prompt.origin}
        for folder in folders:
            yield from (file for file in folder.glob("*") if file.suffix in _KINDS)
