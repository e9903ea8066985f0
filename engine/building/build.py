"""Spec and environment to a plan in one go: for whoever has just read the files."""

from __future__ import annotations

from collections.abc import Mapping

from engine.building.bind import bind
from engine.building.compile import Scopes, compile_pipeline, scopes
from engine.model.plan import Plan
from engine.model.ports import ReplyIndex
from engine.model.spec import PipelineSpec

__all__ = ["Scopes", "build", "scopes"]


def build(
    spec: PipelineSpec, prompts: Mapping[str, str], env: Mapping[str, str], *, index: ReplyIndex | None = None
) -> Plan:
    """Compile `spec` and bind it to `env`; an `index` of the same replies is taken over."""
    return bind(compile_pipeline(spec, prompts, index=index), env)
