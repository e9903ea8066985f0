"""Hugging Face's inference providers and endpoints, through `huggingface_hub`'s `InferenceClient`.

The SDK is imported when a model is first asked or warmed up. It keeps one HTTP client for the whole process; ours is
put there, by the hook it offers for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.models.providers.asker import Asker, Opening
from engine.models.providers.chat_completion import ChatAsker
from engine.models.providers.credentials import bearer
from engine.models.providers.external import open_external
from engine.models.providers.row import Settings, with_version

DEFAULT_URL = "https://router.huggingface.co/v1"
"""The router for all inference providers: asked directly, the SDK looks up nothing on the hub first."""


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """A model whose token stands in `HUGGINGFACE_TOKEN`; the row's `base_url` names a private endpoint."""

    def prepare(settings: Settings) -> Opening:
        token = bearer(env, "HUGGINGFACE_TOKEN")
        return Opening(load=lambda: _load(with_version(settings), token), secrets=(token,))

    return open_external(row, prepare)


def _load(settings: Settings, token: str) -> Asker:
    import httpx2  # noqa: PLC0415 — a quarter of a second, paid only by those who use it
    from huggingface_hub import InferenceClient, set_client_factory
    from huggingface_hub.errors import TextGenerationError

    from engine.models.http.httpx_bridge import client

    set_client_factory(client)

    def opened() -> InferenceClient:
        return InferenceClient(base_url=settings.base_url or DEFAULT_URL, api_key=token)

    @contextmanager
    def stream(**request: Any) -> Iterator[Iterable[Any]]:
        # The SDK keeps each stream for as long as it lives itself.
        with opened() as sdk:
            yield sdk.chat_completion(**request)

    errors = (httpx2.HTTPError, TextGenerationError)
    return ChatAsker("huggingface", opened().chat_completion, stream, errors, settings, DEFAULT_URL)
