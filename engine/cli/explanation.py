"""Shows an explanation on the terminal.

Japanese letters take two cells each, so columns are laid out in cells. What is long has a line of its own: paths,
conditions and reasons in narrow columns are what makes a table hard to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rich.cells import cell_len, set_cell_size
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from engine.chat.explain import Decision, Explanation
from engine.core.language import phrase, said, tell
from engine.steps.explaining import Considered

_COLOURS = {"chosen": "bold green", "refused": "red", "condition": "yellow", "too low": "dim", "passed over": "dim"}
_DAYS = (
    phrase("Monday"),
    phrase("Tuesday"),
    phrase("Wednesday"),
    phrase("Thursday"),
    phrase("Friday"),
    phrase("Saturday"),
    phrase("Sunday"),
)
_VERDICTS = {
    "chosen": phrase("chosen"),
    "refused": phrase("refused"),
    "condition": phrase("condition"),
    "too low": phrase("too low"),
    "passed over": phrase("passed over"),
}
_MARKS = {"chosen": "✓", "too low": " "}
SHOWN = 10
"""Triggers shown that reach the threshold; the rest are counted."""
SHOWN_BELOW = 5
"""Triggers shown that come near it."""

_WIDEST_NAME = 30
_INDENT = 12
"""Cells before the name of a reply: its mark and score."""


def print_explanation(explanation: Explanation, console: Console) -> None:
    for part in _parts(explanation, console.width):
        console.print(part)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Cells for each column, and the folder that all places share where there is no room to repeat it."""

    name: int
    trigger: int
    folder: str


def _parts(explanation: Explanation, width: int) -> Iterator[RenderableType]:
    matching = [one for one in explanation.considered if one.verdict != "too low"]
    told = {one.reply_id for one in matching}
    below = [one for one in explanation.considered if one.verdict == "too low" and one.reply_id not in told]
    columns = _columns([*matching[:SHOWN], *below[:SHOWN_BELOW]], width)
    yield Text.assemble(
        (explanation.text, "bold"),
        tell("  on {day}, {now:%Y-%m-%d} at {now:%H:%M}", day=_DAYS[explanation.now.weekday()], now=explanation.now),
    )
    yield from _titled(tell("how the text is compared"), _stages(explanation))
    yield from _titled(tell("what is read in it"), _words(explanation))
    yield from _titled(tell("what kind of sentence it is"), _kind(explanation))
    none = Text(tell("  none"), "dim")
    yield from _titled(tell("replies that match"), _listed(matching, columns, SHOWN) if matching else iter([none]))
    near = tell("replies that come near: {threshold:g} is needed", threshold=explanation.threshold)
    yield from _titled(near, _listed(below, columns, SHOWN_BELOW))
    if columns.folder and explanation.considered:
        yield Text("\n" + tell("the files are in {folder}", folder=columns.folder), "dim")
    yield from _titled(tell("what external models see of it"), _masked(explanation))
    yield from _titled(tell("what the pipeline does"), _decisions(explanation.decisions))


def _titled(title: str, lines: Iterator[RenderableType]) -> Iterator[RenderableType]:
    """The lines below their title; nothing where there are none."""
    first = next(lines, None)
    if first is not None:
        yield from (Text(f"\n{title}", "underline"), first)
        yield from lines


def _stages(explanation: Explanation) -> Iterator[RenderableType]:
    """The text after each stage that changed something that can be seen."""
    rows = [(tell("as written"), explanation.text)]
    rows += [(said(name), text) for name, text in explanation.stages if text.strip()]
    changed = [row for place, row in enumerate(rows) if not place or row[1].strip() != rows[place - 1][1].strip()]
    width = max(cell_len(name) for name, _ in changed)
    for name, text in changed:
        yield Text.assemble("  ", (set_cell_size(name, width), "dim"), f"  {text.strip()}")


def _words(explanation: Explanation) -> Iterator[RenderableType]:
    rows = [(said(what), said(words)) for what, words in explanation.words]
    width = max((cell_len(what) for what, _ in rows), default=0)
    for what, words in rows:
        yield Text.assemble("  ", (set_cell_size(what, width), "dim"), f"  {words}")


