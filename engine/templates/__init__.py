"""Renders templates: Jinja, sandboxed and bounded, is imported for the first one that is no constant text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.core.deadline import Deadline
from engine.core.expression import Template

if TYPE_CHECKING:
    from engine.templates.sandbox import SandboxedTemplates


class TemplateRenderer:
    """A `Renderer` that compiles each template once."""

    def __init__(self) -> None:
        self._templates: SandboxedTemplates | None = None

    def render(self, template: Template, names: Mapping[str, Any], until: Deadline | None = None) -> str:
        """The text of `template`; raises `ValueError` when it fails, or takes more time or space than it may."""
        if template.constant:
            return template.source
        if self._templates is None:
            from engine.templates.sandbox import SandboxedTemplates

            self._templates = SandboxedTemplates()
        return self._templates.render(template, names, until)
