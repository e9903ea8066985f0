from __future__ import annotations

from pathlib import Path

import pytest

from engine.validation.file_kinds import kind_of


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.yml", "version: 1\nname: a\nreplies: [b.yml]\nsteps: []\n", "pipeline"),
        ("a.yml", "replies:\n  - id: a\n", "replies"),
        ("a.yml", "kinds:\n  good_news:\n", "kinds"),
        ("a.yml", "version: 1\nkinds: [b.yml]\nsteps: []\n", "pipeline"),
        ("kinds/bar/a.yml", "kidns: {}\n", "kinds"),
        ("a.golden.yml", "", "golden"),
        ("a.yml", "pipeline: x.yml\nconversations: []\n", "golden"),
        ("a.yml", "# yaml-language-server: $schema=../x/replies.schema.json\nreplise: []\n", "replies"),
        ("replies/bar/a.yml", "replise: []\n", "replies"),
        ("pipelines/a.yml", "stps: []\n", "pipeline"),
        ("a.yml", '{"version": 1, "steps": [], "replies": []}', "pipeline"),
        ("a.yml", "{replies: [{id: a, say: [b]}]}", "replies"),
        ("notes.yml", "shopping: []\n", None),
        ("empty.yml", "", None),
    ],
)
def test_a_file_says_what_it_is(name, text, kind):
    assert kind_of(Path(name), text) == kind
