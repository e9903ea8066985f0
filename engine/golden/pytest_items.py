"""Makes golden files pytest's items: one a conversation, failing with the conversation as `misaki test` shows it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.core.errors import ConfigError
from engine.golden.report.files import as_text
from engine.golden.run import Loaded, Runner, load_goldens
from engine.golden.stage import Settings
from engine.models.secrets import Secrets
from engine.pipeline.reading.files import Sources
from engine.pipeline.schema.golden import Conversation
from engine.validation.reporters.text import render_problems

_RUNNER: pytest.StashKey[Runner] = pytest.StashKey()


class ConversationFailed(Exception):
    """A conversation did not pass; the text is what pytest prints."""


class GoldenItems(pytest.File):
    """A golden file."""

    def collect(self) -> Iterator[GoldenItem]:
        """Its conversations; a file with mistakes fails as a whole, with all of them."""
        try:
            # Relative to where pytest was started, where it lies below.
            shown = self.path.relative_to(Path.cwd()) if self.path.is_relative_to(Path.cwd()) else self.path
            (loaded,) = load_goldens([shown], _runner(self.config).pipelines)
        except ConfigError as error:
            raise self.CollectError(render_problems(error.problems, Sources())) from None
        for conversation in loaded.golden.conversations:
            yield GoldenItem.from_parent(self, name=conversation.name.value, loaded=loaded, conversation=conversation)


class GoldenItem(pytest.Item):
    """One conversation."""

    def __init__(self, *, loaded: Loaded, conversation: Conversation, **more: Any) -> None:
        super().__init__(**more)
        self._loaded = loaded
        self._conversation = conversation

    def runtest(self) -> None:
        """Plays it; raises `ConversationFailed`."""
        (result,) = _runner(self.config).run([self._loaded], lambda _, conversation: conversation is self._conversation)
        if result.skipped is not None:
            pytest.skip(result.skipped)
        if result.status != "passed":
            raise ConversationFailed(as_text(result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The conversation alone, without a traceback of ours."""
        if isinstance(excinfo.value, ConversationFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Tells pytest where the conversation stands."""
        return self.path, self._conversation.name.span.line - 1, self.name


def _runner(config: pytest.Config) -> Runner:
    """Makes one runner for the whole session, so that pipelines are read and templates compiled once."""
    if _RUNNER not in config.stash:
        config.stash[_RUNNER] = Runner(settings=Settings(secrets=Secrets(os.environ)))
    return config.stash[_RUNNER]
