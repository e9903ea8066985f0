from __future__ import annotations

import pytest

from engine.core.plan import ModelRow
from engine.models.local.settings import read_settings
from engine.models.settings import SettingError


@pytest.fixture
def read(tiny_path):
    def read(misconfigured=None, **settings):
        row = ModelRow(
            id="small",
            backend="auto",
            settings={"path": str(tiny_path), **settings},
            misconfigured=misconfigured,
        )
        return read_settings(row, {})

    return read


def test_defaults(read, tiny_path):
    settings = read()
    assert settings.path == str(tiny_path)
    assert (settings.max_tokens, settings.temperature, settings.context) == (256, 0.7, 2048)
    assert settings.threads >= 1
    assert (settings.style, settings.examples, settings.stop, settings.cache) == ("auto", None, (), "")


def test_what_is_given_is_used(read):
    settings = read(
        max_tokens=64, temperature=0, threads=3, style="raw", examples=0, stop=("。",), cache="off", seed=None
    )
    assert (settings.max_tokens, settings.temperature, settings.threads) == (64, 0.0, 3)
    assert (settings.style, settings.examples, settings.stop, settings.cache) == ("raw", 0, ("。",), "off")


def test_a_seed_may_be_as_large_as_the_schema_says(read):
    assert read(seed=4294967295).seed == 4294967295
    with pytest.raises(SettingError, match="give a whole number from 0 to 4294967295"):
        read(seed=4294967296)


def test_one_stop_text_needs_no_list(read):
    assert read(stop="。").stop == ("。",)


def test_settings_of_other_backends_are_none_of_ours(read):
    assert read(region="ap-northeast-1").max_tokens == 256


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_tokens": "abc"}, "`max_tokens` is `abc`; give a whole number"),
        ({"max_tokens": True}, "`max_tokens`"),
        ({"max_tokens": 0}, "`max_tokens`"),
        ({"max_tokens": 12.5}, "whole number"),
        ({"examples": 1.5}, "`examples` is `1.5`; give a whole number from 0 to 500"),
        ({"temperature": -1}, "`temperature` is `-1`; give a number from 0 to 2, or `none`"),
        ({"temperature": float("nan")}, "`temperature`"),
        ({"threads": 0}, "`threads`"),
        ({"style": "poem"}, "`style` is `poem`; give auto, chat or raw"),
        ({"stop": (1,)}, "`stop`"),
        ({"stop": ""}, "`stop`"),
        ({"max_tokens": 2048}, "leaves no room in `context` 2048"),
        ({"path": ""}, "has no path; set LOCAL_LLM_MODEL"),
        ({"path": None}, "has no path"),
        ({"path": "/nowhere/model.gguf"}, "no file at `/nowhere/model.gguf`; set LOCAL_LLM_MODEL"),
        ({"path": "/"}, "no file at `/`"),
        ({"path": __file__}, "is not a GGUF file; set LOCAL_LLM_MODEL"),
        ({"path": "a\0b"}, "LOCAL_LLM_MODEL"),
    ],
)
def test_what_is_wrong_is_said_with_its_remedy(read, settings, words):
    with pytest.raises(SettingError) as caught:
        read(**settings)
    assert words in str(caught.value)
    assert "`small`" in str(caught.value)


def test_what_the_plan_found_wrong_is_passed_on(read):
    with pytest.raises(SettingError, match="LOCAL_LLM_MAX_TOKENS is `abc`"):
        read(misconfigured="LOCAL_LLM_MAX_TOKENS is `abc`, which is no number")