def _kind(explanation: Explanation) -> Iterator[RenderableType]:
    kind = explanation.kind
    if kind is not None:
        yield Text.assemble(
            "  ", (kind.name, "bold"), tell("  {sure:.0%} sure, {second} is next", sure=kind.sure, second=kind.second)
        )
        if kind.why:
            yield Padding(
                Text(tell("because of {features}", features=", ".join(kind.why)), "dim"), (0, 0, 0, 2), expand=False
            )


def _masked(explanation: Explanation) -> Iterator[RenderableType]:
    """The text with its placeholders, and which rule found what; nothing where it has none."""
    if explanation.masks:
        yield Text(f"  {explanation.masked}")
    for rule, found in explanation.masks:
        yield Text.assemble("  ", (f"{rule:{max(len(name) for name, _ in explanation.masks)}}  {found}", "dim"))


def _listed(items: Sequence[Considered], columns: _Columns, shown: int) -> Iterator[RenderableType]:
    """Each with the words of its trigger, and why it got its verdict."""
    for one in items[:shown]:
        yield _line(one, columns)
        if one.words and one.verdict != "chosen":
            yield Padding(Text(tell("words: {words}", words=one.words), "dim"), (0, 0, 0, _INDENT), expand=False)
        why = said(one.why)
        if one.verdict != "too low":
            why = said(_VERDICTS[one.verdict]) + (f": {why}" if why else "")
        yield Padding(Text(why, _COLOURS[one.verdict]), (0, 0, 0, _INDENT), expand=False)
    if len(items) > shown:
        yield Text(" " * _INDENT + tell("and {count} more", count=len(items) - shown), "dim")


def _columns(items: Sequence[Considered], width: int) -> _Columns:
    name = min(max((cell_len(one.reply_id) for one in items), default=0), _WIDEST_NAME)
    trigger = max((cell_len(_trigger(one)) for one in items), default=0)
    room = width - _INDENT - name - 4
    longest = max((len(_where(one, "")) for one in items), default=0)
    folders = {PurePosixPath(one.span.file).parent.as_posix() for one in items}
    if trigger + longest <= room or len(folders) != 1:
        return _Columns(name=name, trigger=max(min(trigger, room - longest), 10), folder="")
    folder = folders.pop()
    longest = max(len(_where(one, folder)) for one in items)
    return _Columns(name=name, trigger=max(min(trigger, room - longest), 10), folder=folder)


def _line(one: Considered, columns: _Columns) -> Text:
    style = _COLOURS[one.verdict]
    return Text.assemble(
        (f"  {_MARKS.get(one.verdict, '×')} {one.score:5.1f}  ", style),
        (_fitted(one.reply_id, columns.name), style),
        f"  {_fitted(_trigger(one), columns.trigger)}  ",
        (_where(one, columns.folder), "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


def _trigger(one: Considered) -> str:
    return one.trigger if one.kind == "fuzzy" else f"{one.kind}: {one.trigger}"


def _where(one: Considered, folder: str) -> str:
    file = PurePosixPath(one.span.file).name if folder else one.span.file
    return f"{file}:{one.span.line}"


def _fitted(text: str, cells: int) -> str:
    """`text` in exactly so many cells, with a sign where something is cut."""
    return set_cell_size(text, cells) if cell_len(text) <= cells else set_cell_size(text, cells - 1) + "…"


def _decisions(items: Sequence[Decision]) -> Iterator[RenderableType]:
    width = max(cell_len(one.step) for one in items)
    for one in items:
        yield Text.assemble("  ", (_fitted(one.step, width), "dim"), ("  " + said(one.action), "bold"))
        if one.why:
            yield Padding(Text(said(one.why)), (0, 0, 0, width + 4), expand=False)
        for name, value in one.remembered.items():
            told = tell("remembers {name}: {value}", name=name, value=value)
            if value is None:
                told = tell("forgets {name}", name=name)
            yield Padding(Text(told, "cyan"), (0, 0, 0, width + 4), expand=False)
