"""The files of exact versions: every artefact has its digest, none names a host, and the image has what is tested."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
BOUNDED = {"google-re2", "numpy", "rapidfuzz"}
"""What `requirements/image.in` holds back for the Lambda base."""


def requirements(path):
    """Each requirement as one line."""
    text = path.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def versions(path):
    return dict(re.findall(r"^([a-z0-9.-]+)==([^\s;]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_every_requirement_is_exact_and_has_its_digest(path):
    assert requirements(path)
    for line in requirements(path):
        assert re.match(r"[a-z0-9.-]+==\S+", line), line
        assert "--hash=sha256:" in line


@pytest.mark.parametrize("path", [*LOCKS, ROOT / "constraints.txt"], ids=lambda path: path.stem)
def test_no_host_is_named(path):
    assert "://" not in path.read_text()
    assert "index-url" not in path.read_text()


def test_the_image_has_the_versions_that_are_tested_but_for_its_base_s_bounds():
    tested, shipped = versions(ROOT / "constraints.txt"), versions(ROOT / "requirements" / "runtime.txt")
    assert {name for name, version in shipped.items() if tested[name] != version} <= BOUNDED


def test_the_compiled_engine_has_the_version_that_is_tested():
    native = versions(ROOT / "requirements" / "native.txt")
    assert native == {"llama-cpp-python": versions(ROOT / "constraints.txt")["llama-cpp-python"]}
