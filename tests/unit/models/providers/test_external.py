"""The three adapters: what they send, how they are opened, and what their state says."""

from __future__ import annotations

import gc
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from engine.core.deadline import Deadline
from engine.core.errors import AuthFailed, BackendError, Malformed, Unavailable, UnsupportedParameter
from engine.core.plan import ModelRow
from engine.core.ports import LanguageModel
from engine.core.turn import Completion, Exchange, Labels, Message, Prompt
from engine.models.http.transport import HttpRequest
from engine.models.http.wire import current
from engine.models.providers.asker import Asker, Opening
from engine.models.providers.caller import ANSWER_LIMIT
from engine.models.providers.external import ExternalModel, open_external
from engine.models.providers.openai import DEFAULT_URL
from engine.models.providers.parameters import Parameters, chat_parameters
from engine.models.providers.row import Settings
from engine.models.registry import open_model
from engine.resilience.guarded import make_guard
from tests.fakes.clock import FakeClock
from tests.faults import behaviours, wires
from tests.faults.peer import Peer, Received
from tests.faults.wires import ENVIRONMENT, PROVIDERS, Provider

AMPLE = 20.0
PARAMETERS = Parameters("openai", Settings(model="m"), {})
Setting = str | float | bool | tuple[str, ...]
PROMPT = Prompt(
    system="あなたは美砂樹です。",
    examples=(Exchange("疲れた", "おかえり。"), Exchange("寒い", "温かいものを。")),
    history=(Message("user", "やあ"), Message("assistant", "あら。")),
    text="こんばんは",
    labels=Labels("お客さん", "美砂樹"),
)


def exchanged(
    provider: Provider, answer: bytes | None = None, **settings: str | float | bool
) -> tuple[Completion, Received]:
    with Peer([behaviours.respond(wires.answer(provider) if answer is None else answer)]) as peer:
        model = open_model(wires.row(provider, peer.url, **settings), ENVIRONMENT)
        completion = model.generate(PROMPT, Deadline.after(AMPLE))
    return completion, peer.received[0]


def sent(provider: Provider, **settings: Setting) -> Any:
    return json.loads(exchanged(provider, **settings)[1].body)


