"""Shows goldens on a terminal: a mark for each conversation while they run, and in full what differs, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from rich.cells import set_cell_size
from rich.console import Console
from rich.text import Text

from engine.chat.trace import trace_lines
from engine.core.events import Outcome
from engine.core.language import phrase, said, tell
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
STATUSES: dict[Status, str] = {
    "passed": phrase("passed"),
    "failed": phrase("failed"),
    "stale": phrase("stale"),
    "skipped": phrase("skipped"),
}
COUNTS: dict[Status, str] = {
    "passed": phrase("{count} passed"),
    "failed": phrase("{count} failed"),
    "stale": phrase("{count} stale"),
    "skipped": phrase("{count} skipped"),
}
MARKS: dict[Status, str] = {"passed": ".", "failed": "F", "stale": "S", "skipped": "-"}
_PIECES = {"same": "", "gone": "red strike", "new": "green bold"}
_MARKED = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}


class Progress:
    """Writes one line a file, one mark a conversation, as they end."""

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
    console.print(
        Text.assemble((f"{said(STATUSES[result.status])} ", STYLES[result.status]), (result.spec.name.value, "bold"))
    )
    console.print(Text(f"  {result.spec.name.span}", "dim"))
    if result.repeats:
        passed = sum(status == "passed" for status in result.repeats)
        console.print(
            Text(tell("  passed {passed} of {count} runs", passed=passed, count=len(result.repeats)), "yellow")
        )
    for turn in result.turns:
        _show_turn(turn, result, console)


def show_summary(results: Sequence[ConversationResult], seconds: float, console: Console) -> None:
    """Shows on one line how many conversations and turns there were, and how they ended."""
    counts = tally_statuses(tuple(results))
    parts = [(tell(COUNTS[status], count=count), STYLES[status]) for status, count in counts.items() if count]
    line = Text("\n")
    for place, (words, style) in enumerate(parts):
        line.append(tell(", ") if place else "")
        line.append(words, style)
    line.append(tell(" of {conversations}, {seconds:.2f} s", conversations=tally_turns(results), seconds=seconds))
    console.print(line)


def tally_turns(results: Sequence[ConversationResult]) -> str:
    """How many conversations and turns there are."""
    conversations = phrase("1 conversation")
    if len(results) != 1:
        conversations = phrase("{count} conversations", count=len(results))
    turns = count_turns(sum(len(result.turns) for result in results))
    return tell("{conversations} with {turns}", conversations=conversations, turns=turns)


def count_turns(count: int) -> str:
    return tell("1 turn") if count == 1 else tell("{count} turns", count=count)


def show_accepted(done: Accepted, console: Console) -> None:
    for difference in done.left:
        key, place = difference.expectation.key, difference.expectation.span
        why = phrase("no single value settles it")
        if difference.acceptable:
            why = phrase("what it says is repeated elsewhere")
        console.print(Text(tell("{place}: `{key}` is left for you: {why}", place=place, key=key, why=why), "yellow"))
    files = ", ".join(path.as_posix() for path in done.files)
    what = phrase("accepted {count} expectations", count=len(done.accepted))
    if len(done.accepted) == 1:
        what = phrase("accepted 1 expectation")
    console.print(tell("{what} in {files}", what=what, files=files) if files else said(what))


def show_coverage(found: Sequence[Coverage], console: Console) -> None:
    """Shows what no golden exercises, with its place."""
    for one in found:
        console.print(Text("\n" + tell("coverage of {pipeline}", pipeline=one.pipeline), "bold"))
        for kind, total in one.total.items():
            console.print(
                tell(
                    "  {kind} {count:>5} of {total}",
                    kind=set_cell_size(said(kind), 20),
                    count=one.exercised(kind),
                    total=total,
                )
            )
        for gap in one.gaps:
            console.print(Text(tell("  {place}: no golden exercises {what}", place=gap.span, what=gap.what), "yellow"))


def show_near_misses(near: Sequence[NearMiss], console: Console) -> None:
    """Warnings: the utterances that another reply nearly takes."""
    if near:
        console.print(Text("\n" + tell("nearly taken by another reply"), "bold"))
    for miss in near:
        console.print(Text(f"  {said(str(miss))}", "yellow"))


def _show_turn(turn: TurnResult, result: ConversationResult, console: Console) -> None:
    plan = result.plan
    user, persona = (plan.persona.labels.user, plan.persona.name) if plan else (tell("user"), tell("reply"))
    console.print(Text.assemble("  ", (user, "cyan"), "  ", turn.spec.user.value))
    console.print(
        Text.assemble("  ", (persona, "magenta"), "  ", turn.outcome.reply or Text(tell("(nobody answers)"), "red"))
    )
    console.print(Text(f"      {facts(turn)}", "dim"))
    for stale in turn.stale:
        console.print(Text(tell("      stale: {reason}", reason=str(stale)), "yellow"))
    for difference in turn.differences:
        _show_difference(difference, console)
    if turn.status != "passed":
        for line, _ in trace_lines(turn.outcome):
            console.print(Text(tell("      trace: {line}", line=line), "dim"))


def _show_difference(difference: Difference, console: Console) -> None:
    found = pieces(said(difference.expected), said(difference.got))
    console.print(
        Text(f"      {difference.expectation.key}", "bold red"), Text(str(difference.expectation.span), "dim")
    )
    console.print(Text.assemble(_labelled(tell("expected")), _painted(expected_side(found))))
    console.print(Text.assemble(_labelled(tell("got")), _painted(got_side(found))))
    colourless = console.color_system is None or console.no_color
    if colourless and any(piece.kind == "same" for piece in found):
        console.print(
            Text(_labelled(tell("changed")) + _indented("".join(_MARKED[p.kind].format(p.text) for p in found)))
        )


def _labelled(label: str) -> str:
    """In front of a text, in a column of its own."""
    return " " * 8 + set_cell_size(label, 10)


def _painted(found: Iterable[Piece]) -> Text:
    text = Text()
    for piece in found:
        text.append(_indented(piece.text), _PIECES[piece.kind])
    return text


def _indented(text: str) -> str:
    return text.replace("\n", "\n                  ")


def facts(turn: TurnResult) -> str:
    """Tells on one line who answered, how sure it was, and how long it took."""
    outcome = turn.outcome
    words = [outcome.engine, outcome.step, outcome.reply_id, score(outcome), model(outcome)]
    words.append(f"{turn.result.latency_ms:.0f} ms")
    words += [
        tell("{step} gave up: {reason}", step=escalation.step, reason=escalation.reason)
        for escalation in outcome.escalations
    ]
    return " · ".join(word for word in words if word)


def score(outcome: Outcome) -> str:
    """Tells how well the reply's trigger matched, or how sure the model was."""
    if outcome.score is not None:
        return tell("score {score:g}", score=outcome.score)
    sure = outcome.completion.confidence if outcome.completion else None
    return "" if sure is None else tell("confidence {sure:.2f}", sure=sure)


def model(outcome: Outcome) -> str:
    return outcome.completion.model if outcome.completion else ""
