"""Renders replies and prompts in a sandbox over plain data. Jinja is imported when the first real template is rendered.

Templates were checked by `engine.prompts.grammar` at build time; the sandbox is the second fence. User text enters
only as data: no template is ever made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.model.expression import Template

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2 import Template as JinjaTemplate

MAX_OUTPUT = 100_000


class TemplateRenderer:
    """A `Renderer` that compiles each template once."""

    def __init__(self) -> None:
        self._environment: Environment | None = None
        self._compiled: dict[str, tuple[JinjaTemplate, frozenset[str]]] = {}

    def render(self, template: Template, names: Mapping[str, Any]) -> str:
        """The text of `template`; raises `ValueError` when it fails or grows past `MAX_OUTPUT` characters."""
        if template.constant:
            return template.source
        from jinja2 import TemplateError  # noqa: PLC0415 - not on the path of constant replies

        pieces: list[str] = []
        size = 0
        try:
            compiled, used = self._compile(template.source)
            for piece in compiled.generate({name: names[name] for name in used if name in names}):
                size += len(piece)
                if size > MAX_OUTPUT:
                    raise ValueError(f"{template.origin}: template grew past {MAX_OUTPUT} characters")
                pieces.append(piece)
        except (TemplateError, TypeError, ArithmeticError, LookupError) as error:
            raise ValueError(f"{template.origin}: template failed: {error}") from error
        return "".join(pieces)

    def _compile(self, source: str) -> tuple[JinjaTemplate, frozenset[str]]:
        """The template, and the names that it looks at, as only those are to be computed."""
        from jinja2.meta import find_undeclared_variables  # noqa: PLC0415 - not on the path of constant replies

        if source not in self._compiled:
            if self._environment is None:
                self._environment = _sandbox()
            used = frozenset(find_undeclared_variables(self._environment.parse(source)))
            self._compiled[source] = (self._environment.from_string(source), used)
        return self._compiled[source]


def _sandbox() -> Environment:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - not on the path of constant replies
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - as above

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "%", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" or not all(isinstance(side, int | float) for side in (left, right)):
                raise TypeError(f"`{operator}` works on numbers only")
            return super().call_binop(context, operator, left, right)

    environment = Sandbox(
        autoescape=False,
        optimized=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.globals.clear()
    return environment