def why(model: LanguageModel) -> str:
    with pytest.raises(BackendError) as caught:
        model.generate(PROMPT, Deadline.after(AMPLE))
    assert type(caught.value) is Unavailable
    assert not caught.value.retryable
    return str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "limit"), [(None, "max_completion_tokens"), ("http://127.0.0.1:9/v1", "max_tokens")]
)
def test_openai_itself_has_another_name_for_the_most_tokens(base_url: str | None, limit: str) -> None:
    settings = Settings(model="m", base_url=base_url, max_tokens=5)
    assert chat_parameters("openai", settings, base_url or DEFAULT_URL).current() == {limit: 5, "system": True}


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_what_a_chat_provider_is_sent(provider: Provider) -> None:
    assert sent(provider, examples=1, top_p=0.9, stop=("。",)) == {
        "model": "speaker",
        "messages": [
            {"role": "system", "content": "あなたは美砂樹です。"},
            {"role": "user", "content": "疲れた"},
            {"role": "assistant", "content": "おかえり。"},
            {"role": "user", "content": "やあ"},
            {"role": "assistant", "content": "あら。"},
            {"role": "user", "content": "こんばんは"},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["。"],
        **({"stream": False} if provider == "huggingface" else {}),
    }


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_the_key_goes_into_its_header_and_nowhere_else(provider: Provider) -> None:
    _, received = exchanged(provider)
    key = wires.KEYS[provider]
    assert received.headers["authorization"] == f"Bearer {key}"
    rest = {name: value for name, value in received.headers.items() if name != "authorization"}
    assert key not in f"{received.line}{rest}{received.body!r}"


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_logprobs_are_asked_for_where_they_are_wanted(provider: Provider) -> None:
    assert "logprobs" not in sent(provider)
    assert sent(provider, logprobs=True)["logprobs"] is True


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_logprobs_become_confidence(provider: Provider) -> None:
    answer = json.loads(wires.answer(provider))
    answer["choices"][0]["logprobs"] = {
        "content": [{"token": "a", "bytes": None, "logprob": -0.5, "top_logprobs": []} for _ in range(3)]
    }
    completion, _ = exchanged(provider, json.dumps(answer).encode(), logprobs=True)
    assert completion.confidence == pytest.approx(0.6065, abs=1e-4)


def test_what_bedrock_is_sent() -> None:
    _, received = exchanged("bedrock", model="apac.amazon.nova-lite-v1:0", top_p=0.9, stop=("。",))
    assert received.line == "POST /model/apac.amazon.nova-lite-v1%3A0/converse HTTP/1.1"
    assert json.loads(received.body) == {
        "messages": [
            {"role": "user", "content": [{"text": "やあ"}]},
            {"role": "assistant", "content": [{"text": "あら。"}]},
            {"role": "user", "content": [{"text": "こんばんは"}]},
        ],
        "system": [{"text": "あなたは美砂樹です。"}],
        "inferenceConfig": {"maxTokens": 64, "temperature": 0.5, "topP": 0.9, "stopSequences": ["。"]},
    }
    assert "Credential=AKIDEXAMPLE/" in received.headers["authorization"]
    assert "/ap-northeast-1/bedrock/aws4_request" in received.headers["authorization"]
    assert wires.KEYS["bedrock"] not in repr(received)


def test_bedrock_joins_text_blocks_and_leaves_reasoning_out() -> None:
    answer = json.loads(wires.answer("bedrock"))
    answer["output"]["message"]["content"] = [
        {"reasoningContent": {"reasoningText": {"text": "hm"}}},
        {"text": "あら、"},
        {"text": "いらっしゃい。"},
    ]
    assert exchanged("bedrock", json.dumps(answer).encode())[0].text == "あら、いらっしゃい。"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("finish", "reason"), [("stop", "stop"), ("length", "length"), ("content_filter", "refusal")])
def test_finish_reasons(provider: Provider, finish: str, reason: str) -> None:
    assert exchanged(provider, wires.answer(provider, finish=finish))[0].finish_reason == reason


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("text", [None, ""])
def test_an_empty_answer_is_left_to_the_detectors(provider: Provider, text: str | None) -> None:
    assert exchanged(provider, wires.answer(provider, text))[0].text == ""


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_is_cleaned(provider: Provider) -> None:
    answer = wires.answer(provider, "まあ\u0000。ADD").replace(b"ADD", b"\\ud800")
    assert exchanged(provider, answer)[0].text == "まあ。"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_that_no_response_could_carry_is_malformed(provider: Provider) -> None:
    longest = "あ" * ANSWER_LIMIT
    assert exchanged(provider, wires.answer(provider, longest))[0].text == longest
    with pytest.raises(Malformed) as caught:
        exchanged(provider, wires.answer(provider, f"{longest}い"))
    assert not caught.value.retryable


@pytest.mark.parametrize("provider", ["openai", "huggingface"])
def test_without_a_key_a_model_stays_closed(provider: Provider) -> None:
    variable = {"openai": "OPENAI_API_KEY", "huggingface": "HUGGINGFACE_TOKEN"}[provider]
    model = open_model(wires.row(provider, "http://127.0.0.1:9"), {})
    assert why(model) == model.status().detail == f"{variable} is not set: put the provider's API key there"
    assert model.status().state == "unavailable"
    model.close()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_misconfigured_row_stays_closed(provider: Provider) -> None:
    row = ModelRow(id="x", backend=provider, settings={"model": "m"}, misconfigured="X_TOKENS must be a number")
    assert why(open_model(row, ENVIRONMENT)) == "X_TOKENS must be a number"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_states(provider: Provider) -> None:
    model = open_model(wires.row(provider, "http://127.0.0.1:9"), ENVIRONMENT)
    assert model.status().state == "idle"
    assert isinstance(model, ExternalModel)
    model.warm().result()
    status = model.status()
    assert (status.state, status.detail) == ("ready", "speaker")
    assert status.data == {"backend": provider, "model": "speaker"}


