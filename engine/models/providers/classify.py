"""What a provider's refusal means: from its status and error code first, from its words only where these do not tell.

Nothing of the provider's free text gets into a message: it may quote the key or the user. What is passed on is the
status and the provider's own error code, if that looks like one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.core.errors import (
    AuthFailed,
    BackendError,
    BadRequest,
    ContextTooLong,
    RateLimited,
    Refused,
    TimedOut,
    Unavailable,
    UnsupportedParameter,
)
from engine.models.http.transport import HttpResponse
from engine.models.providers.retry_after import retry_after

_CODE = re.compile(r"[A-Za-z][A-Za-z_]{1,47}")

_CONTEXT_WORDS = re.compile(
    r"context (?:length|window)|maximum context|too many (?:input )?tokens|input is too long|prompt is too long"
    r"|max_new_tokens.{0,40}must be|exceeds? the .{0,20}token limit",
    re.IGNORECASE,
)
_FILTER_WORDS = re.compile(r"content (?:filter|policy|management policy)|safety system|guardrail", re.IGNORECASE)
_LONGEST_WORDS = 2000
_TELLING = ("message", "msg", "detail", "details", "error", "errors", "error_description", "title")
_DEEPEST, _MOST_TOLD = 5, 20

_REFUSING = re.compile(
    r"unsupported|n['’o]t support|not (?:permitted|allowed|available|enabled|accept|compatible)|unrecogni[sz]ed|unknown"
    r"|extra[ _](?:inputs?|fields?|keys?|forbidden)|extraneous|unexpected|additional propert|deprecated|invalid|cannot"
    r"|\bonly\b|mutually exclusive|remove|must be|should be|at most|at least|up to|(?:less|greater|lower) than"
    r"|exceed|out of range|not (?:less|greater|a valid|valid|currently)|constraint|cannot find"
    r"|対応していません|サポート(?:され|し)てい?ません|使(?:え|用でき)ません|不支持|无效|不允许",
    re.IGNORECASE,
)
_SYSTEM_WORDS = re.compile(
    r"system (?:message|prompt|instruction|role|text|content)|role\W[^.]{0,40}\bsystem\b|developer instruction",
    re.IGNORECASE,
)
_STREAM_WORDS = re.compile(r"\bstream(?:s|ing|ed)?\b", re.IGNORECASE)
_INFERENCE_PROFILE = re.compile(r"on-demand throughput|inference profile|model identifier is invalid", re.IGNORECASE)
_BEDROCK_NAMES = (
    "no such model in this region: check `model` and `region`; many models are asked by an inference profile, whose "
    "name begins with the area, such as `apac.` or `us.`"
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """A provider's error body: its codes, best first, its words, and the parameter that it names in a field."""

    codes: tuple[str, ...]
    words: str
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """Applies to one of `codes`, or to one of `statuses` — then, where `words` are given, only when they are found.
    One of a `backend` is for that alone.
    """

    error: type[BackendError]
    advice: str
    statuses: Container[int] = ()
    codes: frozenset[str] = frozenset()
    words: re.Pattern[str] | None = None
    retryable: bool = False
    backend: str = ""

    def applies(self, status: int, fault: _Fault, backend: str) -> bool:
        if self.backend not in {"", backend}:
            return False
        if self.codes.intersection(fault.codes):
            return True
        return status in self.statuses and (self.words is None or self.words.search(fault.words) is not None)


_REQUEST = frozenset({400, 413, 422})

_RULES = (
    _Rule(
        error=AuthFailed,
        advice="its credentials were refused, check them",
        statuses=frozenset({401}),
        codes=frozenset(
            {
                "UnrecognizedClientException",
                "ExpiredTokenException",
                "IncompleteSignatureException",
                "InvalidSignatureException",
                "MissingAuthenticationTokenException",
            }
        ),
    ),
    _Rule(
        error=AuthFailed,
        backend="bedrock",
        advice="the model may not be used: ask for model access in the Bedrock console of this region, and allow "
        "bedrock:InvokeModel for the model and its inference profile",
        statuses=frozenset({403}),
        codes=frozenset({"AccessDeniedException"}),
    ),
    _Rule(error=AuthFailed, advice="its credentials were refused, check them", statuses=frozenset({403})),
    _Rule(error=BadRequest, backend="bedrock", advice=_BEDROCK_NAMES, statuses=frozenset({404})),
    _Rule(
        error=BadRequest,
        backend="bedrock",
        advice=_BEDROCK_NAMES,
        statuses=frozenset({400}),
        words=_INFERENCE_PROFILE,
    ),
    _Rule(
        error=RateLimited,
        advice="the quota is used up",
        statuses=frozenset({402}),
        codes=frozenset({"insufficient_quota", "billing_hard_limit_reached", "ServiceQuotaExceededException"}),
    ),
    _Rule(
        error=RateLimited,
        advice="too many requests",
        statuses=frozenset({429}),
        codes=frozenset({"ThrottlingException", "TooManyRequestsException", "rate_limit_exceeded"}),
        retryable=True,
    ),
    _Rule(
        error=ContextTooLong,
        advice="the prompt is too long for the model",
        codes=frozenset({"context_length_exceeded", "string_above_max_length"}),
    ),
    _Rule(
        error=Refused,
        advice="its content filter refused",
        codes=frozenset({"content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"}),
    ),
    _Rule(
        error=ContextTooLong,
        advice="the prompt is too long for the model",
        statuses=_REQUEST,
        words=_CONTEXT_WORDS,
    ),
    _Rule(error=Refused, advice="its content filter refused", statuses=_REQUEST, words=_FILTER_WORDS),
    _Rule(error=BadRequest, advice="check the model's name and the base URL", statuses=frozenset({404, 410})),
    _Rule(error=TimedOut, advice="it ran out of time", statuses=frozenset({504}), retryable=True),
    _Rule(
        error=Unavailable,
        advice="it cannot answer now",
        statuses=frozenset({408, 409, 424, 425, *range(500, 600)}),
        retryable=True,
    ),
    _Rule(error=Unavailable, advice="it points elsewhere, check the base URL", statuses=range(400)),
    _Rule(error=BadRequest, advice="it refused the request", statuses=range(400, 1000)),
)
"""The first that applies decides; the last two leave no status out."""


