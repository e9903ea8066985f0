from __future__ import annotations

import json

from engine.models.local.worker.start import (
    LocalSettings,
    prompt_from_json,
    prompt_to_json,
    settings_from_json,
    settings_to_json,
)
from tests.unit.models.local.worker.test_layout import PROMPT


def test_settings_cross_the_pipe():
    settings = LocalSettings(path="a.gguf", stop=("。", "\n"), seed=7, examples=3, style="raw", cache="off")
    assert settings_from_json(json.loads(json.dumps(settings_to_json(settings)))) == settings


def test_prompts_cross_the_pipe():
    assert prompt_from_json(json.loads(json.dumps(prompt_to_json(PROMPT)))) == PROMPT
