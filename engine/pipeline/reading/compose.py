"""Composes YAML text to a tree of nodes from the parser's events, within the limits.

The stream is read one event at a time with a stack of our own, so no nesting can exhaust the interpreter's; aliases
share their node, and what they would take when written out is counted. Mistakes that leave the tree readable are
collected beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import yaml

from engine.core.language import phrase
from engine.core.node import (
    FIRST_OF_SURPRISE,
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_NODES,
    MAX_PROBLEMS,
    MAX_SCALAR,
    WORDS,
    Entry,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    resolve,
    surprise,
)
from engine.core.source import Located, Problem, Span, span
from engine.pipeline.reading.files import UNPRINTABLE, at, lines, problem, read_text, shortened
from engine.pipeline.reading.slips import MAY_SWALLOW, MOST_COMMENTS, glued_comments, swallowed, unlisted_key
from engine.pipeline.reading.syntax import condition_slip, in_quotes, syntax_problem

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _TooMuch(Exception):
    """A limit was passed, as the problem in it says; reading stops here."""


class _Stumbled(Exception):
    """A line that the parser takes for something else, so that nothing after it is what it was meant as."""


class _Enough(Exception):
    """More problems were found than anybody reads."""


@dataclass(slots=True)
class _Open:
    """A list or a mapping that has begun; `parts` are its items or entries, `lines` those of its keys.

    `is_two` tells that it holds the keys of two items of a list, the second of which lacks its dash.
    """

    start: Any
    anchor: str | None
    is_mapping: bool
    parts: list[Any] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    key: Node | None = None
    flagged: bool = False
    is_two: bool = False
    size: int = 1

    def node(self, place: Span) -> Node:
        return (MappingNode if self.is_mapping else SequenceNode)(tuple(self.parts), place, self.flagged)


def compose(text: str, name: str) -> tuple[Node | None, list[Problem]]:
    """The tree of the one document in `text`, and every mistake found.

    Where the text stops being YAML, the tree holds what came before; no tree where a limit was passed or where nobody
    would read more problems.
    """
    composer = _Composer(name, text)
    try:
        composer.take(_events(text))
    except yaml.YAMLError as error:
        return _broken_off(text, name, syntax_problem(error, text, name, composer.last))
    except _Stumbled as stumbled:
        return _broken_off(text, name, stumbled.args[0])
    except _Enough:
        return None, composer.problems
    except _TooMuch as limit:
        return None, [*composer.problems, limit.args[0]]
    if composer.root is None:
        empty = problem("P112", phrase("file is empty"), at(name, 1, 1), phrase("fill it, or remove it"))
        return None, [*composer.problems, empty]
    return composer.root, [*composer.problems, *islice(glued_comments(text, composer.root), MOST_COMMENTS)]


def _broken_off(text: str, name: str, found: Problem) -> tuple[Node | None, list[Problem]]:
    """Composes the tree up to the line of the mistake, which the parser may have noticed only later."""
    composer = _Composer(name, text)
    with suppress(yaml.YAMLError, _Stumbled, _Enough):
        composer.take(takewhile(lambda event: event.end_mark.line + 1 < found.span.line, _events(text)))
    with suppress(_Enough):
        composer.break_off(found)
    return composer.root, composer.problems


def _events(text: str) -> Iterator[Any]:
    """The parser's events; where libyaml gives up at its own depth, PyYAML goes on up to ours."""
    given = 0
    try:
        for event in _parsed(text, _LOADER):
            given += 1
            yield event
    except yaml.YAMLError as error:
        # So it says since PyYAML 6.0.4, of 1,000 brackets and before it has given an event of the first.
        if "exceeded maximum nesting depth" not in str(error):
            raise
        yield from islice(_parsed(text, yaml.SafeLoader), given, None)


