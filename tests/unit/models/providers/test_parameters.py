"""A parameter that a model refuses by name is left out or changed at once, and never sent to that model again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from engine.core.deadline import LEAST, Deadline
from engine.core.errors import BadRequest, UnsupportedParameter
from engine.core.ports import LanguageModel
from engine.models.providers import huggingface, openai
from engine.models.providers.bedrock import converse_parameters
from engine.models.providers.parameters import chat_parameters
from engine.models.providers.row import Settings
from engine.models.registry import open_model
from tests.fakes.clock import SkippingClock
from tests.faults import behaviours, wires
from tests.faults.peer import Behaviour, Connection, Peer
from tests.faults.stage import PROMPT
from tests.faults.wires import ENVIRONMENT, Provider

AMPLE = 20.0
NEW_LIMIT = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
ONE_TEMPERATURE = (
    "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) is supported."
)


def openai_error(message: str = "no", code: str | None = None, param: str | None = None) -> Any:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def forbidden(name: str) -> Any:
    return {
        "detail": [
            {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted", "input": 1}
        ]
    }


def picky(provider: Provider, refused: Mapping[str, Any], status: int = 400) -> Behaviour:
    """A model that takes no parameter of `refused`, and says so in the words that stand there."""

    def behave(connection: Connection) -> None:
        sent = json.loads(connection.read_request().body)
        sent |= sent.get("inferenceConfig", {}) | sent.get("additionalModelRequestFields", {})
        if any(message["role"] == "system" for message in sent["messages"]):
            sent["system"] = True
        refusal = next((said for name, said in refused.items() if name in sent), None)
        body = wires.answer(provider) if refusal is None else json.dumps(refusal).encode()
        head = {"x-amzn-ErrorType": "ValidationException"} if provider == "bedrock" and refusal else {}
        connection.send(behaviours.head(200 if refusal is None else status, head, len(body)) + body)

    return behave


def asked(peer: Peer, model: LanguageModel) -> list[Any]:
    """What the model is sent in one turn, which it answers."""
    before = len(peer.received)
    assert model.generate(PROMPT, Deadline.after(AMPLE)).text == wires.REPLY
    return [json.loads(received.body) for received in peer.received[before:]]


CHAT_REFUSALS: Mapping[str, tuple[Mapping[str, Any], int]] = {
    "a code and a field": ({"max_tokens": openai_error(code="unsupported_parameter", param="max_tokens")}, 400),
    "no message": ({"max_tokens": {"error": {"code": "unsupported_parameter", "param": "max_tokens"}}}, 400),
    "the name in the words alone": ({"max_tokens": openai_error(NEW_LIMIT)}, 400),
    "both names for the limit": (
        {
            "max_tokens": openai_error(NEW_LIMIT),
            "max_completion_tokens": openai_error("unknown: max_completion_tokens"),
        },
        400,
    ),
    "one temperature": ({"temperature": openai_error(ONE_TEMPERATURE, "unsupported_value", "temperature")}, 400),
    "one temperature, in words": ({"temperature": openai_error(ONE_TEMPERATURE)}, 400),
    "two parameters, one after the other": (
        {"max_tokens": openai_error(NEW_LIMIT), "temperature": openai_error(ONE_TEMPERATURE, "unsupported_value")},
        400,
    ),
    "three": (
        {
            "max_tokens": openai_error(code="unsupported_parameter", param="max_tokens"),
            "temperature": openai_error(code="unsupported_value", param="temperature"),
            "stop": openai_error("Unsupported parameter: 'stop' is not supported with this model."),
        },
        400,
    ),
    "temperature beside top_p": (
        {"top_p": openai_error("`temperature` and `top_p` cannot both be specified for this model. Use only one.")},
        400,
    ),
    "no alternatives": ({"top_logprobs": openai_error("Unrecognized request argument supplied: top_logprobs")}, 400),
    "no probabilities": (
        {"logprobs": {"error": "property 'logprobs' is unsupported", "error_type": "validation"}},
        422,
    ),
    "a field of a strict server": ({"top_p": forbidden("top_p")}, 422),
    "a field of a strict server, nested": ({"stop": {"object": "error", "message": forbidden("stop")}}, 422),
    "an unknown field": (
        {"top_p": openai_error('Invalid JSON payload received. Unknown name "top_p": Cannot find field.')},
        400,
    ),
    "a system text": ({"system": {"error": {"message": "System role not supported"}}}, 400),
    "a system message": (
        {
            "system": openai_error(
                "'messages[0].role' does not support 'system' with this model.", "unsupported_value", "messages[0].role"
            )
        },
        400,
    ),
    "an instruction": ({"system": openai_error("Developer instruction is not enabled for models/gemma-3-27b-it")}, 400),
    "a template's switch": ({"chat_template_kwargs": forbidden("chat_template_kwargs")}, 400),
    "a list, as Google answers": ({"stop": [openai_error('Invalid JSON payload. Unknown name "stop"')]}, 400),
    "an instruction, in a list": ({"system": [openai_error("Developer instruction is not enabled")]}, 400),
    "a number that is too small": (
        {"temperature": {"error": "Input validation error: `temperature` must be strictly positive"}},
        422,
    ),
    "a number out of a range": ({"top_p": {"error": "Input validation error: `top_p` must be > 0.0 and < 1.0"}}, 422),
    "a number of old pydantic": (
        {"temperature": {"detail": [{"loc": ["body", "temperature"], "msg": "ensure this value is less than 1"}]}},
        422,
    ),
    "too many": ({"stop": {"error": "`stop` supports up to 4 stop sequences. Given: 6"}}, 422),
    "a limit that is too high": ({"max_tokens": openai_error("max_tokens must be at most 8192")}, 400),
    "a list of errors": ({"top_p": {"errors": [{"message": "Unsupported parameter: top_p"}]}}, 400),
    "words under another name": ({"top_p": {"error_description": "Unsupported parameter: top_p"}}, 400),
    "words deep inside": ({"top_p": {"error": {"message": {"detail": "Unsupported parameter: top_p"}}}}, 400),
    "no object at all": ({"top_p": "Unsupported parameter: top_p"}, 400),
    "Japanese words": ({"temperature": openai_error("このモデルは temperature に対応していません")}, 400),
    "Chinese words": ({"logprobs": openai_error("模型不支持参数 logprobs")}, 400),
}
SETTINGS: Any = {"top_p": 0.9, "stop": ("。",), "logprobs": True, "thinking": False}


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
@pytest.mark.parametrize("case", CHAT_REFUSALS)
def test_what_is_refused_by_name_is_sent_no_more(provider: Provider, case: str) -> None:
    refused, status = CHAT_REFUSALS[case]
    with Peer([picky(provider, refused, status)]) as peer:
        model = open_model(wires.row(provider, peer.url, **SETTINGS), ENVIRONMENT)
        first, second = asked(peer, model), asked(peer, model)
        again = asked(peer, open_model(wires.row(provider, peer.url, **SETTINGS), ENVIRONMENT))
    assert 1 < len(first) <= 1 + len(refused) + 1
    assert second == again == [first[-1]]
    assert first[-1].keys() & refused.keys() == set()
    assert first[0].keys() - first[-1].keys() <= refused.keys() | {"top_logprobs"}
    assert ("max_completion_tokens" in first[-1]) is (
        "max_tokens" in refused and "max_completion_tokens" not in refused
    )
    assert ("logprobs" in first[-1]) is ("logprobs" not in refused)


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_a_system_text_moves_into_the_first_message(provider: Provider) -> None:
    with Peer([picky(provider, {"system": openai_error("System role not supported")})]) as peer:
        [_, sent] = asked(peer, open_model(wires.row(provider, peer.url), ENVIRONMENT))
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "user"]
    assert sent["messages"][0]["content"] == "あなたは美砂樹です。\n\nやあ"


BEDROCK_REFUSALS: Mapping[str, Mapping[str, Any]] = {
    "system messages": {
        "system": {"message": "This model doesn't support system messages. Try again without system messages."}
    },
    "the system prompt": {"system": {"message": "System prompts are not supported by this model"}},
    "another apostrophe": {"system": {"message": "This model doesn’t support system prompts."}},
    "a field": {
        "stopSequences": {
            "message": "This model doesn't support the stopSequences field. Remove stopSequences and try again."
        }
    },
    "another vendor's name": {
        "topP": {"message": "The model returned the following errors: top_p is deprecated for this model."}
    },
    "temperature beside top_p": {
        "topP": {"message": "`temperature` and `top_p` cannot both be specified for this model. Please use only one."}
    },
    "a temperature": {
        "temperature": {"message": "The model returned the following errors: `temperature` is not supported"}
    },
    "an extraneous key": {"topP": {"message": "Malformed input request: #: extraneous key [topP] is not permitted"}},
    "a limit": {"maxTokens": {"message": "Unsupported parameter: max_tokens"}},
    "system and temperature": {
        "system": {"message": "This model doesn't support system messages."},
        "temperature": {"message": "temperature is not supported with this model"},
    },
    "a switch": {
        "thinking": {"message": "The model returned the following errors: thinking: Extra inputs are not permitted"}
    },
}


@pytest.mark.parametrize("case", BEDROCK_REFUSALS)
def test_what_bedrock_refuses_by_name_is_sent_no_more(case: str) -> None:
    refused = BEDROCK_REFUSALS[case]
    settings: Any = {"model": "anthropic.speaker", "top_p": 0.9, "stop": ("。",), "thinking": False}
    with Peer([picky("bedrock", refused)]) as peer:
        model = open_model(wires.row("bedrock", peer.url, **settings), ENVIRONMENT)
        first, second = asked(peer, model), asked(peer, model)
    assert len(first) == 1 + len(refused)
    assert second == [first[-1]]

    def sent(document: Any) -> set[str]:
        return {*document["inferenceConfig"], *document.get("additionalModelRequestFields", {}), *document} & wire

    wire = {"maxTokens", "temperature", "topP", "stopSequences", "thinking", "system"}
    assert sent(first[0]) - sent(first[-1]) == refused.keys()
    texts = [block["text"] for message in first[-1]["messages"] for block in message["content"]]
    assert texts[0] == ("あなたは美砂樹です。\n\nやあ" if "system" in refused else "やあ")


@pytest.mark.parametrize("provider", ["openai", "bedrock", "huggingface"])
@pytest.mark.parametrize(
    "words", ["no", "the model is unknown", "temperature is nice", "max_size is not supported", ""]
)
def test_another_refusal_is_told_after_one_call(provider: Provider, words: str) -> None:
    refusal = wires.refusal(provider, 400, words=words)
    with Peer([behaviours.respond(refusal.body, status=400, headers=refusal.headers)]) as peer:
        model = open_model(wires.row(provider, peer.url), ENVIRONMENT)
        for _ in range(2):
            with pytest.raises(BadRequest) as caught:
                model.generate(PROMPT, Deadline.after(AMPLE))
            assert type(caught.value) is BadRequest
    assert len(peer.received) == 2


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_a_server_that_refuses_for_ever_is_not_asked_for_ever(provider: Provider) -> None:
    said = json.dumps(
        openai_error("temperature, max_tokens, max_completion_tokens, system role are not supported")
    ).encode()
    with Peer([behaviours.respond(said, status=400)]) as peer, pytest.raises(BadRequest):
        open_model(wires.row(provider, peer.url), ENVIRONMENT).generate(PROMPT, Deadline.after(AMPLE))
    assert len(peer.received) <= 5


def test_no_second_call_is_made_without_time_for_it() -> None:
    refused = {"max_tokens": openai_error(code="unsupported_parameter", param="max_tokens")}
    clock = SkippingClock()

    def late(connection: Connection) -> None:
        clock.skip(AMPLE - LEAST)
        picky("openai", refused)(connection)

    with Peer([late, picky("openai", refused)]) as peer:
        model = open_model(wires.row("openai", peer.url), ENVIRONMENT)
        with pytest.raises(UnsupportedParameter):
            model.generate(PROMPT, Deadline.after(AMPLE, clock))
        assert len(peer.received) == 1
        assert len(asked(peer, model)) == 1


def test_two_turns_that_are_refused_at_once_give_up_one_parameter() -> None:
    settings = Settings(model="twice", base_url="http://h/v1", max_tokens=5, temperature=0.5)
    parameters = chat_parameters("openai", settings, "http://h/v1")
    sent = parameters.current()
    assert parameters.refuse({"max_tokens"}, sent)
    assert parameters.refuse({"max_tokens"}, sent)
    assert parameters.current() == {"max_completion_tokens": 5, "temperature": 0.5, "system": True}


THINKING: Mapping[tuple[str, str | None, bool | None], Any] = {
    ("openai", None, False): {"reasoning_effort": "none"},
    ("openai", None, True): {"reasoning_effort": "medium"},
    ("openai", None, None): {},
    ("openai", "https://api.openai.com/v1", False): {"reasoning_effort": "none"},
    ("openai", "https://bar.openai.azure.com/openai/v1", False): {"reasoning_effort": "none"},
    ("openai", "http://127.0.0.1:8000/v1", False): {
        "chat_template_kwargs": {"enable_thinking": False, "thinking": False}
    },
    ("openai", "http://127.0.0.1:8000/v1", True): {"chat_template_kwargs": {"enable_thinking": True, "thinking": True}},
    ("openai", "http://127.0.0.1:8000/v1", None): {},
    ("huggingface", None, False): {"chat_template_kwargs": {"enable_thinking": False, "thinking": False}},
    ("huggingface", None, None): {},
}


@pytest.mark.parametrize("case", THINKING)
def test_each_server_is_told_in_its_own_way_whether_to_think(case: tuple[str, str | None, bool | None]) -> None:
    backend, base_url, thinking = case
    settings = Settings(model="thinker", base_url=base_url, thinking=thinking)
    own = {"openai": openai, "huggingface": huggingface}[backend].DEFAULT_URL
    assert chat_parameters(backend, settings, base_url or own).current() == {"system": True, **THINKING[case]}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("anthropic.claude-sonnet-4", {"thinking": {"type": "disabled"}}),
        ("apac.anthropic.claude-haiku-4-5", {"thinking": {"type": "disabled"}}),
        ("openai.gpt-oss-20b-1:0", {"reasoning_effort": "low"}),
        ("us.amazon.nova-2-lite-v1:0", {"reasoningConfig": {"type": "disabled"}}),
        ("apac.amazon.nova-lite-v1:0", {}),
        ("qwen.qwen3-32b-v1:0", {}),
    ],
)
def test_models_at_bedrock_are_told_by_their_vendors(model: str, fields: Any) -> None:
    assert converse_parameters(Settings(model=model, thinking=False)).current() == {"system": True, **fields}
    assert converse_parameters(Settings(model=model)).current() == {"system": True}


@pytest.mark.parametrize(
    ("refusals", "left"),
    [
        ([], {"reasoning_effort": "none"}),
        ([True], {"reasoning_effort": "minimal"}),
        ([True, True], {"reasoning_effort": "low"}),
        ([True, True, True], {}),
        ([False], {}),
        ([True, False], {}),
    ],
)
def test_a_model_that_cannot_stop_thinking_is_asked_for_the_least(refusals: list[bool], left: Any) -> None:
    parameters = chat_parameters("openai", Settings(model=f"thinker {refusals}", thinking=False), openai.DEFAULT_URL)
    for value in refusals:
        assert parameters.refuse({"reasoning_effort"}, parameters.current(), value=value)
    assert parameters.current() == {"system": True, **left}
