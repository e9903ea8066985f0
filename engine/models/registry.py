"""The backends as data rows, and what follows from a row: opening a model, its settings, their part of the schema.

A row names the module that implements the backend; it is imported when a model of that kind is opened, and the
module imports its SDK when it is first called. Adding a backend means adding a row and a module with `open_model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.record import field, record
from engine.core.turn import Engine
from engine.models.settings import CHAT, EXTERNAL, LOCAL, Choice, Fragment, Kind, SettingError, Text, Texts


@record
class Backend:
    """`what` describes it; `settings` are those that it reads, `required` those without which no model opens.

    `credentials` names the variable that holds its key: no setting, condition or template may read that one, and its
    value is hidden wherever it is shown. `variables` are others that pipelines may read, each with what it must hold.
    """

    module: str
    engine: Engine
    what: str
    settings: Mapping[str, Kind]
    required: tuple[str, ...] = ()
    credentials: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    gives_confidence: bool = False


BACKENDS: Mapping[str, Backend] = {
    "auto": Backend(
        module="local.model",
        engine="local",
        what="whichever of the two engines below is installed on this machine",
        settings=LOCAL,
        required=("path",),
        gives_confidence=True,
    ),
    "llama.cpp": Backend(
        module="local.model",
        engine="local",
        what="llama.cpp on this machine",
        settings=LOCAL,
        required=("path",),
        gives_confidence=True,
    ),
    "gpt4all": Backend(
        module="local.model",
        engine="local",
        what="GPT4All on this machine",
        settings=LOCAL,
        required=("path",),
    ),
    "openai": Backend(
        module="providers.openai",
        engine="external",
        what="OpenAI, or a server that speaks its protocol",
        settings=CHAT,
        required=("model",),
        credentials="OPENAI_API_KEY",
        variables={"OPENAI_BASE_URL": "a URL", "OPENAI_MODEL": "a model's name"},
        gives_confidence=True,
    ),
    "bedrock": Backend(
        module="providers.bedrock",
        engine="external",
        what="Amazon Bedrock",
        settings={**EXTERNAL, "region": Text("The AWS region for Bedrock.")},
        required=("model",),
        credentials="BEDROCK_CREDENTIALS",
        variables={"BEDROCK_MODEL": "a model's identifier", "BEDROCK_REGION": "an AWS region"},
    ),
    "huggingface": Backend(
        module="providers.huggingface",
        engine="external",
        what="Hugging Face",
        settings=CHAT,
        required=("model",),
        credentials="HUGGINGFACE_TOKEN",
        variables={"HUGGINGFACE_BASE_URL": "a URL", "HUGGINGFACE_MODEL": "a model's name"},
        gives_confidence=True,
    ),
    "scripted": Backend(
        module="scripted",
        engine="local",
        what="given texts, in turn",
        settings={
            "answers": Texts(
                "What a `scripted` model answers, in turn.",
                {"minItems": 1},
                {"description": "One answer.", "maxLength": 4000},
            )
        },
        gives_confidence=True,
    ),
}

SETTINGS: Mapping[str, Kind] = {name: kind for row in BACKENDS.values() for name, kind in row.settings.items()}
"""The settings of all backends; one that several read means the same to each."""


class BackendModule(Protocol):
    """What every backend module offers. Opening is quick, connects to nothing, and never raises for bad settings:
    the model it returns says `unavailable` and raises `Unavailable` when it is asked to generate.
    """

    def open_model(self, row: ModelRow, env: Mapping[str, str]) -> LanguageModel: ...


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """Open `row`, whose `backend` must be a key of `BACKENDS`."""
    module = cast("BackendModule", import_module(f"engine.models.{BACKENDS[row.backend].module}"))
    return module.open_model(row, env)


def given(row: ModelRow) -> dict[str, Any]:
    """The settings that `row` holds and its backend reads, without empty ones; lists as tuples.

    Raises `SettingError` for a value that does not fit, and for what the loader found wrong.
    """
    if row.misconfigured:
        raise SettingError(row.misconfigured)
    read = BACKENDS[row.backend].settings
    found: dict[str, Any] = {}
    for key, value in row.settings.items():
        if value is None or key not in read:
            continue
        kind = read[key]
        if not kind.fits(value):
            raise SettingError(f"model `{row.id}`: `{key}` is `{value}`; give {kind}")
        if isinstance(kind, Texts):
            found[key] = (value,) if isinstance(value, str) else value
        elif not isinstance(value, str) or value.strip():
            found[key] = value.strip() if isinstance(value, str) else value
    return found


def schema_of_models() -> Mapping[str, Fragment]:
    """The keys of a row of `models`, as the schema of pipelines describes them."""
    rows = "; ".join(f"`{name}`: {row.what}" for name, row in BACKENDS.items())
    keys: Mapping[str, Kind] = {"backend": Choice(tuple(BACKENDS), f"What runs the model. {rows}."), **SETTINGS}
    return {name: {"description": kind.what, **kind.schema()} for name, kind in keys.items()}
