"""What a check looks at: one pipeline with its prompts, and the source files for finding words in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from engine.core.expression import Condition
from engine.core.language import phrase
from engine.core.plan import DEFAULT_THRESHOLD
from engine.core.source import Located, Problem, Span, Text
from engine.expressions.parse import ConditionError, parse_condition
from engine.expressions.scope import Scope
from engine.matching.index import TriggerIndex
from engine.pipeline.compile import Scopes, build_index, number, scopes
from engine.pipeline.reading.files import PROMPT_ENDINGS, Sources, is_outside, move_into, project_of, read_text
from engine.pipeline.schema.doubt import Named
from engine.pipeline.schema.mend import STAND_IN
from engine.pipeline.spec import PipelineSpec, ReplySpec, TriggerSpec
from engine.text.regexes import Budget, compile_pattern, regex_hint, regex_problem

TOO_MANY_REGEXES = (
    phrase("the regexes of this pipeline take too much to run together, from this one on"),
    phrase("repeat less in them, such as `.*` in place of `.{1,200}`, or use `contains`"),
)
"""A mistake of all regexes that do not fit any more, and its remedy."""

_WIDE = re.compile("[！-～]|[\uff66-\uff9f]+")
_YEN = re.compile("[¥￥][dDwWsSbB.()*+?]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFile:
    """A prompt as a step names it; no `text` where it cannot be read, for the reason that `problems` give."""

    path: Located[str]
    file: str
    text: str | None
    problems: tuple[Problem, ...]

    @property
    def is_missing(self) -> bool:
        return any(problem.code == "P104" for problem in self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A trigger with its reply and the reply's position."""

    place: int
    reply: ReplySpec
    trigger: TriggerSpec

    @property
    def text(self) -> Located[str]:
        """What the editor wrote as the trigger."""
        return self.trigger.text


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A pipeline under check, as far as it could be read: `lost`, `sound_steps` and `unsure` are `Loaded`'s."""

    spec: PipelineSpec
    lost: frozenset[Named] = frozenset()
    sound_steps: bool = True
    unsure: frozenset[Span] = frozenset()
    sources: Sources = field(default_factory=Sources)
    _parsed: dict[tuple[str, bool], Condition] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def prompts(self) -> Mapping[str, PromptFile]:
        """The prompts of all steps, each once, by their path as written."""
        found: dict[str, PromptFile] = {}
        for prompt in (step.prompt for step in self.spec.steps if step.prompt is not None):
            if prompt.value not in found:
                found[prompt.value] = _read_prompt(self.spec, prompt)
        return found

    @cached_property
    def scopes(self) -> Scopes:
        return scopes(self.spec)

    @cached_property
    def triggers(self) -> Sequence[Placed]:
        """Every trigger of the replies that are sure, in the order of `index.triggers`."""
        return [
            Placed(place=place, reply=reply, trigger=trigger)
            for place, reply in enumerate(self._runnable)
            for trigger in reply.match
        ]

    @cached_property
    def rows(self) -> Mapping[int, Sequence[int]]:
        """The positions among `triggers` of each reply's own, by the reply's position."""
        found: dict[int, list[int]] = {}
        for row, placed in enumerate(self.triggers):
            found.setdefault(placed.place, []).append(row)
        return found

    @cached_property
    def _runnable(self) -> Sequence[ReplySpec]:
        return [
            replace(reply, match=()) if place in self.unsure_replies else reply
            for place, reply in enumerate(self.spec.replies)
        ]

    @cached_property
    def unsure_replies(self) -> frozenset[int]:
        """The positions of the replies whose own mistakes hide when they would be said.

        They take no part in any comparison: what follows from a mistake is no second one.
        """
        return frozenset(self._unsure_replies())

    def _unsure_replies(self) -> Iterator[int]:
        told: set[str] = set()
        for place, reply in enumerate(self.spec.replies):
            broken = reply.when is not None and self.when(place) is None
            broken = broken or any(
                trigger.kind == "regex" and trigger.text.span in self.broken_regexes for trigger in reply.match
            )
            if broken or reply.id.value in told or reply.span in self.unsure:
                yield place
            told.add(reply.id.value)

    @cached_property
    def broken_regexes(self) -> Mapping[Span, tuple[str, str]]:
        """The places of `regex` triggers that cannot be used, with what is wrong and what to write instead."""
        triggers = [trigger for reply in self.spec.replies for trigger in reply.match]
        found: dict[Span, tuple[str, str]] = {}
        budget = Budget()
        for pattern in (trigger.text for trigger in triggers if trigger.kind == "regex"):
            mistake = _regex_mistake(pattern.value)
            if mistake is None and not budget.add(compile_pattern(pattern.value)):
                mistake = TOO_MANY_REGEXES
            if mistake is not None:
                found[pattern.span] = mistake
        return found

    @cached_property
    def threshold(self) -> float:
        """The lowest threshold of the steps that look for canned replies; what a default says where it has one."""
        found = [number(step.threshold) or DEFAULT_THRESHOLD for step in self.spec.steps if step.searches]
        return min(found, default=DEFAULT_THRESHOLD)

    def when(self, reply: int) -> Condition | None:
        """The compiled condition of the reply at this position; one that is broken counts as none."""
        return self._conditions[reply]

    @cached_property
    def _conditions(self) -> tuple[Condition | None, ...]:
        known = {text.value: text for text in (reply.when for reply in self.spec.replies) if text is not None}
        compiled = {source: self.condition(text) for source, text in known.items()}
        return tuple(None if reply.when is None else compiled[reply.when.value] for reply in self.spec.replies)

    def condition(self, text: Text | None) -> Condition | None:
        """`text` compiled; a broken condition is reported elsewhere and counts as none."""
        with suppress(ConditionError):
            return None if text is None else self.parsed(text, self.scopes.conditions)
        return None

    def parsed(self, text: Text, scope: Scope) -> Condition:
        """`text` compiled for one of `scopes`, once for all checks; raises `ConditionError`."""
        key = text.value, scope is self.scopes.detectors
        if key not in self._parsed:
            self._parsed[key] = parse_condition(text.value, scope)
        return self._parsed[key]

    @cached_property
    def index(self) -> TriggerIndex:
        """The index that a turn would search, without the replies that are unsure."""
        return build_index(self.spec, self._runnable)


