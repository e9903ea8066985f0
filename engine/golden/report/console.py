"""Shows goldens on a terminal: a mark for each conversation while they run, and in full what differs, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from rich.console import Console
from rich.text import Text

from engine.chat.trace import trace_lines
from engine.core.events import Outcome
from engine.golden.accept import Accepted
from engine.golden.coverage import Coverage, NearMiss
from engine.golden.result import ConversationResult, Difference, Status, TurnResult, tally_statuses

# A run of one script is taken for a word, but hiragana and kanji count one by one: they carry inflection and meaning,
# and a change of one of them should not colour the whole sentence.
_WORD = re.compile(r"[A-Za-z0-9']+|[\u30a1-\u30ff]+|\s+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: `gone` stands only in the expected text, `new` only in the one that came."""

    kind: Literal["same", "gone", "new"]
    text: str


def pieces(expected: str, got: str) -> list[Piece]:
    """Both texts as one sequence of pieces; without the `new` ones it is `expected`, without the `gone` ones `got`.

    A single character that happens to be the same between two changes is part of the change.
    """
    before, after = _WORD.findall(expected), _WORD.findall(got)
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    found: list[Piece] = []
    gone = new = ""
    for place, (tag, i, j, k, m) in enumerate([*steps, ("equal", 0, 0, 0, 0)]):
        text = "".join(before[i:j])
        if tag == "equal" and not (len(text) == 1 and 0 < place < len(steps) - 1):
            found += [Piece("gone", gone), Piece("new", new), Piece("same", text)]
            gone = new = ""
        else:
            gone, new = gone + text, new + "".join(after[k:m])
    return [piece for piece in found if piece.text]


def expected_side(found: list[Piece]) -> list[Piece]:
    return [piece for piece in found if piece.kind != "new"]


def got_side(found: list[Piece]) -> list[Piece]:
    return [piece for piece in found if piece.kind != "gone"]


STYLES: dict[Status, str] = {"passed": "green", "failed": "bold red", "stale": "yellow", "skipped": "dim"}
MARKS: dict[Status, str] = {"passed": ".", "failed": "F", "stale": "S", "skipped": "-"}
_PIECES = {"same": "", "gone": "red strike", "new": "green bold"}
_MARKED = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}


