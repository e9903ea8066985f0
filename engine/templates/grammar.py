"""Checks at build time that a template uses only the allowed part of Jinja.

Jinja's sandbox bounds neither time nor memory, so the language itself is made small: no assignment, macro, import,
call or power, loops at most two deep, and a short list of filters, whose arguments are plain values of little size, so
that none makes a long text of a short one. Length, parts and nesting are bounded, so that compiling ends soon. What
passes here costs no more than its own length times the data it prints, loops aside, which `engine.templates.sandbox`
counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import TemplateSyntaxError, nodes

from engine.core.language import phrase
from engine.expressions.evaluate import MAX_NUMBER
from engine.expressions.parse import PARSER, too_deep
from engine.expressions.scope import Scope, meant

MAX_SOURCE = 50_000
MAX_PARTS = 2_000
"""Nodes of the syntax tree: `{{ persona.name }}` has three."""

MAX_DEPTH = 50
"""Nodes inside each other. Jinja's compiler takes four frames of Python's stack for each, and Python itself allows no
more than a hundred levels of indentation, one for each `if`."""

MAX_LOOPS = 2
MAX_SEPARATOR = 20
_MOST_DIGITS = 10

Fits = Callable[[Any], bool]
"""Whether a constant may be an argument."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a filter: tests of constants by name, in order; `what` describes them to an editor."""

    what: str = phrase("no value")
    fits: Mapping[str, Fits] = field(default_factory=dict)

    def allow(self, node: nodes.Filter) -> bool:
        if node.dyn_args is not None or node.dyn_kwargs is not None or len(node.args) > len(self.fits):
            return False
        given = [*zip(self.fits, node.args, strict=False), *((str(pair.key), pair.value) for pair in node.kwargs)]
        if len(dict(given)) < len(given) or not dict(given).keys() <= self.fits.keys():
            return False
        plain = ((self.fits[name], value) for name, value in given if self.fits[name] is not anything)
        return all(isinstance(value, nodes.Const) and fits(value.value) for fits, value in plain)


def anything(_value: Any) -> bool:
    """Accepts any argument, constant or not."""
    return True


def _short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_SEPARATOR


FILTERS: Mapping[str, Arguments] = {
    **dict.fromkeys(("abs", "capitalize", "first", "last", "length", "lower", "title", "upper"), Arguments()),
    "default": Arguments(
        phrase("a value, and `true` where it stands for an empty text too"),
        {"default_value": anything, "boolean": lambda value: isinstance(value, bool)},
    ),
    "int": Arguments(
        phrase("at most a plain number"),
        {"default": lambda value: isinstance(value, int | float) and abs(value) <= MAX_NUMBER},
    ),
    "join": Arguments(phrase("a quoted separator of at most {most} characters", most=MAX_SEPARATOR), {"d": _short}),
    "round": Arguments(
        phrase("a plain number of digits from 0 to {most}, and 'common', 'ceil' or 'floor'", most=_MOST_DIGITS),
        {
            "precision": lambda value: isinstance(value, int) and 0 <= value <= _MOST_DIGITS,
            "method": lambda value: value in ("common", "ceil", "floor"),
        },
    ),
    "trim": Arguments(phrase("at most a quoted text of {most} characters", most=MAX_SEPARATOR), {"chars": _short}),
}
TESTS = frozenset({"defined", "none", "number", "string", "mapping", "sequence", "odd", "even"})
_INSIDE = re.compile(r"\{[{%].*?(?:[}%]\}|\Z)", re.DOTALL)
_STATEMENTS = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For)
_VALUES = (nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple, nodes.CondExpr)
_OPERATORS = (nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Concat)
_ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_ALLOWED = (*_STATEMENTS, *_VALUES, *_OPERATORS, *_ARITHMETIC, nodes.Filter, nodes.Keyword, nodes.Test)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMistake:
    """A mistake on `line` (from 1) of a template; `word` is the text to point at, where there is one."""

    kind: str
    message: str
    line: int
    word: str = ""
    hint: str = ""


def _refused(message: str, line: int, word: str = "", hint: str = "") -> TemplateMistake:
    return TemplateMistake(kind="construct", message=message, line=line, word=word, hint=hint)


def check_template(source: str, scope: Scope) -> list[TemplateMistake]:
    """Everything in `source` that would fail or cost too much at run time; `kind` is syntax, name or construct."""
    if len(source) > MAX_SOURCE:
        message = phrase(
            "template is {count:,} characters long, at most {most:,} are allowed", count=len(source), most=MAX_SOURCE
        )
        return [_refused(message, 1)]
    try:
        for opened in _INSIDE.finditer(source):
            if too_deep(opened[0]):
                return [_too_deep_at(source.count("\n", 0, opened.start()) + 1)]
        tree = PARSER.parse(source)
        mistake = _too_large(tree)
        return [mistake] if mistake else list(_walk(tree, scope, locals_=frozenset(), loops=0))
    except TemplateSyntaxError as error:
        return [
            TemplateMistake(
                kind="syntax", message=phrase("template is broken: {why}", why=error.message), line=error.lineno
            )
        ]
    except RecursionError:
        return [_too_deep_at(1)]
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        return [_refused(phrase("template holds a number that is too long"), 1)]


