"""The compose file: whatever the README calls a setting reaches the container."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_every_setting_is_handed_on(page):
    rows = re.findall(r"^\| (`[A-Z_]+`.*?) \|", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    settings = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(settings) >= 19
    assert settings <= SERVICES["lambda"]["environment"].keys()


def test_no_key_is_written_down():
    environment = SERVICES["lambda"]["environment"]
    secret = {name for name in environment if re.search(r"KEY|TOKEN$|CREDENTIALS", name)}
    assert len(secret) >= 7
    assert {environment[name] for name in secret} == {None}
