from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

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
from engine.models.providers.classify import refusal

NOW = datetime(2026, 3, 4, 21, 0, 0, tzinfo=UTC)


def verdict(status: int, body: object = None, **headers: str) -> BackendError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(
        HttpResponse(status=status, headers=headers, body=raw), "b", secrets=("hf_secretkey",), now=lambda: NOW
    )


@pytest.mark.parametrize(
    ("status", "error", "retryable"),
    [
        (301, Unavailable, False),
        (400, BadRequest, False),
        (401, AuthFailed, False),
        (402, RateLimited, False),
        (403, AuthFailed, False),
        (404, BadRequest, False),
        (405, BadRequest, False),
        (408, Unavailable, True),
        (409, Unavailable, True),
        (413, BadRequest, False),
        (418, BadRequest, False),
        (422, BadRequest, False),
        (424, Unavailable, True),
        (429, RateLimited, True),
        (410, BadRequest, False),
        (500, Unavailable, True),
        (501, Unavailable, True),
        (502, Unavailable, True),
        (503, Unavailable, True),
        (504, TimedOut, True),
        (529, Unavailable, True),
        (999, BadRequest, False),
    ],
)
def test_status(status: int, error: type[BackendError], retryable: bool) -> None:  # noqa: FBT001 — a column of the table
    found = verdict(status)
    assert (type(found), found.retryable, found.status) == (error, retryable, status)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": {"code": "context_length_exceeded", "message": "x"}}, ContextTooLong),
        (400, {"message": "Input is too long for requested model."}, ContextTooLong),
        (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000"}, ContextTooLong),
        (400, {"error": {"message": "This model's maximum context length is 8192 tokens."}}, ContextTooLong),
        (413, {"error": "too many input tokens"}, ContextTooLong),
        (400, {"error": {"code": "content_filter", "message": "x"}}, Refused),
        (400, {"error": {"code": None, "message": "rejected by our safety system"}}, Refused),
        (429, {"error": {"code": "insufficient_quota", "message": "x"}}, RateLimited),
        (400, {"__type": "com.amazon#ThrottlingException", "message": "x"}, RateLimited),
        (400, {"__type": "com.amazon#ExpiredTokenException", "message": "x"}, AuthFailed),
        (500, {"message": "the context length was fine, we broke"}, Unavailable),
        (401, {"error": {"message": "context length"}}, AuthFailed),
    ],
)
def test_code_before_words_and_words_only_for_bad_requests(
    status: int, body: object, error: type[BackendError]
) -> None:
    assert type(verdict(status, body)) is error


def test_a_used_up_quota_is_not_worth_a_retry() -> None:
    assert not verdict(429, {"error": {"code": "insufficient_quota"}}).retryable


def test_the_header_names_the_error_on_aws() -> None:
    error = verdict(400, {"message": "x"}, **{"x-amzn-errortype": "ThrottlingException:http://internal/"})
    assert type(error) is RateLimited
    assert str(error) == "b answered 400 (ThrottlingException): too many requests"


def test_a_message_shows_the_status_and_the_code_but_no_words() -> None:
    error = verdict(404, {"error": {"code": "model_not_found", "message": "you said: I love Yuki; key sk-123"}})
    assert str(error) == "b answered 404 (model_not_found): check the model's name and the base URL"


@pytest.mark.parametrize("code", ["hf_secretkey", "bearer_hf_secretkey", "secretkey", "sk-proj-4711", "I love Yuki"])
def test_what_may_be_a_key_or_a_sentence_is_no_code(code: str) -> None:
    assert str(verdict(400, {"error": {"code": code}})) == "b answered 400: it refused the request"


def told(backend: str, status: int, body: object, code: str = "") -> BackendError:
    headers = {"x-amzn-errortype": code} if code else {}
    return refusal(HttpResponse(status=status, headers=headers, body=json.dumps(body).encode()), backend)


