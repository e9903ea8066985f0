"""OpenAI, and every server that speaks its chat completions, through the `openai` SDK.

The SDK is imported when a model is first asked or warmed up. Retries are the engine's, so the SDK's are off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine.core.deadline import Deadline
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.turn import Completion, Prompt
from engine.models.providers.asker import Asker, Opening
from engine.models.providers.chat_completion import completion, with_system
from engine.models.providers.credentials import bearer
from engine.models.providers.external import open_external
from engine.models.providers.parameters import SYSTEM, chat_parameters
from engine.models.providers.row import Settings, with_version

if TYPE_CHECKING:
    from openai import OpenAI

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
    return _Asker(sdk, (OpenAIError,), settings)


class _Asker:
    def __init__(self, sdk: OpenAI, errors: tuple[type[Exception], ...], settings: Settings) -> None:
        # Named here and not when it is asked: the SDK imports a good part of itself at this attribute.
        self._completions = sdk.chat.completions
        self.errors = errors
        self._settings = settings
        self.parameters = chat_parameters("openai", settings, settings.base_url or DEFAULT_URL)

    def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:  # noqa: ARG002 — the call under way has it
        messages: Any = with_system(prompt, self._settings.examples, apart=SYSTEM in sent)
        options = {name: value for name, value in sent.items() if name != SYSTEM}
        answer = self._completions.create(model=self._settings.model, messages=messages, extra_body=options)
        return completion(answer, self._settings, "openai")