def refusal(
    response: HttpResponse,
    backend: str,
    *,
    secrets: Collection[str] = (),
    parameters: Collection[str] = (),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> BackendError:
    """The typed error for a response whose status is not a success.

    A code that is part of one of `secrets`, or holds one, is dropped; `parameters` are those of the request, which the
    refusal may name; `now` is compared with dates in headers.
    """
    fault = _read(response, secrets)
    rule = next(rule for rule in _RULES if rule.applies(response.status, fault, backend))
    code = fault.codes[0] if fault.codes else None
    said = f"{backend} answered {response.status}{f' ({code})' if code else ''}"
    named = _named(fault, parameters) if rule.error is BadRequest and response.status in _REQUEST else frozenset()
    if named:
        listed = ", ".join(f"`{name}`" for name in sorted(named))
        error = UnsupportedParameter(f"{said}: it refused {listed}", backend=backend, status=response.status, code=code)
        error.parameters = named
        error.value = "value" in f"{code} {fault.words}".lower()
        return error
    return rule.error(
        f"{said}: {rule.advice}",
        backend=backend,
        status=response.status,
        retryable=rule.retryable,
        retry_after=retry_after(response.headers, now),
        code=code,
    )


def _named(fault: _Fault, parameters: Collection[str]) -> frozenset[str]:
    """Those of `parameters` that are refused by name: in a field for it, or in words that refuse. Names are compared
    without case and underscores, since Bedrock passes on what other vendors call them.
    """
    plain = {_plain(name): name for name in parameters}
    if (field := plain.get(_plain(re.split(r"[.\[]", fault.parameter)[-1]))) is not None:
        return frozenset({field})
    if not _REFUSING.search(f"{' '.join(fault.codes)} {fault.words}"):
        return frozenset()
    if "stream" in plain and _STREAM_WORDS.search(fault.words) and "stream_options" not in fault.words:
        return frozenset({plain["stream"]})
    if "system" in plain and _SYSTEM_WORDS.search(fault.words):
        return frozenset({plain["system"]})
    found = {plain.get(_plain(word)) for word in re.findall(r"\w+", fault.words, re.ASCII)}
    return frozenset(name for name in found if name is not None and name != plain.get("system"))


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _read(response: HttpResponse, secrets: Collection[str]) -> _Fault:
    """OpenAI: `{error: {code, type, message}}`; Bedrock: a header, `{message}`; Hugging Face: `{error, error_type}`."""
    body = _object(response.body)
    inner = body.get("error")
    details = inner if isinstance(inner, dict) else body
    candidates = (
        response.headers.get("x-amzn-errortype", "").partition(":")[0],
        details.get("code"),
        details.get("type"),
        body.get("error_type"),
        str(body.get("__type", "")).rpartition("#")[2],
    )
    codes = tuple(
        code
        for code in candidates
        if isinstance(code, str)
        and _CODE.fullmatch(code)
        and not any(code in secret or secret in code for secret in secrets)
    )
    parameter = details.get("param")
    return _Fault(codes, _words(body)[:_LONGEST_WORDS], parameter if isinstance(parameter, str) else "")


def _words(told: Any, depth: int = 0) -> str:
    """What an error says in sentences, wherever it says so, or of each field that is wrong; never the values that were
    sent.
    """
    if isinstance(told, str):
        return told
    if depth == _DEEPEST:
        return ""
    if isinstance(told, list):
        return "; ".join(filter(None, (_words(item, depth + 1) for item in told[:_MOST_TOLD])))
    if not isinstance(told, dict):
        return ""
    if isinstance(told.get("loc"), list):
        return f"{told.get('type')} {told['loc']} {told.get('msg')}"
    return " ".join(filter(None, (_words(told.get(name), depth + 1) for name in _TELLING)))


def _object(body: bytes) -> Mapping[str, Any]:
    """The error; where it is in a list, as Google's are, the first, and a text that is no JSON as its message."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {"message": body[:_LONGEST_WORDS].decode("utf-8", "replace")}
    value = value[0] if isinstance(value, list) and value else value
    return value if isinstance(value, dict) else {"message": value}
