"""Renders Jinja templates in a sandbox over plain data, and bounds what each of them may take.

Templates were checked by `engine.templates.grammar` at build time; the sandbox is the second fence, and counts what no
grammar can: turns of loops, characters, seconds. User text enters only as data, which is cleaned before a prompt's
template may print it: everything but the names in `TRUSTED`, so that a name that is added later is cleaned as well.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, nodes, pass_context
from jinja2 import Template as JinjaTemplate
from jinja2.meta import find_undeclared_variables
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from engine.core.deadline import Deadline
from engine.core.expression import LazyMapping, Template
from engine.core.language import phrase
from engine.expressions.evaluate import MAX_NUMBER
from engine.text.cleaning import clean
from engine.text.marks import Marks, unlabelled

TRUSTED: Final = frozenset({"persona", "now", "env"})
"""The names whose values an editor, an operator or the clock has written."""

_MARKS = Marks()
_SPACES = re.compile(r"\s+")


def without_marks(text: str) -> str:
    """`text` without the control tokens that models share; a local model's own are taken out beside its vocabulary."""
    return _MARKS.blanked(text)


def for_prompt(names: LazyMapping, labels: Collection[str]) -> LazyMapping:
    """Cleans `names` for a prompt: each text that is not `TRUSTED` becomes one line in which none of the speakers'
    `labels` has a colon behind it.
    """

    def cleaned(name: str) -> Any:
        return _cleaned(names[name], labels)

    trusted = {name: names[name] for name in TRUSTED if name in names}
    return LazyMapping(trusted, {name: partial(cleaned, name) for name in names if name not in TRUSTED})


def _cleaned(value: Any, labels: Collection[str]) -> Any:
    if isinstance(value, str):
        return unlabelled(_SPACES.sub(" ", without_marks(clean(value))), labels)
    if isinstance(value, Mapping):
        return {_cleaned(key, labels): _cleaned(item, labels) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_cleaned(item, labels) for item in value)
    return value


MAX_OUTPUT: Final = 100_000
MAX_TURNS: Final = 10_000
"""Of all loops of one template together."""

MAX_SECONDS: Final = 0.25
"""Of the processor: what a template takes must not depend on what else the machine does."""

LEAST_SECONDS: Final = 0.02
"""Of the processor, that a template gets even where the deadline has passed: canned replies need no time."""

_BUDGET = "_budget"
"""A name that no template can write."""


class TooMuch(ValueError):
    """A template that takes more than it may."""


class Budget:
    """The time, loops and characters that are left to one rendering."""

    def __init__(self, until: Deadline | None, clock: Callable[[], float] = time.thread_time) -> None:
        self._until, self._clock, self._began = until, clock, clock()
        self._turns, self._characters = MAX_TURNS, MAX_OUTPUT

    def turn(self) -> None:
        """Counts a turn of a loop."""
        self._turns -= 1
        if self._turns < 0:
            raise TooMuch(phrase("template loops more than {most:,} times", most=MAX_TURNS))
        self.look()

    def write(self, text: str) -> None:
        """Counts a piece of the output."""
        self._characters -= len(text)
        if self._characters < 0:
            raise TooMuch(phrase("template grew past {most} characters", most=MAX_OUTPUT))

    def look(self) -> None:
        """Looks at the clocks."""
        taken = self._clock() - self._began
        late = self._until is not None and taken > LEAST_SECONDS and self._until.passed
        if late or taken > MAX_SECONDS:
            raise TooMuch(phrase("template took too long"))


class SandboxedTemplates:
    """Compiles each template once, and renders it."""

    def __init__(self) -> None:
        self._environment = _Sandbox(
            autoescape=False, optimized=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        self._environment.globals.clear()
        self._environment.filters |= {"_counted": pass_context(_turns), "_joined": _joined}
        self._environment.tests |= {
            "odd": lambda value: isinstance(value, int) and value % 2 == 1,
            "even": lambda value: isinstance(value, int) and value % 2 == 0,
        }
        self._compiled: dict[str, tuple[JinjaTemplate, frozenset[str]]] = {}

    def render(self, template: Template, names: Mapping[str, Any], until: Deadline | None) -> str:
        """The text of `template`; raises `ValueError` when it fails, or takes more time or space than it may."""
        pieces: list[str] = []
        try:
            compiled, used = self._compile(template.source)
            budget = Budget(until)
            for piece in compiled.generate({name: names[name] for name in used if name in names} | {_BUDGET: budget}):
                budget.write(piece)
                budget.look()
                pieces.append(piece)
        except TooMuch as error:
            raise ValueError(f"{template.origin}: {error}") from error
        except (TemplateError, TypeError, ArithmeticError, LookupError, RecursionError, ValueError) as error:
            raise ValueError(
                phrase("{origin}: template failed: {error}", origin=template.origin, error=error)
            ) from error
        return "".join(pieces)

    def _compile(self, source: str) -> tuple[JinjaTemplate, frozenset[str]]:
        """The template, and the names that it looks at, as only those are to be computed."""
        if source not in self._compiled:
            tree = self._environment.parse(source)
            used = frozenset(find_undeclared_variables(tree))
            try:
                self._compiled[source] = (self._environment.from_string(_Counting().visit(tree)), used)
            except (SyntaxError, MemoryError) as error:
                raise ValueError(phrase("Python cannot compile it: {error}", error=error)) from error
        return self._compiled[source]


class _Counting(NodeTransformer):
    """Counts every loop of a template, and measures every text that is put together."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        self.generic_visit(node)
        return nodes.Filter(nodes.List(node.nodes), "_joined", [], [], None, None)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Data only: an attribute is an entry of a mapping, never a method, and operators work on small numbers."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "+" and isinstance(left, str) and isinstance(right, str):
            return _joined((left, right))
        if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
            raise TypeError(f"`{operator}` works on numbers only")
        if abs(left) > MAX_NUMBER or abs(right) > MAX_NUMBER:
            raise ArithmeticError(
                phrase(
                    "`{operator}` works on numbers up to {most:.0e} only",
                    operator=operator,
                    most=MAX_NUMBER,
                )
            )
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) or (isinstance(obj, str | list | tuple) and isinstance(argument, int)):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                pass
        return self.undefined(obj=obj, name=argument)


def _turns(context: Context, items: Iterable[Any]) -> Iterator[Any]:
    budget = context[_BUDGET]
    for item in items:
        budget.turn()
        yield item


def _joined(values: Iterable[Any]) -> str:
    texts = [str(value) for value in values]
    if sum(map(len, texts)) > MAX_OUTPUT:
        raise TooMuch(phrase("template grew past {most} characters", most=MAX_OUTPUT))
    return "".join(texts)
