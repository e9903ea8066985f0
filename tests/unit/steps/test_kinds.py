"""The table of step kinds: each row names a module that owns its kind and knows no other."""

from __future__ import annotations

import grimp
import pytest

from engine.steps.kinds import STEP_KINDS, step_kind


def test_no_kind_knows_another() -> None:
    graph = grimp.build_graph("engine")
    modules = set(STEP_KINDS.values())
    assert [one for one in modules for other in modules - {one} if graph.chain_exists(one, other)] == []


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_required_keys_are_keys(kind: str) -> None:
    schema = step_kind(kind).SCHEMA
    assert set(schema.get("required", ())) <= schema["properties"].keys()
    assert not {"id", "kind", "when"} & schema["properties"].keys()