def is_quoted(subject: Subject, text: Text) -> bool:
    """Whether `text` stands in plain quotation marks, or after `|` or `>`: its signs are meant."""
    line = subject.sources.line(text.span.file, text.span.line)
    return line[text.span.column - 1 : text.span.column] in ("'", '"', "|", ">")


def _read_prompt(spec: PipelineSpec, path: Located[str]) -> PromptFile:
    file = Path(spec.file).parent / path.value
    refused = _refused_prompt(file, path, Path(spec.file))
    text, problems = (None, [refused]) if refused else read_text(file, file.as_posix())
    return PromptFile(path=path, file=file.as_posix(), text=text, problems=tuple(problems))


def _refused_prompt(file: Path, path: Located[str], pipeline: Path) -> Problem | None:
    """Why `file` is not read, however readable it is: what a prompt says goes to whoever runs the model."""
    if is_outside(file, project_of(pipeline)):
        message = phrase(
            "prompt `{path}` leads out of the pipeline's project, and nothing there is read", path=path.value
        )
        return Problem(code="P312", message=message, span=path.span, hint=move_into(pipeline))
    if file.suffix.lower() not in PROMPT_ENDINGS and path.value != STAND_IN and file.exists():
        message = phrase("prompt `{path}` is not named as a template", path=path.value)
        return Problem(code="P312", message=message, span=path.span, hint=phrase("let its name end in `.j2`"))
    return None


def _regex_mistake(pattern: str) -> tuple[str, str] | None:
    """What is wrong with a `regex` trigger, and what to write instead; none where it can be used."""
    wide = _WIDE.search(pattern)
    if wide is not None:
        meant = unicodedata.normalize("NFKC", wide[0])
        message = phrase(
            "`{sign}` is a wide or half-width sign, which no text holds when a regex is tried", sign=wide[0]
        )
        return message, phrase("write `{meant}` instead of `{written}`", meant=meant, written=wide[0])
    yen = _YEN.search(pattern)
    if yen is not None:
        return phrase("`{sign}` begins with the sign of yen, not with a backslash", sign=yen[0]), phrase(
            "write `\\{sign}`", sign=yen[0][1:]
        )
    found = regex_problem(pattern)
    return None if found is None else (found, regex_hint(pattern))
