"""Collects sentences that no canned reply was for, groups them by their words, and drafts YAML for them.

A gap is one line of JSON, in the words of the Lambda log under `LOG_TEXT`, so that such a log is read alike.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from engine.core.events import ChatResult, Event
from engine.core.record import record
from engine.golden.writing import scalar
from engine.text.normalise import normalise
from engine.text.words import analyse

MOST_BYTES = 4 * 2**20
"""A file that has grown so long is put aside once, and a new one begun."""

SHARED = 0.5
"""Of all content words of two sentences, the share that both need to have to be of one group."""

_CONTENT = frozenset({"名詞", "動詞", "形容詞", "形状詞", "代名詞", "英語"})
_EXAMPLES = 8
"""Sentences that a draft takes over."""


@record
class Gap:
    """A sentence and the reply to it."""

    text: str
    reply: str
    by: str


@record
class Group:
    """Sentences that share most of their words, the most frequent one first; `said` is what she said last."""

    times: int
    texts: tuple[str, ...]
    said: str
    by: str


class GapFile:
    """Listens to turns and appends their gaps to a file of its owner; where that fails, only the gaps are lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()

    def __call__(self, event: Event) -> None:
        """Keep the sentence of a turn, where no trigger selected its reply."""
        if not isinstance(event, ChatResult) or event.replayed or not event.outcome.is_gap:
            return
        outcome = event.outcome
        line = {"text": event.text, "reply": outcome.reply, "step": outcome.step, "reply_id": outcome.reply_id}
        data = (json.dumps({"engine": outcome.engine, **line}, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        try:
            with self._lock:
                self._append(data)
        except OSError:
            return

    def _append(self, data: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
            self._path.replace(self._path.with_suffix(".old"))
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, data)
        finally:
            os.close(file)


def read_gaps(lines: Iterable[str]) -> Iterator[Gap]:
    """The gaps among lines of JSON; other lines of a log, and turns that a trigger decided, are passed over."""
    for line in lines:
        begin = line.find("{")
        try:
            entry: Any = json.loads(line[begin:]) if begin >= 0 else None
        except ValueError:
            continue
        if isinstance(entry, Mapping) and isinstance(entry.get("text"), str) and entry.get("gap", True):
            by = entry.get("reply_id") or entry.get("engine") or "nobody"
            yield Gap(text=entry["text"], reply=str(entry.get("reply") or ""), by=str(by))


def grouped(gaps: Sequence[Gap]) -> list[Group]:
    """The groups, the most frequent one first."""
    groups: list[tuple[frozenset[str], list[Gap]]] = []
    often = Counter(gap.text for gap in gaps)
    for gap in sorted(gaps, key=lambda one: -often[one.text]):
        content = frozenset(word.form for word in analyse(gap.text) if word.tags[0] in _CONTENT)
        words = content or frozenset({normalise(gap.text) or gap.text})
        home = next((members for known, members in groups if len(words & known) > SHARED * len(words | known)), None)
        if home is None:
            groups.append((words, [gap]))
        else:
            home.append(gap)
    found = []
    for _, members in groups:
        texts = tuple(text for text, _ in Counter(gap.text for gap in members).most_common())
        found.append(Group(times=len(members), texts=texts, said=members[-1].reply, by=members[-1].by))
    return sorted(found, key=lambda group: -group.times)


def reply_draft(group: Group, name: str) -> str:
    """Drafts a reply for the sentences of `group`, whose words are still to be written."""
    texts = ", ".join(scalar(text) for text in group.texts[:_EXAMPLES])
    return f"  - id: {name}\n    match: [{texts}]\n    say:\n      - …\n    examples: [{scalar(group.texts[0])}]\n"


def kind_draft(group: Group, kind: str, language: str) -> str:
    """The sentences of `group` as examples of a kind."""
    lines = "".join(f"        - {scalar(text)}\n" for text in group.texts[:_EXAMPLES])
    return f"kinds:\n  {kind}:\n    examples:\n      {language}:\n{lines}"
