"""Amazon Bedrock's `converse` and `converse_stream`, through `boto3`.

The SDK is imported when a model is first asked or warmed up, and its credentials are looked for then: the standard AWS
chain may ask the network, so it is followed in a helper thread, and again whenever credentials are due for renewal.
botocore signs the request and reads the answer; its `before-send` event hands the exchange itself to the call under
way. Retries are the engine's, so the SDK's are off.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.concurrency import Helpers
from engine.core.deadline import Deadline
from engine.core.errors import BackendError, TimedOut, Unavailable
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.turn import Completion, Prompt
from engine.models.providers.asker import Asker, Chunk, Opening
from engine.models.providers.chat_completion import ChatMessage, finish_reason, joined, with_system
from engine.models.providers.credentials import AwsCredentials, aws
from engine.models.providers.external import open_external
from engine.models.providers.parameters import STREAM, SYSTEM, Form, Parameters
from engine.models.providers.row import Settings, is_chat_api
from engine.models.settings import SettingError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient

_RENEWALS = Helpers(limit=4)


def open_model(row: ModelRow, env: Mapping[str, str]) -> LanguageModel:
    """A model whose credentials are described by `BEDROCK_CREDENTIALS`; empty means the standard AWS chain."""

    def prepare(settings: Settings) -> Opening:
        if settings.base_url and is_chat_api(settings.base_url):
            place = f"model `{row.id}`: `base_url`"
            raise SettingError(f"{place} is no address of Bedrock's own API; use the backend `openai` for it")
        credentials = aws(env, "BEDROCK_CREDENTIALS")
        return Opening(load=lambda: _load(settings, credentials), secrets=credentials.secrets)

    return open_external(row, prepare)


def _load(settings: Settings, credentials: AwsCredentials) -> Asker:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.eventstream import ParserError
    from botocore.exceptions import BotoCoreError, ClientError, EventStreamError, ProfileNotFound

    # At the debug level it writes signed requests, session tokens and all.
    log = logging.getLogger("botocore")
    log.setLevel(max(log.level, logging.INFO))
    region = settings.region or credentials.region
    try:
        session = Session(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            profile_name=credentials.profile,
            region_name=region,
        )
        _require_credentials(session)
        client = session.client(
            "bedrock-runtime",
            endpoint_url=settings.base_url,
            config=Config(retries={"total_max_attempts": 1, "mode": "standard"}),
        )
    except ProfileNotFound:
        raise SettingError("BEDROCK_CREDENTIALS names a profile that the AWS configuration does not have") from None
    except BotoCoreError:
        raise SettingError("no client for bedrock can be made: check its region and BEDROCK_CREDENTIALS") from None
    for call in ("Converse", "ConverseStream"):
        client.meta.events.register(f"before-send.bedrock-runtime.{call}", _send)
    return _Asker(client, session, (BotoCoreError, ClientError, ParserError, EventStreamError), settings)


def _require_credentials(session: Session) -> None:
    if os.environ.get("AWS_BEARER_TOKEN_BEDROCK") or session.get_credentials() is not None:
        return
    raise SettingError(
        "BEDROCK_CREDENTIALS is not set and the standard AWS chain finds no credentials: set it to a JSON object with "
        "access_key_id and secret_access_key, or to a profile's name"
    )


def _send(request: AWSPreparedRequest, **_event: Any) -> AWSResponse:
    from botocore.awsrequest import AWSResponse

    from engine.models.http.transport import HttpRequest, HttpResponse  # noqa: PLC0415 — as above
    from engine.models.http.wire import current  # noqa: PLC0415 — as above

    headers = [(name, _header_text(value)) for name, value in request.headers.items()]
    body: Any = request.body or b""
    sent, call = HttpRequest(method=request.method, url=request.url, headers=headers, body=bytes(body)), current()
    response = call.open(sent) if call.streams else call.send(sent)
    told: Any = response.headers
    raw = _Body([response.body] if isinstance(response, HttpResponse) else call.chunks())
    return AWSResponse(request.url, response.status, told, raw)


def _header_text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _Body:
    """A body as botocore wants it; the call under way closes it."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def stream(self) -> Iterator[bytes]:
        yield from self._chunks

    def close(self) -> None:
        """Nothing is left to do."""


