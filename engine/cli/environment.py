"""Makes the environment of commands that hold a conversation: the process's own, the options given, and memory."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from engine.app import DEFAULT_PIPELINE, pipeline_file
from engine.cli.env_file import Usage
from engine.core.language import phrase, tell
from engine.pipeline.reading.files import PIPELINES
from engine.pipeline.schema.advice import pipeline_meant, pipelines_in


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    about = tell(
        "the pipeline to load (default: $MISAKI_PIPELINE, or {usual}, or the only one in `{folder}`)",
        usual=DEFAULT_PIPELINE,
        folder=PIPELINES,
    )
    parser.add_argument("--pipeline", metavar="FILE", help=about)


def pipeline_path(env: Mapping[str, str]) -> Path:
    return Path(pipeline_file(env))


def conversation_env(arguments: argparse.Namespace, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` with `--pipeline`; sessions are kept in memory unless `SESSION_STORE` says otherwise.

    Where nothing names a pipeline, a working directory with a single one in `pipelines` means that one.

    Raises:
        Usage: there is no such pipeline, or none is named and there are several.
    """
    env = dict(base)
    env["SESSION_STORE"] = env.get("SESSION_STORE", "").strip() or "memory"
    if arguments.pipeline:
        env["MISAKI_PIPELINE"] = arguments.pipeline
    elif not env.get("MISAKI_PIPELINE") and not Path(DEFAULT_PIPELINE).is_file():
        env.update(_only_pipeline())
    path = pipeline_path(env)
    if not path.is_file():
        if not env.get("MISAKI_PIPELINE"):
            raise Usage(
                phrase("there is no pipeline here: `misaki init NAME` writes a bot, --pipeline names one elsewhere")
            )
        raise Usage(_missing(path, "" if arguments.pipeline else "MISAKI_PIPELINE: "))
    return env


def keep_rooms(env: dict[str, str], base: Mapping[str, str] = os.environ) -> str:
    """Lets `env` keep rooms in a file of this user, unless `SESSION_STORE` in `base` says otherwise; tells where."""
    if base.get("SESSION_STORE", "").strip():
        return phrase("SESSION_STORE says where rooms are kept: {store}", store=env["SESSION_STORE"])
    folder = Path(base.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "misaki"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return phrase(
            "rooms are kept in memory, as `{folder}` cannot be made ({reason}): set SESSION_STORE",
            folder=folder,
            reason=error.strerror,
        )
    env["SESSION_STORE"] = f"sqlite:{folder / 'rooms.db'}"
    return phrase("rooms are kept in {file}; SESSION_STORE names another place", file=folder / "rooms.db")


def _only_pipeline() -> dict[str, str]:
    """The variable that names the working directory's one pipeline; none where it has no pipeline."""
    there = pipelines_in(PIPELINES)
    if len(there) > 1:
        known = ", ".join(f"`{path.as_posix()}`" for path in there[:5])
        raise Usage(
            phrase("several pipelines are here: name one by --pipeline or MISAKI_PIPELINE, of {names}", names=known)
        )
    return {"MISAKI_PIPELINE": there[0].as_posix()} if there else {}


def _missing(path: Path, source: str) -> str:
    """Tells what is wrong with the path of a pipeline, and the file that may have been meant."""
    if path.is_dir():
        return phrase(
            "{source}`{path}` is a folder{advice}",
            source=source,
            path=path.as_posix(),
            advice=_listed(pipelines_in(path)),
        )
    meant = pipeline_meant(path)
    known = [*pipelines_in(PIPELINES), *pipelines_in(path.parent)]
    advice = phrase(": did you mean `{close}`?", close=meant.as_posix()) if meant else _listed(known)
    return phrase("{source}no pipeline at `{path}`{advice}", source=source, path=path.as_posix(), advice=advice)


def _listed(known: list[Path]) -> str:
    if known:
        return phrase(": name a file, such as `{path}`", path=known[0].as_posix())
    return phrase(": name a pipeline's file")
