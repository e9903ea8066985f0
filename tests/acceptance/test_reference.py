"""What is written down beside the code says what the code says."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator

from engine.pipeline.reading.compose import compose
from engine.pipeline.schema.shape import check_shape, schema_of
from engine.validation.file_kinds import KINDS, kind_of
from tools.reference import ROOT, documents

SHIPPED = [
    path
    for folder in ("pipelines", "replies", "kinds", "tests/golden")
    for path in sorted((ROOT / folder).rglob("*.yml"))
    if not path.name.endswith(".cassette.yml")
]
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@pytest.mark.parametrize("path", documents(), ids=str)
def test_the_reference_is_fresh(path):
    assert (ROOT / path).read_text("utf-8") == documents()[path], "run `python -m tools.reference`"


def test_nothing_else_lies_among_the_generated_pages():
    written = {path for folder in ("docs/reference", "docs/problems") for path in (ROOT / folder).iterdir()}
    assert written == {ROOT / path for path in documents() if path.suffix == ".md"}


@pytest.mark.parametrize("kind", KINDS)
def test_schemas_are_schemas_and_describe_every_key(kind):
    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    assert list(undescribed(schema, schema)) == []


def undescribed(part, root, place="#"):
    """Places of keys that a code editor could show no text for."""
    if isinstance(part, list):
        for number, item in enumerate(part):
            yield from undescribed(item, root, f"{place}/{number}")
    if not isinstance(part, dict):
        return
    for key, value in part.get("properties", {}).items() if isinstance(part.get("properties"), dict) else ():
        inside_condition = place.endswith("/if")
        target = root["$defs"][value["$ref"].split("/")[-1]] if isinstance(value, dict) and "$ref" in value else {}
        if not inside_condition and value is not True and "description" not in {**target, **value}:
            yield f"{place}/properties/{key}"
    for key, value in part.items():
        yield from undescribed(value, root, f"{place}/{key}")


def test_schemas_pass_the_metaschema_as_others_check_it():
    files = [str(ROOT / "engine" / "pipeline" / "schema" / f"{kind}.schema.json") for kind in KINDS]
    command = [sys.executable, "-m", "check_jsonschema", "--check-metaschema", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_files_fit_and_tell_editors_their_schema(path):
    text = path.read_text("utf-8")
    modeline = MODELINE.match(text)
    kind = kind_of(path, text)
    assert modeline is not None
    assert (path.parent / modeline[1]).resolve() == ROOT / "engine" / "pipeline" / "schema" / f"{kind}.schema.json"
    root, problems = compose(text, path.name)
    assert problems == []
    assert root is not None
    assert kind is not None
    assert check_shape(root, kind) == []


def test_editors_find_the_schemas_without_a_modeline():
    text = (ROOT / ".vscode" / "settings.json").read_text("utf-8")
    schemas = json.loads(text)["yaml.schemas"]
    assert {(ROOT / path).resolve() for path in schemas} == {
        ROOT / "engine" / "pipeline" / "schema" / f"{kind}.schema.json" for kind in KINDS
    }
    for path in SHIPPED:
        kind = kind_of(path, path.read_text("utf-8"))
        globs = schemas[f"./engine/pipeline/schema/{kind}.schema.json"]
        assert any(path.relative_to(ROOT).match(glob) for glob in globs), path
