"""Measures how well kinds of sentences are told apart: each example left out, or on a file of labelled ones."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.core.errors import EngineError
from engine.core.language import phrase
from engine.kinds.features import features
from engine.kinds.learning import judge_each
from engine.kinds.model import KindModel
from engine.pipeline.spec import PipelineSpec

LEVELS = (0.3, 0.5, 0.7)
"""How sure the model must be, for the share of sentences that it speaks for then."""


class NoKinds(EngineError):
    """There is nothing to measure; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`told` is the likeliest kind of a sentence whose kind is `kind`; `language` is empty where nobody wrote it."""

    kind: str
    told: str
    sure: float
    language: str = ""

    @property
    def is_right(self) -> bool:
        return self.told == self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """`seconds` of processor time a sentence and the `size` of the model in bytes, where they were measured."""

    source: str
    answers: tuple[Answer, ...]
    seconds: float | None = None
    size: int | None = None

    @property
    def confusions(self) -> Sequence[tuple[tuple[str, str], int]]:
        """Pairs of a kind and what was told instead, the most frequent first."""
        wrong = Counter((one.kind, one.told) for one in self.answers if not one.is_right)
        return wrong.most_common()

    def by(self, key: str) -> dict[str, list[Answer]]:
        """The answers by their `kind` or `language`."""
        found: dict[str, list[Answer]] = {}
        for one in self.answers:
            found.setdefault(getattr(one, key), []).append(one)
        return found


def share(answers: Iterable[Answer]) -> float:
    """The share of right ones, from 0 to 1."""
    told = [one.is_right for one in answers]
    return sum(told) / len(told) if told else 0.0


def leave_one_out(spec: PipelineSpec) -> Measured:
    """Each example as all the others would judge it. Raises `NoKinds`."""
    if not spec.kinds:
        raise NoKinds(phrase("{file}: the pipeline has no `kinds`", file=spec.file))
    examples = [(kind.name.value, features(example.value)) for kind in spec.kinds for example in kind.examples]
    answers = tuple(Answer(kind=one.kind, told=one.told, sure=one.sure) for one in judge_each(examples))
    return Measured(source=phrase("each example, left out"), answers=answers)


def on_file(model: object, file: Path) -> Measured:
    """The sentences of a file of JSON lines with `text`, `kind` and perhaps `lang`. Raises `NoKinds` and `OSError`."""
    if not isinstance(model, KindModel):
        raise NoKinds(phrase("the pipeline has no `kinds`"))
    try:
        rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
        sentences = [(row["text"], row["kind"], row.get("lang", "")) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoKinds(phrase("{file}: expected JSON lines with `text` and `kind`", file=file)) from None
    if not sentences:
        raise NoKinds(phrase("{file}: it holds no sentence", file=file))
    model.chances(sentences[0][0])
    began = time.process_time()
    chances = [model.chances(text) for text, _, _ in sentences]
    seconds = (time.process_time() - began) / len(sentences)
    answers = tuple(
        Answer(kind=kind, told=next(iter(found)), sure=next(iter(found.values())), language=language)
        for (_, kind, language), found in zip(sentences, chances, strict=True)
    )
    return Measured(source=file.as_posix(), answers=answers, seconds=seconds, size=len(model.stored))
