"""False accepts and false rejects of matching on labelled pairs, beside plain rapidfuzz.

    python -m benchmarks.matching [--set FILE…] [--wrong]

A false accept is a pair labelled `same: false` whose reply would be given; a false reject one labelled `same: true`
whose reply would not. The data and their limits are described in tests/data/README.md; a FILE of one's own holds JSON
lines with `trigger`, `utterance`, `same`, `category` and `lang`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import yaml
from rapidfuzz import fuzz
from rich.console import Console
from rich.table import Column, Table

from benchmarks.machine import ROOT
from engine.matching.compare import PAIRS, REACH, Comparison, compare, score
from engine.matching.forms import form, lexicon, takes
from engine.matching.refusals import RULES, Rule
from engine.matching.trigger import Form, Lexicon, Trigger, only_asks
from engine.text.normalise import normalise

DATA = ROOT / "tests" / "data"
SETS = ("trigger_pairs", "held_out_pairs", "word_pairs", "unseen_pairs")
THRESHOLD = 80.0
SWEEP = (60.0, 70.0, 80.0, 85.0, 90.0, 95.0, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    trigger: str
    utterance: str
    same: bool
    category: str
    lang: str


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


def load(file: Path) -> list[Pair]:
    return [Pair(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


@cache
def words() -> Lexicon:
    """The words of the shipped persona, whom most pairs talk to."""
    pipeline = yaml.safe_load((ROOT / "pipelines" / "snack_misaki.yml").read_text(encoding="utf-8"))
    return lexicon(pipeline["address"], pipeline.get("synonyms", ()))


@cache
def _trigger(text: str) -> Form:
    return form(text, words())


@cache
def _utterance(text: str) -> Sequence[Form]:
    return takes(text, words())


def _compared(pair: Pair) -> Iterable[tuple[Comparison, float]]:
    """Each form of the utterance that is looked up, with the letters it shares with the trigger."""
    trigger = _trigger(pair.trigger)
    for query in _utterance(pair.utterance):
        letters = score(query, trigger)
        if letters >= REACH or (query.bag and query.bag == trigger.bag):
            yield compare(query, trigger), letters


def by_rules(rules: Sequence[Rule], pair: Pair) -> float:
    """As the engine, with these rules."""
    trigger = _trigger(pair.trigger)
    asked = only_asks(pair.utterance, Trigger(kind="fuzzy", text=pair.trigger, reply=0), trigger)
    if trigger.text == _utterance(pair.utterance)[0].text and not asked:
        return 100.0
    found = (one.score(letters) for one, letters in _compared(pair) if not any(rule(one) for rule in rules))
    return min(max(found, default=0.0), 99.0)


def by_letters(pair: Pair) -> float:
    return score(_utterance(pair.utterance)[0], _trigger(pair.trigger))


def normal_ratio(pair: Pair) -> float:
    return fuzz.ratio(normalise(pair.utterance), normalise(pair.trigger))


def raw_ratio(pair: Pair) -> float:
    return fuzz.ratio(pair.utterance, pair.trigger)


def raw_wratio(pair: Pair) -> float:
    return fuzz.WRatio(pair.utterance, pair.trigger)


ours = partial(by_rules, RULES)
MATCHERS: dict[str, Matcher] = {
    "engine": ours,
    f"the {len(PAIRS)} forms by letters": by_letters,
    "normalised ratio": normal_ratio,
    "raw ratio": raw_ratio,
    "raw WRatio": raw_wratio,
}
PARTS: dict[str, Matcher] = {
    f"without the rule of {rule.__name__}": partial(by_rules, [other for other in RULES if other is not rule])
    for rule in RULES
}
"""The engine with one of its rules left out."""


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


def wrong(name: str, pairs: Sequence[Pair]) -> Table:
    """The pairs that the engine takes wrongly."""
    table = Table("category", "trigger", "utterance", "should be", title=f"{name}: what the engine takes wrongly")
    for pair in pairs:
        if (ours(pair) >= THRESHOLD) != pair.same:
            table.add_row(pair.category, pair.trigger, pair.utterance, "the same" if pair.same else "different")
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.matching", description="matching on labelled pairs")
    parser.add_argument("--set", nargs="+", type=Path, metavar="FILE", help="other pairs than those of tests/data")
    parser.add_argument("--wrong", action="store_true", help="list the pairs that the engine takes wrongly")
    given = parser.parse_args(arguments)
    sets = {file.stem: load(file) for file in given.set or [DATA / f"{name}.jsonl" for name in SETS]}
    console = Console()
    for table in (overall(sets), sweep(sets), by_language(sets)):
        console.print(table)
    for name, pairs in sets.items():
        for same in (False, True):
            console.print(by_category(name, pairs, same=same))
        if given.wrong:
            console.print(wrong(name, pairs))


if __name__ == "__main__":
    main()
