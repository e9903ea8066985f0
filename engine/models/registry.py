"""The backends as data rows, and the one function that opens a model.

A row names the module that implements the backend; it is imported when a model of that kind is opened, and the
module imports its SDK when it is first called. Adding a backend means adding a row and a module with `open_model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.record import record
from engine.core.turn import Engine


@record
class Backend:
    """`requires` are settings without which no model opens; `credentials` names the variable that they stand in."""

    module: str
    engine: Engine
    requires: tuple[str, ...] = ()
    credentials: str | None = None
    gives_confidence: bool = False


BACKENDS: Mapping[str, Backend] = {
    "auto": Backend(module="local.model", engine="local", requires=("path",), gives_confidence=True),
    "llama.cpp": Backend(module="local.model", engine="local", requires=("path",), gives_confidence=True),
    "gpt4all": Backend(module="local.model", engine="local", requires=("path",)),
    "openai": Backend(
        module="providers.openai",
        engine="external",
        requires=("model",),
        credentials="OPENAI_API_KEY",
        gives_confidence=True,
    ),
    "bedrock": Backend(
        module="providers.bedrock", engine="external", requires=("model",), credentials="BEDROCK_CREDENTIALS"
    ),
    "huggingface": Backend(
        module="providers.huggingface",
        engine="external",
        requires=("model",),
        credentials="HUGGINGFACE_TOKEN",
        gives_confidence=True,
    ),
    "scripted": Backend(module="scripted", engine="local", gives_confidence=True),
}


class BackendModule(Protocol):
    """What every backend module offers. Opening is quick, connects to nothing, and never raises for bad settings:
    the model it returns says `unavailable` and raises `Unavailable` when it is asked to generate.
    """

    def open_model(self, row: ModelRow, env: Mapping[str, str]) -> LanguageModel: ...


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """Open `row`, whose `backend` must be a key of `BACKENDS`."""
    module = cast("BackendModule", import_module(f"engine.models.{BACKENDS[row.backend].module}"))
    return module.open_model(row, env)
