from __future__ import annotations

import pytest

from engine.backends.credentials import SettingError
from engine.backends.settings import Settings, settings_of
from engine.model.plan import ModelRow


def row(**settings: object) -> ModelRow:
    return ModelRow(id="large", backend="openai", settings={"model": "m", **settings})


def test_only_a_model_is_needed() -> None:
    assert settings_of(row()) == Settings(model="m")


def test_every_setting() -> None:
    found = settings_of(
        row(
            base_url="http://h",
            region="r",
            max_tokens=5,
            temperature=0,
            top_p=0.9,
            examples=2,
            stop=("x",),
            logprobs=True,
        )
    )
    assert found == Settings(
        model="m",
        base_url="http://h",
        region="r",
        max_tokens=5,
        temperature=0,
        top_p=0.9,
        examples=2,
        stop=("x",),
        logprobs=True,
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
        ("stop", "x"),
        ("stop", (1,)),
    ],
)
def test_a_wrong_kind_is_named(key: str, value: object) -> None:
    with pytest.raises(SettingError, match=f"^`{key}` must be "):
        settings_of(row(**{key: value}))


def test_what_the_loader_found_wrong_comes_first() -> None:
    broken = ModelRow(id="large", backend="openai", settings={}, misconfigured="OPENAI_MODEL must be a text")
    with pytest.raises(SettingError, match=r"^OPENAI_MODEL must be a text$"):
        settings_of(broken)
