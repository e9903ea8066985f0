"""The part of Jinja that templates may use, checked once at build time.

Jinja's sandbox bounds neither time nor memory, so the language itself is made small: no assignment, macro, import,
call or power, loops at most two deep, and a short list of filters, whose arguments are plain values of little size, so
that none makes a long text of a short one. Length, parts and nesting are bounded, so that compiling ends soon. What
passes here costs no more than its own length times the data it prints, loops aside, which `engine.templates.sandbox`
counts.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.expressions.evaluate import MAX_NUMBER
from engine.expressions.parse import too_deep
from engine.expressions.scope import Scope

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


def _short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_SEPARATOR


def _small(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= MAX_NUMBER


def _digits(value: Any) -> bool:
    return isinstance(value, int) and 0 <= value <= _MOST_DIGITS


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a filter may be given: constants that fit, by name in their order; `what` says so to an editor."""

    what: str = "no value"
    fits: Mapping[str, Fits] = field(default_factory=dict)

    def allow(self, node: nodes.Filter) -> bool:
        if node.dyn_args is not None or node.dyn_kwargs is not None or len(node.args) > len(self.fits):
            return False
        given: dict[str, nodes.Node] = dict(zip(self.fits, node.args, strict=False))
        given |= {str(pair.key): pair.value for pair in node.kwargs}
        once = len(given) == len(node.args) + len(node.kwargs)
        return once and all(self._allows(name, value) for name, value in given.items())

    def _allows(self, name: str, value: nodes.Node) -> bool:
        fits = self.fits.get(name)
        if fits is anything:
            return True
        return fits is not None and isinstance(value, nodes.Const) and fits(value.value)


def anything(_value: Any) -> bool:
    """For an argument that need not be a constant."""
    return True


_NOTHING = Arguments()
FILTERS: Mapping[str, Arguments] = {
    "abs": _NOTHING,
    "capitalize": _NOTHING,
    "default": Arguments(
        "a value, and `true` where it stands for an empty text too",
        {"default_value": anything, "boolean": lambda value: isinstance(value, bool)},
    ),
    "first": _NOTHING,
    "int": Arguments("at most a plain number", {"default": _small}),
    "join": Arguments(f"a quoted separator of at most {MAX_SEPARATOR} characters", {"d": _short}),
    "last": _NOTHING,
    "length": _NOTHING,
    "lower": _NOTHING,
    "round": Arguments(
        f"a plain number of digits from 0 to {_MOST_DIGITS}, and 'common', 'ceil' or 'floor'",
        {"precision": _digits, "method": lambda value: value in ("common", "ceil", "floor")},
    ),
    "title": _NOTHING,
    "trim": Arguments(f"at most a quoted text of {MAX_SEPARATOR} characters", {"chars": _short}),
    "upper": _NOTHING,
}
TESTS = frozenset({"defined", "none", "number", "string", "mapping", "sequence", "odd", "even"})
_INSIDE = re.compile(r"\{[{%].*?(?:[}%]\}|\Z)", re.DOTALL)
_PARSER = Environment(autoescape=False, optimized=False)  # noqa: S701 - replies are plain text, not HTML
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.CondExpr,
    nodes.List,
    nodes.Tuple,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Concat,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateMistake:
    """A mistake on `line` (from 1) of a template; `word` is the text to point at, where there is one."""

    kind: str
    message: str
    line: int
    word: str = ""
    hint: str = ""


def check_template(source: str, scope: Scope) -> list[TemplateMistake]:
    """Everything in `source` that would fail or cost too much at run time; `kind` is syntax, name or construct."""
    if len(source) > MAX_SOURCE:
        message = f"template is {len(source):,} characters long, at most {MAX_SOURCE:,} are allowed"
        return [TemplateMistake(kind="construct", message=message, line=1)]
    try:
        for opened in _INSIDE.finditer(source):
            if too_deep(opened[0]):
                return [_too_deep_at(source.count("\n", 0, opened.start()) + 1)]
        tree = _PARSER.parse(source)
        mistake = _too_large(tree)
        return [mistake] if mistake else list(_walk(tree, scope, locals_=frozenset(), loops=0))
    except TemplateSyntaxError as error:
        return [TemplateMistake(kind="syntax", message=f"template is broken: {error.message}", line=error.lineno)]
    except RecursionError:
        return [_too_deep_at(1)]
    except ValueError:
        # Python reads no number of more than 4,300 digits.
        return [TemplateMistake(kind="construct", message="template holds a number that is too long", line=1)]


def _too_deep_at(line: int) -> TemplateMistake:
    return TemplateMistake(kind="syntax", message="template is nested too deeply", line=line)