def test_the_sdk_loads_while_the_model_before_it_is_asked() -> None:
    inner = open_model(wires.row("openai", "http://127.0.0.1:9"), ENVIRONMENT)
    model = make_guard()(inner, "openai")
    assert model.status().state == "idle"
    model.prepare(PROMPT)
    assert model.status().state in {"loading", "ready"}
    assert isinstance(inner, ExternalModel)
    inner.warm().result()
    assert model.status().state == "ready"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_most_talkative_logs_hold_no_key(provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Peer([behaviours.respond(wires.refusal(provider, 401).body, status=401)]) as peer:
        model = open_model(wires.row(provider, peer.url), ENVIRONMENT)
        with pytest.raises(AuthFailed):
            model.generate(PROMPT, Deadline.after(AMPLE))
    assert wires.SECRET not in caplog.text + repr(model) + repr(model.status())


def test_bedrock_without_any_credentials() -> None:
    model = open_model(wires.row("bedrock", "http://127.0.0.1:9"), {})
    assert why(model).startswith("BEDROCK_CREDENTIALS is not set and the standard AWS chain finds no credentials")
    assert model.status().state == "unavailable"


def test_bedrock_does_not_wait_for_a_metadata_service_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer([behaviours.silence]) as peer:
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url)
        model = open_model(wires.row("bedrock", "http://127.0.0.1:9"), {})
        with pytest.raises(Unavailable, match="not loaded before the deadline"):
            model.generate(PROMPT, Deadline.after(0.1))
        assert model.status().state == "loading"


def test_bedrock_follows_the_standard_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDCHAIN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "chain")
    with Peer([behaviours.respond(wires.answer("bedrock"))]) as peer:
        open_model(wires.row("bedrock", peer.url), {}).generate(PROMPT, Deadline.after(AMPLE))
    assert "Credential=AKIDCHAIN/" in peer.received[0].headers["authorization"]


def test_bedrock_with_a_profile_that_nobody_knows() -> None:
    model = open_model(wires.row("bedrock", "http://127.0.0.1:9"), {"BEDROCK_CREDENTIALS": "stranger"})
    assert why(model) == "BEDROCK_CREDENTIALS names a profile that the AWS configuration does not have"


def test_bedrock_without_a_region() -> None:
    row = ModelRow(id="b", backend="bedrock", settings={"model": "m"})
    assert why(open_model(row, ENVIRONMENT)).startswith("no client for bedrock can be made: check its region")


@dataclass(slots=True)
class Scripted:
    """An SDK that does what it is told."""

    act: Callable[[], Completion]
    errors: tuple[type[Exception], ...] = ()
    parameters: Parameters = PARAMETERS

    def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:
        del prompt, deadline, sent
        return self.act()


def opened(load: Callable[[], Asker]) -> LanguageModel:
    row = ModelRow(id="b", backend="openai", settings={"model": "m"})
    return open_external(row, lambda _: Opening(load=load, secrets=()))


def test_a_missing_sdk_says_what_to_install() -> None:
    def load() -> Asker:
        raise ImportError("openai")

    model = opened(load)
    assert why(model) == "the SDK of openai does not load: install the package's `external` extra"
    assert model.status().state == "unavailable"


def test_the_collector_is_spared_what_an_sdk_loaded() -> None:
    before = gc.get_freeze_count()
    ballast: list[list[int]] = []

    def load() -> Asker:
        ballast.extend([] for _ in range(10_000))
        return Scripted(lambda: Completion(text="x", finish_reason="stop", model="m"))

    opened(load).generate(PROMPT, Deadline.after(AMPLE))
    assert gc.get_freeze_count() >= before + len(ballast)


def test_a_slow_import_does_not_pass_the_deadline() -> None:
    release = threading.Event()

    def load() -> Asker:
        release.wait()
        return Scripted(lambda: Completion(text="x", finish_reason="stop", model="m"))

    model = opened(load)
    with pytest.raises(Unavailable, match="not loaded before the deadline"):
        model.generate(PROMPT, Deadline.after(0.05))
    assert model.status().state == "loading"
    release.set()
    assert model.generate(PROMPT, Deadline.after(AMPLE)).text == "x"


