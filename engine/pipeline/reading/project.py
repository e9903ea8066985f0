"""Decides which files a pipeline may name: templates and replies below its own project, wherever links lead."""

from __future__ import annotations

from pathlib import Path

PIPELINES = Path("pipelines")
"""The folder in which pipelines are looked for that somebody calls by their name alone."""

PROMPT_ENDINGS = (".j2", ".jinja", ".jinja2", ".md", ".txt")


def project_of(pipeline: Path) -> Path:
    """The folder of the file `pipeline`; where that is called `pipelines`, the one around it."""
    folder = pipeline.absolute().parent.resolve()
    return folder.parent if folder.name == PIPELINES.name else folder


def is_outside(file: Path, project: Path) -> bool:
    """Whether `file`, its links followed, does not stand below the folder `project`."""
    try:
        return not file.resolve().is_relative_to(project)
    except (OSError, RuntimeError, ValueError):
        # Loops of links, or a name that is none: reading it tells more.
        return False


def move_into(pipeline: Path) -> str:
    """What to do with a file that is outside."""
    folder = pipeline.parent
    if folder.name == PIPELINES.name:
        return f"move it into the folder that holds `{PIPELINES.name}`, or below"
    return f"move it below `{folder.as_posix()}`, or the pipeline into a folder `{PIPELINES.name}` beside it"