def _too_large(tree: nodes.Template) -> TemplateMistake | None:
    """The first place at which `tree` passes a limit; walks without recursion, as it may be deeper than the stack."""
    level: list[nodes.Node] = [tree]
    parts = depth = 0
    while level:
        parts, depth = parts + len(level), depth + 1
        if depth > MAX_DEPTH:
            return _too_deep_at(level[0].lineno)
        if parts > MAX_PARTS:
            message = f"template has more than {MAX_PARTS:,} parts"
            return TemplateMistake(kind="construct", message=message, line=1, hint="make several of it")
        level = [child for node in level for child in node.iter_child_nodes()]
    return None


def names_in(source: str) -> list[tuple[tuple[str, ...], int]]:
    """Every name in `source` with its attributes and its line; none where it cannot be read."""
    try:
        tree = _PARSER.parse(source)
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
    """Whether rendering cannot change `source`, so that Jinja need not be loaded for it."""
    return not any(mark in source for mark in ("{{", "{%", "{#"))


def _walk(node: nodes.Node, scope: Scope, *, locals_: frozenset[str], loops: int) -> Iterator[TemplateMistake]:
    if not isinstance(node, _ALLOWED):
        word = type(node).__name__.lower()
        yield TemplateMistake(
            kind="construct",
            message=f"template uses a construct that is not allowed: {word}",
            line=node.lineno,
            hint="templates may print values, and use if, for and the listed filters",
        )
        return
    match node:
        case nodes.Getattr(attr=attr) if attr.startswith("_"):
            message = f"attribute `{attr}` is private"
            yield TemplateMistake(kind="construct", message=message, line=node.lineno, word=attr)
        case nodes.Name() | nodes.Getattr() if (path := _path(node)) and path[0] not in locals_:
            yield from _check_path(path, node.lineno, scope)
            return
        case nodes.Filter():
            yield from _check_filter(node)
        case nodes.Test(name=name) if name not in TESTS:
            yield _unlisted("test", name, node.lineno, TESTS)
        case nodes.Const() | nodes.List() | nodes.Tuple():
            yield from _check_literal(node)
        case nodes.For(target=target):
            # What is looped over does not see the loop's own names.
            yield from _walk(node.iter, scope, locals_=locals_, loops=loops)
            loops += 1
            if loops > MAX_LOOPS:
                yield TemplateMistake(
                    kind="construct", message=f"loops are nested more than {MAX_LOOPS} deep", line=node.lineno
                )
            locals_ |= _targets(target) | {"loop"}
        case _:
            pass
    for child in node.iter_child_nodes(exclude=("iter",)):
        yield from _walk(child, scope, locals_=locals_, loops=loops)


def _check_literal(node: nodes.Node) -> Iterator[TemplateMistake]:
    """A number of usual size, or a list of such values; names on the left of a loop are no list."""
    match node:
        case nodes.Const(value=int() | float() as value) if not abs(value) <= MAX_NUMBER:
            message = f"template holds a number above {MAX_NUMBER:.0e}"
            yield TemplateMistake(kind="construct", message=message, line=node.lineno)
        case nodes.List(items=items) | nodes.Tuple(items=items, ctx="load"):
            if not all(isinstance(item, nodes.Const) for item in items):
                message = "a list in a template may hold only texts and numbers"
                yield TemplateMistake(kind="construct", message=message, line=node.lineno)
        case _:
            pass


def _targets(target: nodes.Node) -> frozenset[str]:
    if isinstance(target, nodes.Name):
        return frozenset({target.name})
    return frozenset(name.name for name in target.find_all(nodes.Name))


def _path(node: nodes.Node) -> tuple[str, ...]:
    parts: list[str] = []
    while isinstance(node, nodes.Getattr):
        parts.insert(0, node.attr)
        node = node.node
    return (node.name, *parts) if isinstance(node, nodes.Name) else ()


def _check_path(path: tuple[str, ...], line: int, scope: Scope) -> Iterator[TemplateMistake]:
    if scope.allows(path) and not any(part.startswith("_") for part in path):
        return
    word = ".".join(path)
    hint = scope.remedy(path)
    yield TemplateMistake(kind="name", message=f"unknown name `{word}`", line=line, word=word, hint=hint)


def _check_filter(node: nodes.Filter) -> Iterator[TemplateMistake]:
    arguments = FILTERS.get(node.name)
    if arguments is None:
        yield _unlisted("filter", node.name, node.lineno, FILTERS)
    elif not arguments.allow(node):
        message = f"`{node.name}` takes {arguments.what}"
        yield TemplateMistake(kind="construct", message=message, line=node.lineno, word=node.name)
    elif node.name == "join" and not isinstance(node.node, nodes.Name | nodes.Getattr):
        message = "`join` needs a plain name before it"
        yield TemplateMistake(kind="construct", message=message, line=node.lineno, word="join")


def _unlisted(what: str, name: str, line: int, known: Collection[str]) -> TemplateMistake:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known {what}s: " + ", ".join(sorted(known))
    return TemplateMistake(kind="construct", message=f"unknown {what} `{name}`", line=line, word=name, hint=hint)
