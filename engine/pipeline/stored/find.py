"""Looks for the artefact of a pipeline and uses it when it fits: the only part of building that every cold start runs.

`MISAKI_PLAN` names another file than the one beside the pipeline; `off` looks for none. A plan says all that the bot
says, so that it is used only where nobody can have written it who may not change the pipeline's own file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from engine.core.record import record
from engine.core.table import Damaged
from engine.pipeline.compiled import Compiled
from engine.pipeline.stored.container import open_container
from engine.pipeline.stored.content import from_sections
from engine.pipeline.stored.origin import difference


@record
class Found:
    """What stands in for the sources, or `note`: why an artefact that is there does not."""

    file: str
    compiled: Compiled | None = None
    note: str = ""


def artefact_path(pipeline: str) -> str:
    """Where the artefact of the pipeline at `pipeline` lies: in a folder of its own beside it, which git ignores."""
    folder, name = os.path.split(pipeline)
    return os.path.join(folder, ".cache", os.path.splitext(name)[0] + ".plan")


def find_compiled(pipeline: str, env: Mapping[str, str]) -> Found:
    """Never raises: an artefact that cannot be used is left aside."""
    file = env.get("MISAKI_PLAN", "").strip() or artefact_path(pipeline)
    if file == "off":
        return Found(file=file)
    try:
        container = open_container(file, pipeline)
        reason = difference(container.about, pipeline)
        if reason is None:
            return Found(file=file, compiled=from_sections(container.sections))
    except FileNotFoundError:
        return Found(file=file)
    except Damaged as error:
        reason = str(error)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
    except (LookupError, TypeError, ValueError):
        reason = "it is not what was written"
    return Found(file=file, note=f"`{file}` is not used: {reason}; `misaki build` makes it anew")
