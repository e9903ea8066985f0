"""False accepts and false rejects of matching on labelled pairs, beside plain rapidfuzz.

    python -m benchmarks.matching

A false accept is a pair labelled `same: false` whose reply would be given; a false reject one labelled `same: true`
whose reply would not. The data and their limits are described in tests/data/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from rapidfuzz import fuzz
from rich.console import Console
from rich.table import Column, Table

from engine.matching.forms import Form, form
from engine.matching.guards import GUARDS, refusal
from engine.matching.normalise import normalise
from engine.matching.scorer import score
from engine.model.record import replace

DATA = Path(__file__).parent.parent / "tests" / "data"
SETS = ("trigger_pairs", "held_out_pairs")
THRESHOLD = 80.0
SWEEP = (60.0, 65.0, 70.0, 75.0, 80.0, 85.0, 90.0, 95.0, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    trigger: str
    utterance: str
    same: bool
    category: str
    lang: str


Guard = Callable[[Form, Form], str | None]
Matcher = Callable[[Pair], float]
"""The score of a pair, 0-100: it is accepted from the threshold on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """`accepted` of `different` pairs wrongly, `rejected` of `same` pairs wrongly."""

    accepted: int
    different: int
    rejected: int
    same: int

    def __str__(self) -> str:
        return f"{_percent(self.accepted, self.different)} / {_percent(self.rejected, self.same)}"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def load(name: str) -> list[Pair]:
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Pair(**json.loads(line)) for line in lines]


@cache
def _form(text: str) -> Form:
    return form(text)


def ours(pair: Pair) -> float:
    query, trigger = _form(pair.utterance), _form(pair.trigger)
    return 0.0 if query.text != trigger.text and refusal(query, trigger) else score(query, trigger)


def without_form(name: str, pair: Pair) -> float:
    """As `ours`, with one form less to compare."""
    query, trigger = _form(pair.utterance), _form(pair.trigger)
    if query.text == trigger.text:
        return 100.0
    return 0.0 if refusal(query, trigger) else score(replace(query, **{name: ""}), trigger)


def without_guard(left_out: Guard, pair: Pair) -> float:
    """As `ours`, with one guard less to pass."""
    query, trigger = _form(pair.utterance), _form(pair.trigger)
    others = (guard for guard in GUARDS if guard is not left_out)
    refused = query.text != trigger.text and any(guard(query, trigger) for guard in others)
    return 0.0 if refused else score(query, trigger)


def without_guards(pair: Pair) -> float:
    return score(_form(pair.utterance), _form(pair.trigger))


def normal_ratio(pair: Pair) -> float:
    return fuzz.ratio(normalise(pair.utterance), normalise(pair.trigger))


def raw_ratio(pair: Pair) -> float:
    return fuzz.ratio(pair.utterance, pair.trigger)


def raw_wratio(pair: Pair) -> float:
    return fuzz.WRatio(pair.utterance, pair.trigger)


MATCHERS: dict[str, Matcher] = {
    "engine": ours,
    "no guards": without_guards,
    "normalised ratio": normal_ratio,
    "raw ratio": raw_ratio,
    "raw WRatio": raw_wratio,
}
PARTS: dict[str, Matcher] = {
    **{f"without `{name}`": partial(without_form, name) for name in ("turned", "bag", "sound", "borrowed")},
    **{f"without the {guard.__name__} guard": partial(without_guard, guard) for guard in GUARDS},
}
"""The engine with one of its parts left out."""


def errors(pairs: Iterable[Pair], matcher: Matcher, threshold: float = THRESHOLD) -> Errors:
    verdicts = [(pair.same, matcher(pair) >= threshold) for pair in pairs]
    return Errors(
        accepted=verdicts.count((False, True)),
        different=sum(not same for same, _ in verdicts),
        rejected=verdicts.count((True, False)),
        same=sum(same for same, _ in verdicts),
    )


def overall(sets: dict[str, list[Pair]]) -> Table:
    table = Table("matcher at 80", *sets, title="false accepts / false rejects")
    for name, matcher in (MATCHERS | PARTS).items():
        table.add_row(name, *(str(errors(pairs, matcher)) for pairs in sets.values()))
    return table


def sweep(sets: dict[str, list[Pair]]) -> Table:
    table = Table("threshold", *sets, title="engine at other thresholds: false accepts / false rejects")
    for threshold in SWEEP:
        table.add_row(f"{threshold:.0f}", *(str(errors(pairs, ours, threshold)) for pairs in sets.values()))
    return table


def by_language(sets: dict[str, list[Pair]]) -> Table:
    table = Table("language", *sets, title="engine at 80 by language: false accepts / false rejects")
    for lang in ("ja", "en", "mixed"):
        table.add_row(lang, *(str(errors(_only(pairs, lang=lang), ours)) for pairs in sets.values()))
    return table


def by_category(name: str, pairs: Sequence[Pair], *, same: bool) -> Table:
    """Wrong verdicts of each matcher, of the pairs in each category that carry this label."""
    kind = "false rejects" if same else "false accepts"
    table = Table(Column("category", no_wrap=True), "pairs", *MATCHERS, title=f"{name}: {kind} at 80 by category")
    for category in sorted({pair.category for pair in pairs if pair.same == same}):
        chosen = [pair for pair in pairs if pair.category == category and pair.same == same]
        found = (errors(chosen, matcher) for matcher in MATCHERS.values())
        table.add_row(category, str(len(chosen)), *(str(e.rejected if same else e.accepted) for e in found))
    return table


def _only(pairs: Iterable[Pair], *, lang: str) -> list[Pair]:
    return [pair for pair in pairs if pair.lang == lang]


def main() -> None:
    sets = {name: load(name) for name in SETS}
    console = Console()
    for table in (overall(sets), sweep(sets), by_language(sets)):
        console.print(table)
    for name, pairs in sets.items():
        for same in (False, True):
            console.print(by_category(name, pairs, same=same))


if __name__ == "__main__":
    main()
