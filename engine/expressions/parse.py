"""Parses a condition, written in Jinja's expression syntax, into the engine's own small tree.

Jinja only reads the words; every node that is not on the list below is refused, so nothing is left that could escape,
loop or grow. This module runs at build time; evaluation (`engine.expressions.evaluate`) needs no Jinja.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Literal

from jinja2 import Environment, TemplateSyntaxError, nodes

from engine.core.expression import (
    Binary,
    Call,
    Choice,
    Comparison,
    Condition,
    Constant,
    Expression,
    Name,
    Scalar,
    Unary,
)
from engine.core.language import phrase
from engine.expressions.evaluate import FUNCTIONS
from engine.expressions.scope import Scope, meant
from engine.text.regexes import compile_pattern

MOST_NESTED = 30
"""Brackets inside each other. Jinja's parser takes fifteen frames of Python's stack for each."""

_QUOTED = re.compile(r"'[^'\\]*(?:\\.[^'\\]*)*'|\"[^\"\\]*(?:\\.[^\"\\]*)*\"", re.DOTALL)
_BRACKETS = re.compile(r"[()\[\]{}]")


def too_deep(expression: str) -> bool:
    """Tells whether more than `MOST_NESTED` brackets are open at once; those in quoted texts do not count."""
    depth = 0
    for bracket in _BRACKETS.findall(_QUOTED.sub("", expression)):
        depth = depth + 1 if bracket in "([{" else max(0, depth - 1)
        if depth > MOST_NESTED:
            return True
    return False


Kind = Literal["syntax", "name", "construct"]

MAX_SOURCE = 2_000
MAX_NODES = 200
PARSER = Environment(autoescape=False)  # noqa: S701 - only its parser is used, nothing is rendered
_OPERATORS = {
    nodes.Not: "not",
    nodes.Neg: "-",
    nodes.Pos: "+",
    nodes.And: "and",
    nodes.Or: "or",
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in"}
_TOO_DEEP = phrase("condition is nested too deeply")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_KNOWN_ESCAPES = frozenset("\\'\"\nabfnrtvxuUN01234567")
"""What Python writes behind a backslash; behind any other, such as the `\\w` of a pattern, it is a plain sign."""


class ConditionError(ValueError):
    """A condition that cannot be compiled; `word` is the part to point at, where there is one."""

    def __init__(self, message: str, *, word: str = "", hint: str = "", kind: Kind = "construct") -> None:
        self.kind, self.word, self.hint = kind, word, hint
        super().__init__(message)


def parse_condition(source: str, scope: Scope) -> Condition:
    """Compile `source`; raises `ConditionError` for bad syntax, an unknown name or function, or a refused construct."""
    if not source.strip():
        raise ConditionError(
            phrase("condition is empty"), hint=phrase("remove the key, or write an expression"), kind="syntax"
        )
    if len(source) > MAX_SOURCE:
        raise ConditionError(
            phrase(
                "condition is {count} characters long, at most {most} are allowed", count=len(source), most=MAX_SOURCE
            )
        )
    if too_deep(source):
        raise ConditionError(_TOO_DEEP)
    try:
        tree = _convert(_parse(source), scope, count(1))
    except RecursionError:
        raise ConditionError(_TOO_DEEP) from None
    return Condition(source=source, tree=tree)


def _parse(source: str) -> nodes.Expr:
    # Wrapped in parentheses so that neither a statement nor a filter chain at the end can hide behind the expression.
    kept = _ESCAPE.sub(lambda escape: escape[0] if escape[1] in _KNOWN_ESCAPES else f"\\{escape[0]}", source)
    try:
        body = PARSER.parse("{{(" + kept + "\n)}}").body
    except TemplateSyntaxError as error:
        why = error.message or phrase("it cannot be read")
        if why == "unexpected ')'":
            # Ours, unless the editor wrote one too many.
            too_many = source.count(")") > source.count("(")
            why = phrase("there is a `)` too many") if too_many else phrase("something is missing at its end")
        raise ConditionError(phrase("condition is not an expression: {why}", why=why), kind="syntax") from None
    match body:
        case [nodes.Output(nodes=[nodes.Expr() as expression])]:
            return expression
        case _:
            raise ConditionError(
                phrase("condition is not one expression"), hint=phrase("write it without {{ and }}"), kind="syntax"
            )


def _convert(node: nodes.Node, scope: Scope, parts: Iterator[int]) -> Expression:  # noqa: PLR0911 - one return for each kind of node
    if next(parts) > MAX_NODES:
        raise ConditionError(phrase("condition has more than {most} parts", most=MAX_NODES))
    match node:
        case nodes.Const(value=value) if value is None or isinstance(value, str | int | float | bool):
            return Constant(value)
        case nodes.List(items=items) | nodes.Tuple(items=items):
            return Constant(tuple(_constant(item) for item in items))
        case nodes.Name() | nodes.Getattr():
            return _name(node, scope)
        case nodes.Not(node=operand) | nodes.Neg(node=operand) | nodes.Pos(node=operand):
            return Unary(_OPERATORS[type(node)], _convert(operand, scope, parts))
        case nodes.BinExpr(left=left, right=right) if type(node) in _OPERATORS:
            return Binary(_OPERATORS[type(node)], _convert(left, scope, parts), _convert(right, scope, parts))
        case nodes.Compare(expr=first, ops=operands):
            rest = tuple((_COMPARISONS[operand.op], _convert(operand.expr, scope, parts)) for operand in operands)
            return Comparison(_convert(first, scope, parts), rest)
        case nodes.CondExpr(test=test, expr1=then, expr2=otherwise) if otherwise is not None:
            return Choice(_convert(test, scope, parts), _convert(then, scope, parts), _convert(otherwise, scope, parts))
        case nodes.Call(node=nodes.Name(name=function), args=arguments, kwargs=[], dyn_args=None, dyn_kwargs=None):
            return _call(function, [_convert(argument, scope, parts) for argument in arguments])
        case _:
            raise ConditionError(
                phrase("condition uses a construct that is not allowed: {word}", word=type(node).__name__.lower()),
                hint=phrase("use comparisons, in, and, or, not, arithmetic, and the listed functions"),
            )


def _constant(node: nodes.Node) -> Scalar:
    value: Scalar = getattr(node, "value", None)
    if isinstance(node, nodes.Const) and (value is None or isinstance(value, str | int | float)):
        return value
    raise ConditionError(phrase("a list in a condition may hold only texts and numbers"))


def _name(node: nodes.Node, scope: Scope) -> Name:
    path: list[str] = []
    while isinstance(node, nodes.Getattr):
        path.insert(0, node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        raise ConditionError(phrase("an attribute may only follow a name"))
    full = (node.name, *path)
    if not scope.allows(full):
        word = ".".join(full)
        raise ConditionError(
            phrase("unknown name `{word}`", word=word), word=word, hint=scope.remedy(full), kind="name"
        )
    return Name(full)


def _call(function: str, arguments: list[Expression]) -> Call:
    if function not in FUNCTIONS:
        every = phrase("known functions: {names}", names=", ".join(sorted(FUNCTIONS)))
        hint = meant(function, FUNCTIONS, every)
        raise ConditionError(phrase("unknown function `{function}`", function=function), word=function, hint=hint)
    least, most = FUNCTIONS[function].arity
    if not least <= len(arguments) <= most:
        takes = phrase("{least} to {most} values", least=least, most=most)
        if least == most:
            takes = phrase("1 value") if least == 1 else phrase("{count} values", count=least)
        message = phrase("`{name}` takes {takes}, {count} given", name=function, takes=takes, count=len(arguments))
        raise ConditionError(message, word=function)
    if function == "matches":
        pattern = arguments[1]
        if not isinstance(pattern, Constant) or not isinstance(pattern.value, str):
            raise ConditionError(phrase("the pattern of `matches` must be a quoted text"), word="matches")
        try:
            compile_pattern(pattern.value, ignore_case=False)
        except ValueError as error:
            raise ConditionError(
                phrase("pattern of `matches` cannot run: {error}", error=error), word="matches"
            ) from None
    return Call(function, tuple(arguments))
