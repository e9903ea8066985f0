"""OpenAI, and every server that speaks its chat completions, through the `openai` SDK.

The SDK is imported when a model is first asked or warmed up. Retries are the engine's, so the SDK's are off.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.models.providers.asker import Asker, Opening
from engine.models.providers.chat_completion import ChatAsker
from engine.models.providers.credentials import bearer
from engine.models.providers.external import open_external
from engine.models.providers.row import Settings, with_version

DEFAULT_URL = "https://api.openai.com/v1"


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """A model whose key stands in `OPENAI_API_KEY`; a local server without keys takes any."""

    def prepare(settings: Settings) -> Opening:
        key = bearer(env, "OPENAI_API_KEY")
        return Opening(load=lambda: _load(with_version(settings), key), secrets=(key,))

    return open_external(row, prepare)


def _load(settings: Settings, key: str) -> Asker:
    from openai import OpenAI, OpenAIError

    from engine.models.http.httpx_bridge import client

    sdk = OpenAI(api_key=key, base_url=settings.base_url or DEFAULT_URL, max_retries=0, http_client=client())
    # The SDK imports a good part of itself at this attribute.
    create = sdk.chat.completions.create
    return ChatAsker("openai", create, create, (OpenAIError,), settings, DEFAULT_URL)