class _Asker:
    def __init__(
        self,
        client: BedrockRuntimeClient,
        session: Session,
        errors: tuple[type[Exception], ...],
        settings: Settings,
    ) -> None:
        self._client = client
        self._session = session
        self.errors = errors
        self._settings = settings
        self.parameters = converse_parameters(settings)

    def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:
        renew(self._session.get_credentials(), deadline, self.errors)
        return _completion(self._client.converse(**_request(prompt, self._settings, sent)), self._settings)

    @contextmanager
    def open(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Iterator[Iterable[Chunk]]:
        renew(self._session.get_credentials(), deadline, self.errors)
        yield self._chunks(self._client.converse_stream(**_request(prompt, self._settings, sent))["stream"])

    def _chunks(self, events: Iterable[Mapping[str, Any]]) -> Iterator[Chunk]:
        try:
            yield from map(_chunk, events)
        except self.errors as error:
            raise _refusal(error) or error from None


_STATUSES: Mapping[str, int] = {
    "ThrottlingException": 429,
    "ServiceUnavailableException": 503,
    "InternalServerException": 500,
    "ModelTimeoutException": 408,
    "ModelStreamErrorException": 424,
    "ValidationException": 400,
}
"""Of errors that come as events, the statuses that they have as answers."""


def _refusal(error: Exception) -> BackendError | None:
    """What an error means that came in the stream, by its code."""
    from engine.models.http.transport import HttpResponse  # noqa: PLC0415 — as above
    from engine.models.providers.classify import refusal  # noqa: PLC0415 — as above

    told = getattr(error, "response", {}).get("Error", {})
    code = str(told.get("Code", ""))
    code = code[:1].upper() + code[1:]
    if code not in _STATUSES:
        return None
    body = json.dumps({"message": told.get("Message", "")}).encode()
    return refusal(HttpResponse(status=_STATUSES[code], headers={"x-amzn-errortype": code}, body=body), "bedrock")


def _chunk(event: Mapping[str, Any]) -> Chunk:
    """Of the deltas the text; reasoning and other blocks are not for the user."""
    delta = event.get("contentBlockDelta", {}).get("delta", {})
    stop, usage = event.get("messageStop"), event.get("metadata", {}).get("usage", {})
    return Chunk(
        text=delta.get("text") or "",
        ended=None if stop is None else finish_reason(stop.get("stopReason")),
        prompt_tokens=usage.get("inputTokens"),
        tokens=usage.get("outputTokens"),
    )


def renew(credentials: Any, deadline: Deadline, errors: tuple[type[Exception], ...]) -> None:
    """Signing renews credentials that are about to expire, by calls of its own: have that done within bounds.

    Raises `TimedOut` at the deadline, and `Unavailable` for one of `errors`.
    """
    if not hasattr(credentials, "refresh_needed") or not credentials.refresh_needed():
        return
    caught: tuple[type[Exception], ...] = (*errors, OSError)
    try:
        _RENEWALS.call(credentials.get_frozen_credentials, deadline, "misaki-credentials")
    except TimeoutError:
        raise TimedOut(
            "the AWS credentials were not renewed before the deadline", backend="bedrock", called=False
        ) from None
    except caught:
        raise Unavailable(
            "the AWS credentials cannot be renewed", backend="bedrock", retryable=True, called=False
        ) from None


def converse_parameters(settings: Settings) -> Parameters:
    """In the words of `converse`; what only some models know stands under `additional`."""
    forms: Mapping[str, Sequence[Form]] = {
        "limit": ({"maxTokens": settings.max_tokens},),
        "temperature": ({"temperature": settings.temperature},),
        "top_p": ({"topP": settings.top_p},),
        "stop": ({"stopSequences": list(settings.stop) or None},),
        "thinking": [form for mark, form in _SILENCE if mark in settings.model and settings.thinking is False],
    }
    return Parameters("bedrock", settings, forms)


_SILENCE: Sequence[tuple[str, Form]] = (
    ("anthropic.", {"thinking": {"type": "disabled"}}),
    ("amazon.nova-2", {"reasoningConfig": {"type": "disabled"}}),
    ("openai.gpt-oss", {"reasoning_effort": "low"}),
)
"""How models are told not to think, by a part of their names; others are not told."""


_INFERENCE = frozenset({"maxTokens", "temperature", "topP", "stopSequences"})


def _request(prompt: Prompt, settings: Settings, sent: Mapping[str, Any]) -> dict[str, Any]:
    apart = SYSTEM in sent
    messages = [
        message for message in with_system(prompt, settings.examples, apart=apart) if message["role"] != "system"
    ]
    request: dict[str, Any] = {
        "modelId": settings.model,
        "messages": [_message(message) for message in messages],
        "inferenceConfig": {name: value for name, value in sent.items() if name in _INFERENCE},
    }
    if apart and prompt.system.strip():
        request["system"] = [{"text": prompt.system}]
    additional = {name: value for name, value in sent.items() if name not in {*_INFERENCE, SYSTEM, STREAM}}
    return request | ({"additionalModelRequestFields": additional} if additional else {})


def _message(message: ChatMessage) -> dict[str, Any]:
    return {"role": message["role"], "content": [{"text": message["content"]}]}


def _completion(answer: Mapping[str, Any], settings: Settings) -> Completion:
    """Of the content the text blocks; reasoning and other blocks are not for the user."""
    usage = answer.get("usage") or {}
    return Completion(
        text=joined(answer["output"]["message"]["content"], "bedrock"),
        finish_reason=finish_reason(answer.get("stopReason")),
        model=settings.model,
        prompt_tokens=usage.get("inputTokens"),
        completion_tokens=usage.get("outputTokens"),
    )
