"""One table says what a setting of a model may hold; the schema, the environment and the backends all keep to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import grimp
import pytest

from engine.core.plan import ModelRow
from engine.core.source import EnvRef
from engine.models.local.worker.start import ENGINES
from engine.models.registry import BACKENDS, SETTINGS, given, open_model
from engine.models.secrets import SECRETS, is_secret
from engine.models.settings import Number, SettingError
from engine.pipeline.bind import ModelDeclaration, bind_model
from engine.pipeline.schema.load import load_pipeline

NUMBERS = {name: kind for name, kind in SETTINGS.items() if isinstance(kind, Number)}

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


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_means_the_same_to_every_backend(name: str) -> None:
    kinds = [row.settings[name] for row in BACKENDS.values() if name in row.settings]
    assert all(kind == kinds[0] for kind in kinds)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_requires_only_what_it_reads(backend: str) -> None:
    assert set(BACKENDS[backend].required) <= BACKENDS[backend].settings.keys()


class Watched(dict[str, str]):
    """An environment that knows which of its variables were looked at."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(SECRETS, "canary-of-a-key"))
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return super().__getitem__(name)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backend_reads_no_secret_but_that_of_its_row(backend: str) -> None:
    env, row = Watched(), BACKENDS[backend]
    settings = dict.fromkeys(row.required, "m")
    open_model(ModelRow(id="m", backend=backend, settings=settings), env).close()
    assert {name for name in env.read if is_secret(name)} == {row.credentials} - {None}


def test_no_backend_knows_another() -> None:
    graph = grimp.build_graph("engine")
    modules = {f"engine.models.{row.module}" for row in BACKENDS.values()}
    modules |= {f"engine.models.local.{module}" for module in ENGINES.values()}
    assert [one for one in modules for other in modules - {one} if graph.chain_exists(one, other)] == []


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
    backend = next(one for one, row in BACKENDS.items() if name in row.settings)
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