def _parsed(text: str, loader_class: Any) -> Iterator[Any]:
    loader = loader_class(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            yield event
    finally:
        loader.dispose()


class _Composer:
    """Builds the tree from the events that `take` is given."""

    def __init__(self, name: str, text: str) -> None:
        self.root: Node | None = None
        self.problems: list[Problem] = []
        self.last: Any = None
        """The event of the last scalar."""
        self._name = name
        self._text = text
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._documents = 0

    def take(self, events: Iterable[Any]) -> None:
        handlers = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceStartEvent: self._open,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)

    def break_off(self, found: Problem) -> None:
        """Ends the tree where the parser gave up; what is open then is flagged, as nobody knows what it would hold."""
        self._note(found)
        while self._stack:
            opened = self._stack.pop()
            opened.flagged = True
            if opened.is_mapping and opened.parts:
                # What the value of the last entry would be may stand behind the mistake.
                key, value = opened.parts[-1]
                if isinstance(value, ScalarNode) and not value.source and value.value is None:
                    opened.parts[-1] = Entry(key, value._replace(flagged=True))
            line, column = opened.start.line + 1, opened.start.column + 1
            last, end = max((line, column + 1), (found.span.line, found.span.column + 1))
            self._add(opened.node(span(self._name, line, column, last, end)), opened.size, opened.anchor)

    def _note(self, found: Problem) -> None:
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Enough
        self.problems.append(found)

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = phrase("remove the line `---`, or use two files")
            raise _TooMuch(problem("P111", phrase("a second document begins"), self._span(event), hint))

    def _open(self, event: Any) -> None:
        self._tag(event)
        if len(self._stack) >= MAX_DEPTH:
            message = phrase("nested more than {most} levels deep", most=MAX_DEPTH)
            raise _TooMuch(problem("P109", message, self._span(event)))
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Open(event.start_mark, event.anchor, is_mapping))

    def _close(self, event: Any) -> None:
        opened = self._stack.pop()
        start, end = opened.start, event.end_mark
        place = span(self._name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)
        self._add(opened.node(place), opened.size, opened.anchor)

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _TooMuch(problem("P108", phrase("more than {most} aliases", most=MAX_ALIASES), self._span(event)))
        if event.anchor not in self._anchors:
            anchor = shortened(event.anchor)
            message = phrase("`*{anchor}` refers to a name that no `&` defines before it", anchor=anchor)
            self._note(problem("P108", message, self._span(event), phrase("put a text that begins with `*` in quotes")))
            self._add(ScalarNode(f"*{event.anchor}", f"*{event.anchor}", self._span(event), flagged=True), 1, None)
            return
        self._add(*self._anchors[event.anchor], None)

    def _scalar(self, event: Any) -> None:
        place, text = self._span(event), event.value
        self.last = event
        tagged = self._tag(event)
        if len(text) > MAX_SCALAR:
            message = phrase(
                "text is {count:,} characters long, at most {most:,} are allowed", count=len(text), most=MAX_SCALAR
            )
            raise _TooMuch(problem("P109", message, place))
        if tagged:
            node = ScalarNode(text, text, place, flagged=True)
        elif not event.implicit[0]:
            found = UNPRINTABLE.search(text)
            if found:
                message = phrase("character U+{number:04X} is not allowed in a text", number=ord(found.group()))
                self._note(problem("P106", message, place, phrase("remove its escape")))
            node = ScalarNode(text, text, place, found is not None)
        elif place.line != place.end_line and MAY_SWALLOW.search(text):
            slip = swallowed(self._lines, place)
            if slip:
                self._note(slip)
            node = ScalarNode(text, text, place, slip is not None)
        elif not text or text[0] in FIRST_OF_SURPRISE:
            node = self._surprising(text, place)
        else:
            node = ScalarNode(WORDS.get(text, text), text, place)
        self._add(node, 1, event.anchor)

    def _surprising(self, text: str, place: Span) -> ScalarNode:
        """An unquoted word that may be a number, or one that readers of YAML do not agree on."""
        meaning = surprise(text)
        if meaning is None:
            return ScalarNode(resolve(text), text, place)
        shown = shortened(text)
        message = phrase(
            "`{text}` without quotes is text to some readers of YAML and {meaning} to others",
            text=shown,
            meaning=meaning,
        )
        hint = phrase('write "{text}", or what you mean', text=shown)
        if meaning in ("true", "false"):
            hint = phrase('write "{text}" for text, or {meaning}', text=text, meaning=meaning)
        self._note(problem("P110", message, place, hint))
        return ScalarNode(text, text, place, flagged=True)

    @cached_property
    def _lines(self) -> list[str]:
        """Taken apart once: every text of several lines may have to be looked at."""
        return lines(self._text)

    def _tag(self, event: Any) -> bool:
        """Notes a tag, which is a mistake, and tells whether there was one."""
        if event.tag is None:
            return False
        tag = shortened(event.tag).replace("tag:yaml.org,2002:", "!!")
        place = at(self._name, event.start_mark.line + 1, event.start_mark.column + 1, 1)
        line = self._lines[place.line - 1]
        hint = phrase("remove it")
        if not tag.startswith("!!"):
            text = in_quotes(line[place.column - 1 :])
            hint = phrase("put a text that begins with `!` in quotes: write {text}", text=text)
        message = phrase("tag `{tag}` is not allowed", tag=tag)
        self._note(condition_slip(line, place) or problem("P107", message, place, hint))
        return True

    def _add(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        parent.size += size
        if parent.size > MAX_NODES:
            message = phrase("more than {most:,} values, aliases written out", most=MAX_NODES)
            raise _TooMuch(problem("P109", message, node.span, phrase("split the file into several")))
        if not parent.is_mapping:
            parent.parts.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._entry(parent, parent.key, node)
            parent.key = None

    def _entry(self, parent: _Open, key: Node, value: Node) -> None:
        word = self._key(key)
        if word is None:
            parent.flagged = True
        elif word.value not in parent.lines:
            parent.lines[word.value] = word.span.line
            parent.parts.append(Entry(word, value))
        elif not parent.is_two:
            # Of a whole item that lacks its dash, only the first key is told.
            in_list = len(self._stack) > 1 and not self._stack[-2].is_mapping
            parent.is_two = in_list and word.value == parent.parts[0].key.value
            first = parent.lines[word.value]
            message = phrase("key `{key}` stands twice, first on line {line}", key=shortened(word.value), line=first)
            hint = phrase("remove one, or rename it")
            if parent.is_two:
                hint = phrase("begin the next item with `- `, or remove one")
            self._note(problem("P103", message, word.span, hint))

    def _key(self, key: Node) -> Located[str] | None:
        if not isinstance(key, ScalarNode):
            line = self._lines[key.span.line - 1]
            written = in_quotes(line[max(0, line.find("{{")) :])
            hint = phrase("a text that begins with `{{{{` stands in quotes: write {text}", text=written)
            self._note(condition_slip(line, key.span) or problem("P113", phrase("a key is not a word"), key.span, hint))
            return None
        is_plain = self._lines[key.span.line - 1][key.span.column - 1 : key.span.column] == "<"
        if key.source == "<<" and is_plain and not key.flagged:
            self._note(problem("P108", phrase("merge key `<<` is not read"), key.span, phrase("write the keys out")))
            return None
        dashed = unlisted_key(self._lines, key.span)
        if dashed is not None:
            raise _Stumbled(dashed)
        if key.source[:1] in ("\u3000", "\xa0"):
            message = phrase("a wide space or a no-break space stands in the indentation")
            raise _Stumbled(problem("P102", message, key.span, phrase("indent with plain spaces")))
        if key.value is None:
            self._note(problem("P113", phrase("a key is missing before `:`"), key.span, phrase("write a word")))
            return None
        return Located(value=key.source, span=key.span)

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        return span(self._name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def read_file(path: Path, name: str) -> tuple[Node | None, list[Problem]]:
    """The tree of a YAML file, and every mistake found in it; `name` is what spans and problems call the file."""
    text, problems = read_text(path, name)
    if text is None:
        return None, problems
    return compose(text, name)