class Progress:
    """One line a file, a mark a conversation, written as they end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._file = ""

    def take(self, result: ConversationResult) -> None:
        file = result.golden.path.as_posix()
        if file != self._file:
            self._console.out(f"\n{file} " if self._file else f"{file} ", end="", highlight=False)
            self._file = file
        self._console.out(MARKS[result.status], style=STYLES[result.status], end="", highlight=False)

    def end(self) -> None:
        if self._file:
            self._console.print()


def show_failures(results: Iterable[ConversationResult], console: Console) -> None:
    """Every conversation that did not pass, turn by turn."""
    for result in results:
        if result.status in ("failed", "stale"):
            show_conversation(result, console)


def show_conversation(result: ConversationResult, console: Console) -> None:
    console.print()
    console.print(Text.assemble((f"{result.status} ", STYLES[result.status]), (result.spec.name.value, "bold")))
    console.print(Text(f"  {result.spec.name.span}", "dim"))
    if result.repeats:
        passed = sum(status == "passed" for status in result.repeats)
        console.print(Text(f"  passed {passed} of {len(result.repeats)} runs", "yellow"))
    for turn in result.turns:
        _show_turn(turn, result, console)


def show_summary(results: Sequence[ConversationResult], seconds: float, console: Console) -> None:
    """One line: how many conversations and turns, and how they ended."""
    counts = tally_statuses(tuple(results))
    turns = sum(len(result.turns) for result in results)
    parts = [(f"{count} {status}", STYLES[status]) for status, count in counts.items() if count]
    line = Text("\n")
    for place, (words, style) in enumerate(parts):
        line.append(", " if place else "")
        line.append(words, style)
    line.append(f" of {_count(len(results), 'conversation')} with {_count(turns, 'turn')}, {seconds:.2f} s")
    console.print(line)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def show_accepted(done: Accepted, console: Console) -> None:
    for difference in done.left:
        key, place = difference.expectation.key, difference.expectation.span
        why = "what it says is repeated elsewhere" if difference.acceptable else "no single value settles it"
        console.print(Text(f"{place}: `{key}` is left for you: {why}", "yellow"))
    files = ", ".join(path.as_posix() for path in done.files)
    console.print(f"accepted {_count(len(done.accepted), 'expectation')}" + (f" in {files}" if files else ""))


def show_coverage(found: Sequence[Coverage], console: Console) -> None:
    """What no golden exercises, with its place."""
    for one in found:
        console.print(Text(f"\ncoverage of {one.pipeline}", "bold"))
        for kind, total in one.total.items():
            console.print(f"  {kind:20} {one.exercised(kind):>5} of {total}")
        for gap in one.gaps:
            console.print(Text(f"  {gap.span}: no golden exercises {gap.what}", "yellow"))


def show_near_misses(near: Sequence[NearMiss], console: Console) -> None:
    """Warnings: the utterances that another reply nearly takes."""
    if near:
        console.print(Text("\nnearly taken by another reply", "bold"))
    for miss in near:
        console.print(Text(f"  {miss}", "yellow"))


def _show_turn(turn: TurnResult, result: ConversationResult, console: Console) -> None:
    plan = result.plan
    user, persona = (plan.persona.labels.user, plan.persona.name) if plan else ("user", "reply")
    console.print(Text.assemble("  ", (user, "cyan"), "  ", turn.spec.user.value))
    console.print(
        Text.assemble("  ", (persona, "magenta"), "  ", turn.outcome.reply or Text("(nobody answers)", "red"))
    )
    console.print(Text(f"      {facts(turn)}", "dim"))
    for stale in turn.stale:
        console.print(Text(f"      stale: {stale}", "yellow"))
    for difference in turn.differences:
        _show_difference(difference, console)
    if turn.status != "passed":
        for line, _ in trace_lines(turn.outcome):
            console.print(Text(f"      trace: {line}", "dim"))


def _show_difference(difference: Difference, console: Console) -> None:
    found = pieces(difference.expected, difference.got)
    console.print(
        Text(f"      {difference.expectation.key}", "bold red"), Text(str(difference.expectation.span), "dim")
    )
    console.print(Text.assemble("        expected  ", _painted(expected_side(found))))
    console.print(Text.assemble("        got       ", _painted(got_side(found))))
    colourless = console.color_system is None or console.no_color
    if colourless and any(piece.kind == "same" for piece in found):
        console.print(Text("        changed   " + _indented("".join(_MARKED[p.kind].format(p.text) for p in found))))


def _painted(found: Iterable[Piece]) -> Text:
    text = Text()
    for piece in found:
        text.append(_indented(piece.text), _PIECES[piece.kind])
    return text


def _indented(text: str) -> str:
    return text.replace("\n", "\n                  ")


def facts(turn: TurnResult) -> str:
    """Who answered, how sure it was, and how long it took, as one line."""
    outcome = turn.outcome
    words = [outcome.engine, outcome.step, outcome.reply_id, score(outcome), model(outcome)]
    words.append(f"{turn.result.latency_ms:.0f} ms")
    words += [f"{escalation.step} gave up: {escalation.reason}" for escalation in outcome.escalations]
    return " · ".join(word for word in words if word)


def score(outcome: Outcome) -> str:
    """How well the reply's trigger matched, or how sure the model was."""
    if outcome.score is not None:
        return f"score {outcome.score:g}"
    sure = outcome.completion.confidence if outcome.completion else None
    return "" if sure is None else f"confidence {sure:.2f}"


def model(outcome: Outcome) -> str:
    return outcome.completion.model if outcome.completion else ""
