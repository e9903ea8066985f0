"""Spec and environment to a plan in one go: for whoever has just read the files."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.plan import Plan
from engine.core.ports import ReplyIndex
from engine.pipeline.bind import bind
from engine.pipeline.compile import Scopes, compile_pipeline, scopes
from engine.pipeline.spec import PipelineSpec

__all__ = ["Scopes", "build", "scopes"]


def build(
    spec: PipelineSpec, prompts: Mapping[str, str], env: Mapping[str, str], *, index: ReplyIndex | None = None
) -> Plan:
    """Compile `spec` and bind it to `env`; an `index` of the same replies is taken over."""
    return bind(compile_pipeline(spec, prompts, index=index), env)
