"""Evaluates compiled conditions. Cost is bounded by the tree: no loop, no attribute access on objects, small numbers.

Names are looked up in plain mappings. A comparison between things that have no order (a text and a number) is false
rather than an error, because a condition runs on whatever users and models say.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from engine.core.expression import Binary, Call, Choice, Comparison, Condition, Constant, Expression, Name, Unary
from engine.core.record import record
from engine.text.regexes import Pattern, compile_pattern

MAX_NUMBER = 10**15
MAX_TEXT = 20_000


@record(kw_only=False)
class Function:
    arity: tuple[int, int]
    run: Callable[..., Any]


def holds(condition: Condition | None, names: Mapping[str, Any]) -> bool:
    """Tells whether `condition` is true; no condition always is."""
    return condition is None or bool(evaluate(condition, names))


def never_holds(condition: Condition | None, env: Mapping[str, Any]) -> bool:
    """Tells whether `condition` is false in every turn, judged by its `env` names alone; when in doubt, no."""
    return condition is not None and _never(condition.tree, {"env": env})


def _never(node: Expression, names: Mapping[str, Any]) -> bool:
    match node:
        case Binary("and", left, right):
            return _never(left, names) or _never(right, names)
        case Binary("or", left, right):
            return _never(left, names) and _never(right, names)
        case Constant() | Name(("env", _)):
            return not _value(node, names)
        case Unary("not", Constant() | Name(("env", _)) as operand):
            return bool(_value(operand, names))
        case _:
            return False


def evaluate(condition: Condition, names: Mapping[str, Any]) -> Any:
    """The value of `condition`. An absent attribute is `None`, as is arithmetic on what is not a number."""
    return _value(condition.tree, names)


def _value(node: Expression, names: Mapping[str, Any]) -> Any:  # noqa: C901, PLR0911 - one case for each kind of node
    match node:
        case Constant(value):
            return value
        case Name(path):
            found: Any = names
            for part in path:
                found = found.get(part) if isinstance(found, Mapping) else None
            return found
        case Binary("and", left, right):
            return _value(left, names) and _value(right, names)
        case Binary("or", left, right):
            return _value(left, names) or _value(right, names)
        case Binary(sign, left, right):
            return _arithmetic(sign, _value(left, names), _value(right, names))
        case Comparison(first, rest):
            return _compare(_value(first, names), rest, names)
        case Unary("not", operand):
            return not _value(operand, names)
        case Unary(sign, operand):
            return _arithmetic(sign, 0, _value(operand, names))
        case Choice(test, then, otherwise):
            return _value(then if _value(test, names) else otherwise, names)
        case Call(function, arguments):
            return FUNCTIONS[function].run(*[_value(argument, names) for argument in arguments])


def parts_of(tree: Expression) -> tuple[Expression, ...]:
    """The expressions that an expression is made of."""
    match tree:
        case Unary(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Comparison(first=first, rest=rest):
            return (first, *(expression for _, expression in rest))
        case Choice(test=test, then=then, otherwise=otherwise):
            return (test, then, otherwise)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda item, holder: item in holder,
    "not in": lambda item, holder: item not in holder,
}


def _arithmetic(sign: str, left: Any, right: Any) -> float | None:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    if abs(left) > MAX_NUMBER or abs(right) > MAX_NUMBER:
        return None
    try:
        result: float = _ARITHMETIC[sign](left, right)
    except ZeroDivisionError:
        return None
    return result


def _compare(first: Any, rest: tuple[tuple[str, Expression], ...], names: Mapping[str, Any]) -> bool:
    left = first
    for sign, node in rest:
        right = _value(node, names)
        try:
            if not _COMPARISONS[sign](left, right):
                return False
        except (TypeError, RecursionError):
            return False
        left = right
    return True


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) else 0


@lru_cache(maxsize=4096)
def _pattern(source: str) -> Pattern:
    """Of as many as conditions hold: a turn asks hundreds one after the other, so that a smaller cache keeps none."""
    return compile_pattern(source, ignore_case=False)


_JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")

FUNCTIONS: Mapping[str, Function] = {
    "len": Function((1, 1), lambda value: len(value) if isinstance(value, str | tuple | list) else 0),
    "lower": Function((1, 1), lambda value: _text(value).lower()),
    "contains": Function((2, 2), lambda text, part: _text(part).casefold() in _text(text).casefold()),
    "matches": Function((2, 2), lambda text, pattern: _pattern(pattern).search(_text(text)) is not None),
    "min": Function((1, 8), lambda *values: min(map(_number, values))),
    "max": Function((1, 8), lambda *values: max(map(_number, values))),
    "abs": Function((1, 1), lambda value: abs(_number(value))),
    "is_japanese": Function((1, 1), lambda value: _JAPANESE.search(_text(value)) is not None),
}
