"""Prints how large and how plain the engine is, beside packages that are held up as models, where they are installed.

python -m tools.size            # beside import-linter, and after `pip install --no-deps pre-commit` beside that
python -m tools.size --name     # names what the figures count, for those who want to make them smaller
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

MODELS = ("pre_commit", "importlinter")
SMALL_MODULE = 40
SMALL_HELPER = 3
"""Lines of code, without a docstring."""
PLACES = 2
"""A file name may stand in so many folders."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Module:
    """One source file below the package's `folder`."""

    path: Path
    folder: Path

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text("utf-8").splitlines()

    @cached_property
    def name(self) -> str:
        return self.path.relative_to(self.folder.parent).as_posix()

    @property
    def ignores(self) -> int:
        return sum("# noqa" in line for line in self.lines)

    def helpers(self) -> Iterator[str]:
        """The private functions of few lines that are used once in their module, and do not stand in for another."""
        tree = ast.parse("\n".join(self.lines))
        used = Counter(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        used.update(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        for node in ast.walk(tree):
            is_private = isinstance(node, Function) and node.name.startswith("_") and not node.name.endswith("__")
            if is_private and used[node.name] == 1 and not node.decorator_list and _length(node) <= SMALL_HELPER:
                yield f"{self.name}:{node.lineno} {node.name}"


@dataclass(frozen=True, kw_only=True)
class Package:
    """The modules below one folder."""

    name: str
    modules: Sequence[Module]

    @cached_property
    def small_modules(self) -> list[str]:
        return [one.name for one in self.modules if len(one.lines) <= SMALL_MODULE]

    @cached_property
    def ignored(self) -> list[str]:
        return [f"{one.name} {one.ignores}" for one in self.modules if one.ignores]

    @cached_property
    def helpers(self) -> list[str]:
        return [helper for one in self.modules for helper in one.helpers()]

    @cached_property
    def common_names(self) -> list[str]:
        places = Counter(one.path.name for one in self.modules if not one.path.name.startswith("__"))
        return [f"{name} {count}" for name, count in places.items() if count > PLACES]

    def figures(self) -> list[str]:
        """The cells of the package's row, in the order of `HEADINGS`."""
        sizes = sorted(len(one.lines) for one in self.modules)
        ignores, total = sum(one.ignores for one in self.modules), sum(sizes)
        return [
            self.name,
            f"{total:,}",
            str(len(sizes)),
            f"{statistics.median(sizes):.0f}/{sizes[int(len(sizes) * 0.95)]}/{sizes[-1]}",
            str(len(self.small_modules)),
            f"{ignores} ({1000 * ignores / total:.1f})",
            f"{len(self.helpers)} ({1000 * len(self.helpers) / total:.1f})",
            str(len(self.common_names)),
        ]


HEADINGS = (
    "package",
    "lines",
    "modules",
    "median/95th/longest",
    f"of {SMALL_MODULE} lines or fewer",
    "noqa (a 1,000 lines)",
    f"helpers of {SMALL_HELPER} lines or fewer, used once (a 1,000 lines)",
    f"file names in more than {PLACES} places",
)


def _length(function: Function) -> int:
    """The lines of a function's body after its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def measure(name: str, folder: Path) -> Package:
    """The package `name` in `folder`."""
    paths = sorted(folder.rglob("*.py"))
    return Package(name=name, modules=[Module(path=path, folder=folder) for path in paths])


def main() -> None:
    """Print a table of packages."""
    parser = argparse.ArgumentParser(description="how large and how plain the engine is")
    parser.add_argument("--name", action="store_true", help="name what is counted in the engine")
    engine = measure("engine", Path("engine"))
    packages = [engine]
    for name in MODELS:
        found = find_spec(name)
        if found is not None and found.submodule_search_locations:
            packages.append(measure(name, Path(found.submodule_search_locations[0])))
    print("| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|")
    for package in packages:
        print("| " + " | ".join(package.figures()) + " |")
    if parser.parse_args().name:
        for heading, rows in (
            (HEADINGS[4], engine.small_modules),
            (HEADINGS[5], engine.ignored),
            (HEADINGS[6], engine.helpers),
            (HEADINGS[7], engine.common_names),
        ):
            print(f"\n{heading}:", *rows, sep="\n  ")


if __name__ == "__main__":
    main()
