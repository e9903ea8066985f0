"""The files of exact versions: every artefact has its digest, none names a host, and the image has what is tested."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
TESTED = ROOT / "constraints.txt"


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


@pytest.mark.parametrize("path", [*LOCKS, TESTED], ids=lambda path: path.stem)
def test_no_host_is_named(path):
    assert "://" not in path.read_text()
    assert "index-url" not in path.read_text()


@pytest.mark.parametrize("name", ["runtime", "native", "development"])
def test_the_image_has_the_versions_that_are_tested(name):
    """For every package that both have: one resolution, bounds of the image's base included."""
    tested, shipped = versions(TESTED), versions(ROOT / "requirements" / f"{name}.txt")
    assert shipped
    assert {package: version for package, version in shipped.items() if tested.get(package) != version} == {}


def test_nothing_is_shipped_twice():
    shipped = [versions(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "native", "development")]
    assert len({package for lock in shipped for package in lock}) == sum(map(len, shipped))


def test_what_the_base_bounds_is_shipped_within_the_bounds():
    shipped = versions(ROOT / "requirements" / "runtime.txt")
    bounds = re.findall(r"^([a-z0-9-]+)<([\d.]+)$", (ROOT / "requirements" / "bounds.in").read_text(), re.MULTILINE)
    assert len(bounds) == 3
    for package, bound in bounds:
        assert numbers(shipped[package]) < numbers(bound)


def numbers(version):
    return tuple(map(int, version.split(".")))
