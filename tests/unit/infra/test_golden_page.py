"""The page about golden conversations: the file that it shows is one that passes."""

from __future__ import annotations

import re
from pathlib import Path

from engine.cli import main

ROOT = Path(__file__).parents[3]


def test_the_golden_that_is_shown_passes(tmp_path, capsys):
    page = (ROOT / "docs" / "golden-conversations.md").read_text("utf-8")
    shown = re.findall(r"```yaml\n(# yaml-language-server.*?)```", page, re.DOTALL)
    assert len(shown) == 1
    file = tmp_path / "shown.golden.yml"
    file.write_text(shown[0].replace("../../pipelines", f"{ROOT}/pipelines"), "utf-8")
    assert main(["test", str(file)]) == 0, capsys.readouterr().out