@pytest.mark.parametrize(
    ("status", "code", "words", "error", "advice"),
    [
        (403, "AccessDeniedException", "You don't have access to the model", AuthFailed, "ask for model access"),
        (
            403,
            "AccessDeniedException",
            "not authorized to perform: bedrock:InvokeModel",
            AuthFailed,
            "bedrock:InvokeModel",
        ),
        (403, "", "Forbidden", AuthFailed, "ask for model access"),
        (400, "AccessDeniedException", "x", AuthFailed, "ask for model access"),
        (403, "UnrecognizedClientException", "The security token is invalid", AuthFailed, "credentials were refused"),
        (403, "ExpiredTokenException", "expired", AuthFailed, "credentials were refused"),
        (403, "InvalidSignatureException", "signature", AuthFailed, "credentials were refused"),
        (403, "MissingAuthenticationTokenException", "x", AuthFailed, "credentials were refused"),
        (401, "", "x", AuthFailed, "credentials were refused"),
        (404, "ResourceNotFoundException", "Could not resolve the foundation model", BadRequest, "inference profile"),
        (404, "ResourceNotFoundException", "Model use case details have not been submitted", BadRequest, "`region`"),
        (404, "", "x", BadRequest, "check `model` and `region`"),
        (400, "ValidationException", "with on-demand throughput isn't supported", BadRequest, "inference profile"),
        (400, "ValidationException", "The provided model identifier is invalid.", BadRequest, "inference profile"),
        (400, "ValidationException", "x", BadRequest, "it refused the request"),
        (404, "ModelNotReadyException", "x", BadRequest, "inference profile"),
    ],
)
def test_what_to_do_at_bedrock(status: int, code: str, words: str, error: type[BackendError], advice: str) -> None:
    found = told("bedrock", status, {"message": words}, code)
    assert (type(found), found.status, found.code) == (error, status, code or None)
    assert advice in str(found)
    assert words == "x" or words not in str(found)
    for other in ("openai", "huggingface"):
        assert "Bedrock" not in str(told(other, status, {"message": words}, code))


PARAMETERS = frozenset({"max_tokens", "temperature", "top_p", "stop", "system"})


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (400, {"error": {"code": "unsupported_parameter", "param": "max_tokens"}}, {"max_tokens"}),
        (400, {"error": {"code": "unsupported_value", "param": "temperature", "message": "x"}}, {"temperature"}),
        (422, {"error": {"message": "Unrecognized request argument supplied: top_p"}}, {"top_p"}),
        (400, {"message": "`temperature` and `top_p` cannot both be specified"}, {"temperature", "top_p"}),
        (400, {"message": "maxTokens is not supported"}, {"max_tokens"}),
        (400, {"error": "system prompts are not supported"}, {"system"}),
        (400, {"error": {"param": "max_completion_tokens", "message": "x"}}, set()),
        (400, {"error": {"message": "Unknown model: speaker"}}, set()),
        (400, {"error": {"message": "the temperature is 0.5"}}, set()),
        (400, {"detail": [{"loc": ["body", "messages"], "msg": "invalid", "input": "temperature"}]}, set()),
        (400, {"error": {"code": "content_filter", "param": "temperature"}}, set()),
        (400, {"error": {"code": "context_length_exceeded", "param": "max_tokens"}}, set()),
        (401, {"error": {"message": "temperature is not supported"}}, set()),
        (500, {"error": {"message": "temperature is not supported"}}, set()),
        (400, {"error": {"param": ["temperature"], "message": ["unsupported"]}}, set()),
        (400, [], set()),
    ],
)
def test_parameters_that_a_refusal_names(status: int, body: object, named: set[str]) -> None:
    response = HttpResponse(status=status, headers={}, body=json.dumps(body).encode())
    error = refusal(response, "b", parameters=PARAMETERS)
    assert (error.parameters if isinstance(error, UnsupportedParameter) else set()) == named
    assert all(f"`{name}`" in str(error) for name in named)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[1]", b"null", b"\xff", {"error": 5}, {"error": {"code": [1], "message": {}}}, b"[" * 100_000]
)
def test_a_body_of_any_shape_will_do(body: object) -> None:
    assert type(verdict(400, body)) is BadRequest


@pytest.mark.parametrize(
    ("error", "value"),
    [
        ({"code": "unsupported_value", "param": "reasoning_effort", "message": "no"}, True),
        ({"message": "Unsupported value: 'reasoning_effort' does not support 'none' with this model."}, True),
        ({"code": "unsupported_parameter", "param": "reasoning_effort", "message": "no"}, False),
        ({"message": "Unrecognized request argument supplied: reasoning_effort"}, False),
    ],
)
def test_a_refused_value_is_told_from_a_refused_parameter(error: object, value: bool) -> None:  # noqa: FBT001  a column
    response = HttpResponse(status=400, headers={}, body=json.dumps({"error": error}).encode())
    found = refusal(response, "openai", parameters={"reasoning_effort"})
    assert isinstance(found, UnsupportedParameter)
    assert (found.parameters, found.value) == ({"reasoning_effort"}, value)