def test_a_completion_tells_how_long_it_took() -> None:
    clock = FakeClock()

    def act() -> Completion:
        clock.advance(1.5)
        return Completion(text="x", finish_reason="stop", model="m")

    assert opened(lambda: Scripted(act)).generate(PROMPT, Deadline.after(AMPLE, clock)).seconds == 1.5


def test_a_prompt_that_an_sdk_cannot_send_is_a_bad_request() -> None:
    def act() -> Completion:
        raise ValueError("secret")

    with pytest.raises(BackendError) as caught:
        opened(lambda: Scripted(act)).generate(PROMPT, Deadline.after(AMPLE))
    assert str(caught.value) == "the request to openai could not be built from this prompt"


def test_what_a_provider_did_is_told_whatever_an_sdk_makes_of_it() -> None:
    class Wrapped(Exception):
        pass

    with Peer([behaviours.respond(b"{}", status=503)]) as peer:

        def act() -> Completion:
            try:
                current().send(HttpRequest(method="GET", url=peer.url, headers=(), body=b""))
            except BackendError as error:
                raise Wrapped from error
            raise AssertionError("a 503 is no answer")

        with pytest.raises(Unavailable, match="openai answered 503"):
            opened(lambda: Scripted(act, (Wrapped,))).generate(PROMPT, Deadline.after(AMPLE))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_error_that_comes_as_a_success_is_called_so(provider: Provider) -> None:
    with pytest.raises(Malformed, match=f"^{provider} answered 200 with an error$"):
        exchanged(provider, json.dumps({**json.loads(wires.answer(provider)), "error": "overloaded"}).encode())


def test_no_sdk_reaches_the_network_outside_of_a_call() -> None:
    with pytest.raises(LookupError):
        current()


@pytest.mark.parametrize(("value", "efforts"), [(True, ["none", "minimal", "low", None]), (False, ["none", None])])
def test_a_refused_value_is_followed_by_the_next_and_a_refused_parameter_by_none(
    value: bool,  # noqa: FBT001 - a column of the table
    efforts: list[str | None],
) -> None:
    tried: list[str | None] = []

    @dataclass(frozen=True, slots=True)
    class Picky:
        parameters: Parameters
        errors: tuple[type[Exception], ...] = ()

        def ask(self, prompt: Prompt, deadline: Deadline, sent: Mapping[str, Any]) -> Completion:
            del prompt, deadline
            tried.append(sent.get("reasoning_effort"))
            if tried[-1] is None:
                return Completion(text="あら。", finish_reason="stop", model="m")
            error = UnsupportedParameter("no", backend="openai")
            error.parameters, error.value = frozenset({"reasoning_effort"}), value
            raise error

    settings = Settings(model=f"refuses its value: {value}", thinking=False)
    opened(lambda: Picky(chat_parameters("openai", settings, DEFAULT_URL))).generate(PROMPT, Deadline.after(AMPLE))
    assert tried == efforts


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_failure_names_the_model_that_was_asked(provider: Provider) -> None:
    with Peer([behaviours.respond(b"{}", status=404)]) as peer, pytest.raises(BackendError) as caught:
        open_model(wires.row(provider, peer.url), ENVIRONMENT).generate(PROMPT, Deadline.after(AMPLE))
    assert (caught.value.model, caught.value.status, caught.value.called) == ("speaker", 404, True)


@pytest.mark.parametrize(
    ("settings", "env"),
    [({"model": ""}, ENVIRONMENT), ({"model": "m"}, {}), ({"model": "m", "base_url": "x"}, ENVIRONMENT)],
)
def test_one_that_its_settings_keep_from_working_was_never_called(settings: Any, env: Mapping[str, str]) -> None:
    model = open_model(ModelRow(id="large", backend="openai", settings=settings), env)
    with pytest.raises(Unavailable) as caught:
        model.generate(PROMPT, Deadline.after(AMPLE))
    assert not caught.value.called
