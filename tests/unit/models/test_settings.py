"""One table says what a setting of a model may hold; the schema, the environment and the backends all keep to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import engine.pipeline.schema
from engine.core.plan import ModelRow
from engine.models.registry import BACKENDS
from engine.models.settings import SETTINGS, Choice, Flag, Number, SettingError, given
from engine.pipeline.compiled import EnvRef, ModelDeclaration
from engine.pipeline.model_rows import bind_model
from engine.pipeline.schema.load import load_pipeline

SCHEMA = json.loads((Path(engine.pipeline.schema.__file__).parent / "pipeline.schema.json").read_text("utf-8"))
PROPERTIES = SCHEMA["$defs"]["model"]["properties"]
NUMBERS = {name: kind for name, (kind, _) in SETTINGS.items() if isinstance(kind, Number)}

PIPELINE = """
version: 1
name: bar
persona: {{name: 舞}}
replies: [replies.yml]
models:
  small: {{backend: {backend}, {name}: {value}}}
steps:
  - {{id: sorry, kind: say, reply: sorry}}
"""


def of_literals(schema: dict[str, Any]) -> dict[str, Any]:
    """What the schema asks of a value that is no reference to the environment."""
    referred = schema.get("$ref", "").rpartition("/")[2]
    own = {**of_literals(SCHEMA["$defs"][referred])} if referred else {}
    return {**own, **schema.get("else", {}), **{key: value for key, value in schema.items() if key != "else"}}


def test_schema_and_table_name_the_same_settings() -> None:
    assert SETTINGS.keys() == PROPERTIES.keys() - {"backend"}
    assert {name for _, backends in SETTINGS.values() for name in backends} == BACKENDS.keys()


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_of_the_schema_are_those_of_the_table(name: str) -> None:
    kind, schema = NUMBERS[name], of_literals(PROPERTIES[name])
    assert (schema["minimum"], schema["maximum"]) == (kind.low, kind.high)
    assert schema.get("type") == ("integer" if kind.whole else "number")


def test_the_words_of_the_schema_are_those_of_the_table() -> None:
    choices = {name: kind.words for name, (kind, _) in SETTINGS.items() if isinstance(kind, Choice)}
    assert {name: tuple(of_literals(PROPERTIES[name])["enum"]) for name in choices} == choices
    flags = {name for name, (kind, _) in SETTINGS.items() if isinstance(kind, Flag)}
    assert {of_literals(PROPERTIES[name])["type"] for name in flags} == {"boolean"}


def edges() -> list[tuple[str, float, bool]]:
    """Numbers at both bounds of each setting, and just beyond them."""
    found: list[tuple[str, float, bool]] = []
    for name, kind in NUMBERS.items():
        step = 1 if kind.whole else 0.125
        found += [(name, kind.low, True), (name, kind.high, True)]
        found += [(name, kind.low - step, False), (name, kind.high + step, False)]
    return found


@pytest.mark.parametrize(("name", "value", "fits"), [*edges(), ("repeat_penalty", 0.2, False)])
def test_all_agree_on_a_number(tmp_path: Path, name: str, value: float, fits: bool) -> None:  # noqa: FBT001 - a column
    backend = "llama.cpp"
    pipeline = tmp_path / "bar.yml"
    pipeline.write_text(PIPELINE.format(backend=backend, name=name, value=value), "utf-8")
    (tmp_path / "replies.yml").write_text("replies: [{id: sorry, say: [x]}]", "utf-8")
    codes = [problem.code for problem in load_pipeline(pipeline)[1]]
    assert (codes == []) is fits, codes

    reference = EnvRef(name="SET", default=None, has_default=False)
    declared = ModelDeclaration(id="small", backend=backend, settings={name: reference})
    bound = bind_model(declared, {"SET": str(value)})
    assert (bound.misconfigured is None) is fits

    row = ModelRow(id="small", backend=backend, settings={name: value})
    if fits:
        assert given(row) == {name: value}
    else:
        with pytest.raises(SettingError, match=f"model `small`: `{name}` is `{value}`; give "):
            given(row)


@pytest.mark.parametrize("written", ["none", "None", " none "])
@pytest.mark.parametrize("backend", ["openai", "bedrock", "huggingface", "auto"])
def test_no_temperature_is_left_to_the_model(backend: str, written: str) -> None:
    reference = EnvRef(name="LOCAL_LLM_TEMPERATURE", default=0.7, has_default=True)
    for settings, env in (({"temperature": "none"}, {}), ({"temperature": reference}, {reference.name: written})):
        bound = bind_model(ModelDeclaration(id="small", backend=backend, settings=settings), env)
        assert (bound.misconfigured, given(bound)) == (None, {})


@pytest.mark.parametrize("value", ["none", "0.7", "2", "${X:none}", "${X:0.5}", "${X}"])
def test_temperatures_that_may_be_written(tmp_path: Path, value: str) -> None:
    pipeline = tmp_path / "bar.yml"
    pipeline.write_text(
        PIPELINE.format(backend="openai", name="temperature", value=f'"{value}"' if "$" in value else value), "utf-8"
    )
    (tmp_path / "replies.yml").write_text("replies: [{id: sorry, say: [x]}]", "utf-8")
    assert load_pipeline(pipeline)[1] == []


@pytest.mark.parametrize(("text", "value"), [("true", True), ("no", False), ("0", False), ("ON", True)])
@pytest.mark.parametrize("default", [None, True])
def test_thinking_may_stand_in_the_environment(text: str, value: bool, default: bool | None) -> None:  # noqa: FBT001 - columns
    reference = EnvRef(name="THINK", default=default, has_default=default is not None)
    bound = bind_model(ModelDeclaration(id="s", backend="openai", settings={"thinking": reference}), {"THINK": text})
    assert given(bound) == {"thinking": value}


def test_settings_of_other_backends_are_not_read() -> None:
    row = ModelRow(id="s", backend="openai", settings={"model": "m", "region": "r", "top_k": 5, "threads": 2})
    assert given(row) == {"model": "m"}


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("https://h", True),
        ("${OPENAI_BASE_URL:}", True),
        ("${X:https://h/v1}", True),
        ("${X:https://h/v1?key=a}", False),
        ("https://h/v1?api-version=1", False),
        ("https://h/v1#x", False),
        ("h/v1", False),
        ("ftp://h", False),
        ("https://h/a b", False),
    ],
)
def test_an_address_is_looked_at_when_a_pipeline_is_read(tmp_path: Path, value: str, fits: bool) -> None:  # noqa: FBT001 - a column
    pipeline = tmp_path / "bar.yml"
    pipeline.write_text(PIPELINE.format(backend="openai", name="base_url", value=f"'{value}'"), "utf-8")
    (tmp_path / "replies.yml").write_text("replies: [{id: sorry, say: [x]}]", "utf-8")
    problems = load_pipeline(pipeline)[1]
    assert (problems == []) is fits
    assert fits or "without a query, such as `http://127.0.0.1:8080/v1`" in problems[0].message
