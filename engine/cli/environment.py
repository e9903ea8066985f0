"""The environment of commands that hold a conversation: the process's own, the options given, and memory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from engine.app import DEFAULT_PIPELINE, pipeline_path
from engine.cli.usage import Usage
from engine.schema.suggest import nearest


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    default = f"$MISAKI_PIPELINE, or {DEFAULT_PIPELINE}"
    parser.add_argument("--pipeline", metavar="FILE", help=f"the pipeline to load (default: {default})")


def conversation_env(arguments: argparse.Namespace, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` with `--pipeline`; sessions are kept in memory unless `SESSION_STORE` says otherwise.

    Where nothing names a pipeline, that of the working directory goes before the shipped one.

    Raises:
        Usage: there is no such pipeline.
    """
    env = dict(base)
    env.setdefault("SESSION_STORE", "sqlite::memory:")
    if arguments.pipeline:
        env["MISAKI_PIPELINE"] = arguments.pipeline
    elif not env.get("MISAKI_PIPELINE") and Path(DEFAULT_PIPELINE).is_file():
        env["MISAKI_PIPELINE"] = DEFAULT_PIPELINE
    path = pipeline_path(env)
    if not path.is_file():
        raise Usage(_missing(path, "" if arguments.pipeline else "MISAKI_PIPELINE: "))
    return env


def _missing(path: Path, source: str) -> str:
    """What is wrong with the path of a pipeline, and the file that may have been meant."""
    if path.is_dir():
        known = [file.as_posix() for file in _yaml_below(path)]
        return f"{source}`{path.as_posix()}` is a folder{_listed(known)}"
    spelled = {
        word: file.as_posix()
        for file in (*_yaml_below(path.parent), *_yaml_below(Path("pipelines")))
        for word in (file.stem, file.name, file.as_posix())
    }
    close = nearest(path.as_posix(), spelled) or nearest(path.name, spelled)
    hint = f": did you mean `{spelled[close]}`?" if close else _listed(list(dict.fromkeys(spelled.values())))
    return f"{source}no pipeline at `{path.as_posix()}`{hint}"


def _yaml_below(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.y*ml") if not file.name.endswith(".golden.yml"))


def _listed(known: list[str]) -> str:
    return f": name a file, such as `{known[0]}`" if known else ": name a pipeline's file"
