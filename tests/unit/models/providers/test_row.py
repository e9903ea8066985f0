from __future__ import annotations

import pytest

from engine.core.plan import ModelRow
from engine.models.providers.row import Settings, settings_of, with_version
from engine.models.registry import open_model
from engine.models.settings import SettingError


def row(**settings: object) -> ModelRow:
    return ModelRow(id="large", backend="openai", settings={"model": "m", **settings})


def test_only_a_model_is_needed() -> None:
    assert settings_of(row()) == Settings(model="m")


def test_every_setting() -> None:
    found = settings_of(
        row(
            base_url="http://h/v1",
            max_tokens=5,
            temperature=0,
            top_p=0.9,
            examples=2,
            stop=("x",),
            logprobs=True,
            thinking=False,
        )
    )
    assert found == Settings(
        model="m",
        base_url="http://h/v1",
        max_tokens=5,
        temperature=0,
        top_p=0.9,
        examples=2,
        stop=("x",),
        logprobs=True,
        thinking=False,
    )


def test_empty_texts_count_as_not_set() -> None:
    assert settings_of(row(base_url="", region=" ")) == Settings(model="m")


@pytest.mark.parametrize("model", ["", None])
def test_no_model(model: object) -> None:
    with pytest.raises(SettingError, match=r"^model large names no model: set its `model`$"):
        settings_of(row(model=model))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", 5),
        ("base_url", True),
        ("base_url", "api.example/v1"),
        ("base_url", "http://[::1"),
        ("max_tokens", "many"),
        ("max_tokens", -1),
        ("max_tokens", True),
        ("max_tokens", 1.5),
        ("temperature", "hot"),
        ("temperature", True),
        ("top_p", -0.1),
        ("examples", 0.5),
        ("logprobs", "yes"),
        ("stop", ""),
        ("stop", (1,)),
    ],
)
def test_a_wrong_kind_is_named(key: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"`{key}` (is|must be) "):
        settings_of(row(**{key: value}))


def test_what_the_loader_found_wrong_comes_first() -> None:
    broken = ModelRow(id="large", backend="openai", settings={}, misconfigured="OPENAI_MODEL must be a text")
    with pytest.raises(SettingError, match=r"^OPENAI_MODEL must be a text$"):
        settings_of(broken)


SERVER = "http://127.0.0.1:8080"


@pytest.mark.parametrize("backend", ["openai", "huggingface"])
@pytest.mark.parametrize(
    ("written", "asked"),
    [
        (f"{SERVER}/v1", f"{SERVER}/v1"),
        (f"{SERVER}/v1/", f"{SERVER}/v1"),
        (SERVER, f"{SERVER}/v1"),
        (f"{SERVER}/", f"{SERVER}/v1"),
        (f"{SERVER}/v1/chat/completions", f"{SERVER}/v1"),
        (f"{SERVER}/v1/chat/completions/", f"{SERVER}/v1"),
        (f"{SERVER}/chat/completions", f"{SERVER}/v1"),
        (f"{SERVER}/v1/completions", f"{SERVER}/v1"),
        (f"{SERVER}/v1/responses", f"{SERVER}/v1"),
        (f"{SERVER}/v1/models", f"{SERVER}/v1"),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("https://open.bigmodel.cn/api/paas/v4/chat/completions", "https://open.bigmodel.cn/api/paas/v4"),
        ("https://vhost.example/v1x", "https://vhost.example/v1x"),
        ("https://v1.example", "https://v1.example/v1"),
    ],
)
def test_an_address_is_repaired(backend: str, written: str, asked: str) -> None:
    found = settings_of(ModelRow(id="large", backend=backend, settings={"model": "m", "base_url": written}))
    assert with_version(found).base_url == asked


@pytest.mark.parametrize("rest", [" v1", "\\v1", "/v1。", "/v1,http://other/v1", "/v1\u3000x", "/v1>", '/v1"'])
def test_an_address_with_signs_that_stand_in_none_is_refused(rest: str) -> None:
    row = ModelRow(id="large", backend="openai", settings={"model": "m", "base_url": SERVER + rest})
    with pytest.raises(SettingError, match="must be an http or https address"):
        settings_of(row)


@pytest.mark.parametrize("backend", ["openai", "huggingface", "bedrock"])
@pytest.mark.parametrize(
    "rest", ["/v1?api-version=2024-10-21", "?a=b", "/v1?", "/v1#chat", "/v1/chat/completions?k=KEY"]
)
def test_an_address_with_a_query_is_refused_with_its_remedy(backend: str, rest: str) -> None:
    row = ModelRow(id="large", backend=backend, settings={"model": "m", "base_url": SERVER + rest})
    with pytest.raises(SettingError) as caught:
        settings_of(row)
    assert "`base_url` has a query; give the address up to the `?`, as in http://127.0.0.1/v1" in str(caught.value)
    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize("rest", ["/openai/v1", "/v1/", "/chat/completions", "/openai/v1/chat/completions"])
def test_the_address_of_another_protocol_is_none_of_bedrock(rest: str) -> None:
    row = ModelRow(id="large", backend="bedrock", settings={"model": "m", "base_url": SERVER + rest})
    status = open_model(row, {}).status()
    assert status.state == "unavailable"
    assert "use the backend `openai` for it" in status.detail


def test_an_address_of_bedrock_stays_as_it_is() -> None:
    row = ModelRow(id="large", backend="bedrock", settings={"model": "m", "base_url": f"{SERVER}/proxy/"})
    assert settings_of(row).base_url == f"{SERVER}/proxy"
