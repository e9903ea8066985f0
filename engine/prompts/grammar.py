"""The part of Jinja that templates may use, checked once at build time.

Jinja's sandbox bounds neither time nor memory, so the language itself is made small: no assignment, macro, import,
call or power, loops at most two deep, and a short list of filters that cannot make a long text of a short one. What
passes here costs no more than its own length times the data it prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.prompts.scope import Scope

MAX_LOOPS = 2
MAX_SEPARATOR = 20
FILTERS = frozenset(
    {
        "abs",
        "capitalize",
        "default",
        "first",
        "int",
        "join",
        "last",
        "length",
        "lower",
        "round",
        "title",
        "trim",
        "upper",
    }
)
TESTS = frozenset({"defined", "none", "number", "string", "mapping", "sequence", "odd", "even"})
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
    try:
        tree = _PARSER.parse(source)
    except TemplateSyntaxError as error:
        return [TemplateMistake(kind="syntax", message=f"template is broken: {error.message}", line=error.lineno)]
    except RecursionError:
        return [TemplateMistake(kind="syntax", message="template is nested too deeply", line=1)]
    return list(_walk(tree, scope, locals_=frozenset(), loops=0))


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
    close = difflib.get_close_matches(word, scope.spellings(), n=1)
    hint = f"did you mean `{close[0]}`?" if close else "known names: " + ", ".join(sorted(scope.names))
    yield TemplateMistake(kind="name", message=f"unknown name `{word}`", line=line, word=word, hint=hint)


def _check_filter(node: nodes.Filter) -> Iterator[TemplateMistake]:
    if node.name not in FILTERS:
        yield _unlisted("filter", node.name, node.lineno, FILTERS)
    if node.name == "join" and not _join_is_bounded(node):
        yield TemplateMistake(
            kind="construct",
            message=f"`join` needs a plain name before it and a quoted separator of at most {MAX_SEPARATOR} characters",
            line=node.lineno,
            word="join",
        )


def _join_is_bounded(node: nodes.Filter) -> bool:
    separators = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
    short = all(isinstance(value, str) and len(value) <= MAX_SEPARATOR for value in separators)
    plain = isinstance(node.node, nodes.Name | nodes.Getattr)
    return short and plain and len(separators) == len(node.args) <= 1 and not node.kwargs


def _unlisted(what: str, name: str, line: int, known: frozenset[str]) -> TemplateMistake:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"known {what}s: " + ", ".join(sorted(known))
    return TemplateMistake(kind="construct", message=f"unknown {what} `{name}`", line=line, word=name, hint=hint)