def _too_deep_at(line: int) -> TemplateMistake:
    return TemplateMistake(kind="syntax", message=phrase("template is nested too deeply"), line=line)


def _too_large(tree: nodes.Template) -> TemplateMistake | None:
    """The first place at which `tree` passes a limit; walks without recursion, as it may be deeper than the stack."""
    level: list[nodes.Node] = [tree]
    parts = depth = 0
    while level:
        parts, depth = parts + len(level), depth + 1
        if depth > MAX_DEPTH:
            return _too_deep_at(level[0].lineno)
        if parts > MAX_PARTS:
            return _refused(
                phrase("template has more than {most:,} parts", most=MAX_PARTS), 1, hint=phrase("make several of it")
            )
        level = [child for node in level for child in node.iter_child_nodes()]
    return None


def names_in(source: str) -> list[tuple[tuple[str, ...], int]]:
    """Every name in `source` with its attributes and its line; none where it cannot be read."""
    try:
        tree = PARSER.parse(source)
    except (TemplateSyntaxError, RecursionError, ValueError):
        return []
    found: list[tuple[tuple[str, ...], int]] = []
    pending: list[nodes.Node] = [tree]
    while pending:
        node = pending.pop()
        path = _path(node)
        if path:
            found.append((path, node.lineno))
        else:
            pending += node.iter_child_nodes()
    return found


def is_constant(source: str) -> bool:
    """Tells whether rendering cannot change `source`, so that Jinja need not be loaded."""
    return not any(mark in source for mark in ("{{", "{%", "{#"))


def _walk(node: nodes.Node, scope: Scope, *, locals_: frozenset[str], loops: int) -> Iterator[TemplateMistake]:
    if not isinstance(node, _ALLOWED):
        message = phrase("template uses a construct that is not allowed: {word}", word=type(node).__name__.lower())
        yield _refused(
            message, node.lineno, hint=phrase("templates may print values, and use if, for and the listed filters")
        )
        return
    match node:
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            yield _refused(phrase("attribute `{attr}` is private", attr=attr), node.lineno, attr)
        case nodes.Name() | nodes.Getattr() if (path := _path(node)) and path[0] not in locals_:
            if not scope.allows(path) or any(part.startswith("_") for part in path):
                word, hint = ".".join(path), scope.remedy(path)
                message = phrase("unknown name `{word}`", word=word)
                yield TemplateMistake(kind="name", message=message, line=node.lineno, word=word, hint=hint)
            return
        case nodes.Filter() | nodes.Test():
            yield from _check_filter(node)
        case nodes.Const() | nodes.List() | nodes.Tuple(ctx="load"):
            yield from _check_literal(node)
        case nodes.For(target=target):
            # What is looped over does not see the loop's own names.
            yield from _walk(node.iter, scope, locals_=locals_, loops=loops)
            loops += 1
            if loops > MAX_LOOPS:
                yield _refused(phrase("loops are nested more than {most} deep", most=MAX_LOOPS), node.lineno)
            locals_ |= {"loop", *(name.name for name in nodes.Tuple([target], "store").find_all(nodes.Name))}
        case _:
            pass
    for child in node.iter_child_nodes(exclude=("iter",)):
        yield from _walk(child, scope, locals_=locals_, loops=loops)


def _check_literal(node: nodes.Const | nodes.List | nodes.Tuple) -> Iterator[TemplateMistake]:
    """A number of usual size, or a list of such values."""
    if not isinstance(node, nodes.Const):
        if not all(isinstance(item, nodes.Const) for item in node.items):
            yield _refused(phrase("a list in a template may hold only texts and numbers"), node.lineno)
    elif isinstance(node.value, int | float) and not abs(node.value) <= MAX_NUMBER:
        yield _refused(phrase("template holds a number above {most:.0e}", most=MAX_NUMBER), node.lineno)


def _path(node: nodes.Node) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.insert(0, node.attr)
        node = node.node
    return (node.name, *parts) if isinstance(node, nodes.Name) else ()


def _check_filter(node: nodes.Filter | nodes.Test) -> Iterator[TemplateMistake]:
    known: Collection[str] = FILTERS
    unknown, others = phrase("unknown filter `{name}`"), phrase("known filters: {names}")
    if isinstance(node, nodes.Test):
        known, unknown, others = TESTS, phrase("unknown test `{name}`"), phrase("known tests: {names}")
    arguments = FILTERS.get(node.name)
    if node.name not in known:
        hint = meant(node.name, known, phrase(others, names=", ".join(sorted(known))))
        yield _refused(phrase(unknown, name=node.name), node.lineno, node.name, hint)
    elif isinstance(node, nodes.Test) or arguments is None:
        return
    elif not arguments.allow(node):
        yield _refused(phrase("`{name}` takes {takes}", name=node.name, takes=arguments.what), node.lineno, node.name)
    elif node.name == "join" and not isinstance(node.node, nodes.Name | nodes.Getattr):
        yield _refused(phrase("`join` needs a plain name before it"), node.lineno, "join")
