"""Holds a turn's outcome against its expectations, one small check a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from engine.core.events import ChatResult
from engine.core.language import joined, phrase
from engine.core.node import seconds
from engine.golden.result import Difference
from engine.golden.writing import flow
from engine.matching.compare import score
from engine.matching.forms import form
from engine.pipeline.schema.golden import Expectation
from engine.text.regexes import compile_pattern


def differences(
    expectations: tuple[Expectation, ...], result: ChatResult, memory: Mapping[str, str]
) -> Iterator[Difference]:
    """The expectations that are not met, in the order of the file; `memory` is what is remembered after the turn."""
    for expectation in expectations:
        if expectation.key == "remembers":
            found = _remembers(expectation, memory)
        else:
            found = _CHECKS[expectation.key](expectation, result)
        if found is not None:
            yield found


def _equal(expectation: Expectation, got: str | None) -> Difference | None:
    if expectation.value == got:
        return None
    return Difference(expectation=expectation, expected=_shown(expectation.value), got=_shown(got), value=got)


def _shown(value: str | None) -> str:
    return phrase("nothing") if value is None else value


def _one_of(expectation: Expectation, result: ChatResult) -> Difference | None:
    if result.outcome.reply in expectation.value:
        return None
    expected = phrase("one of\n{replies}", replies="\n".join(expectation.value))
    value = None if result.outcome.reply is None else [*expectation.value, result.outcome.reply]
    return Difference(
        expectation=expectation,
        expected=expected,
        got=_shown(result.outcome.reply),
        value=value,
        acceptable=result.outcome.reply is not None,
    )


def _contains(expectation: Expectation, result: ChatResult, *, wanted: bool = True) -> Difference | None:
    parts = [expectation.value] if isinstance(expectation.value, str) else list(expectation.value)
    wrong = [part for part in parts if (part in (result.outcome.reply or "")) is not wanted]
    if not wrong:
        return None
    expected = phrase("does not contain {parts}", parts=joined("{before} nor {after}", wrong))
    if wanted:
        expected = phrase("contains {parts}", parts=joined("{before} and {after}", wrong))
    return _loose(expectation, expected, result.outcome.reply)


def _matches(expectation: Expectation, result: ChatResult) -> Difference | None:
    pattern = compile_pattern(expectation.value)
    if result.outcome.reply is not None and pattern.search(result.outcome.reply) is not None:
        return None
    return _loose(expectation, phrase("matches {pattern}", pattern=expectation.value), result.outcome.reply)


def _loose(expectation: Expectation, expected: str, reply: str | None) -> Difference:
    """Makes a difference that no single value would settle: only a person knows what the reply should hold instead."""
    return Difference(expectation=expectation, expected=expected, got=_shown(reply), acceptable=False)


def _similar(expectation: Expectation, result: ChatResult) -> Difference | None:
    to, least = expectation.value["to"], expectation.value["at_least"]
    reached = 0.0 if result.outcome.reply is None else score(form(result.outcome.reply), form(to))
    if result.outcome.reply is not None and reached >= least:
        return None
    return Difference(
        expectation=expectation,
        expected=phrase("at least {least:g} % like {to}", least=least, to=to),
        got=phrase("{reached:.0f} % like it: {reply}", reached=reached, reply=_shown(result.outcome.reply)),
        value=None if result.outcome.reply is None else {"to": result.outcome.reply, "at_least": least},
        acceptable=result.outcome.reply is not None,
    )


def _escalations(expectation: Expectation, result: ChatResult) -> Difference | None:
    got, wanted = result.outcome.escalations, expectation.value
    named = [{"reason": one} if isinstance(one, str) else one for one in wanted]
    if len(got) == len(named) and all(
        getattr(escalation, name) == value
        for escalation, one in zip(got, named, strict=True)
        for name, value in one.items()
    ):
        return None
    value: list[Any] = [one.reason for one in got]
    if not wanted or not all(isinstance(one, str) for one in wanted):
        model = [{} if one.model is None else {"model": one.model} for one in got]
        value = [{"step": one.step, "reason": one.reason, **more} for one, more in zip(got, model, strict=True)]
    return Difference(expectation=expectation, expected=_list(wanted), got=_list(value), value=value)


def _list(value: Sequence[Any]) -> str:
    return ", ".join(item if isinstance(item, str) else flow(item) for item in value) or phrase("none")


def _remembers(expectation: Expectation, memory: Mapping[str, str]) -> Difference | None:
    got = {name: memory.get(name) for name in expectation.value}
    if got == expectation.value:
        return None
    return Difference(expectation=expectation, expected=flow(expectation.value), got=flow(got), value=got)


def _latency(expectation: Expectation, result: ChatResult) -> Difference | None:
    limit = float(seconds(expectation.value)) * 1000
    if result.latency_ms <= limit:
        return None
    got = f"{result.latency_ms:.0f} ms"
    return Difference(
        expectation=expectation, expected=phrase("at most {limit:.0f} ms", limit=limit), got=got, acceptable=False
    )


_CHECKS: Mapping[str, Callable[[Expectation, ChatResult], Difference | None]] = {
    "reply": lambda expectation, result: _equal(expectation, result.outcome.reply),
    "one_of": _one_of,
    "contains": _contains,
    "not_contains": lambda expectation, result: _contains(expectation, result, wanted=False),
    "matches": _matches,
    "similar": _similar,
    "engine": lambda expectation, result: _equal(expectation, result.outcome.engine),
    "step": lambda expectation, result: _equal(expectation, result.outcome.step),
    "reply_id": lambda expectation, result: _equal(expectation, result.outcome.reply_id),
    "model": lambda expectation, result: _equal(expectation, result.outcome.model),
    "escalations": _escalations,
    "latency": _latency,
}
