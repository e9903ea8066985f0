"""Remembers on disk what checks of many triggers or examples found nothing in, so that a second run is quick.

Only that nothing was found is remembered, by a digest of all that those checks look at, the engine's own code among it.
The file lies beside the pipeline, in the folder that git ignores; where it is damaged or cannot be written, the checks
run again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from engine.core.source import Problem
from engine.validation.checks import OF_KINDS, OF_TRIGGERS, Check, run
from engine.validation.subject import Subject, is_quoted

MANY = 300
"""Triggers or examples from which on it is worth a file."""
MOST_KEPT = 16
"""Digests kept in one file, the latest."""


def run_remembered(subject: Subject) -> list[Problem]:
    """What the checks of triggers and of kinds find."""
    return [
        *_found(OF_TRIGGERS, subject, _of_triggers(subject), many=sum(len(one.match) for one in subject.spec.replies)),
        *_found(OF_KINDS, subject, _of_kinds(subject), many=sum(len(kind.examples) for kind in subject.spec.kinds)),
    ]


def _found(checks: Sequence[Check], subject: Subject, looked_at: Iterable[object], *, many: int) -> list[Problem]:
    if many < MANY or subject.lost or subject.unsure_replies:
        return run(checks, subject)
    file = Path(subject.spec.file).parent / ".cache" / "checked"
    digest = sha256(repr((_engine(), [*looked_at])).encode("utf-8", "surrogatepass")).hexdigest()
    known = _read(file)
    if digest in known:
        return []
    found = run(checks, subject)
    if not found:
        with suppress(OSError):
            file.parent.mkdir(exist_ok=True)
            fresh = file.with_name("checked.new")
            fresh.write_text("\n".join([*known[1 - MOST_KEPT :], digest]), "ascii")
            fresh.replace(file)
    return found


def _read(file: Path) -> list[str]:
    with suppress(OSError, ValueError):
        return file.read_text("ascii").split()
    return []


@cache
def _engine() -> str:
    """A digest of the engine's code and of what it runs on."""
    folder = Path(__file__).parent.parent
    versions = [sys.version, *map(version, ("rapidfuzz", "sudachipy", "sudachidict_small", "google-re2"))]
    digest = sha256(repr(versions).encode())
    for file in sorted((*folder.rglob("*.py"), *folder.rglob("*.json"))):
        digest.update(file.as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _of_triggers(subject: Subject) -> Iterable[object]:
    spec = subject.spec
    yield subject.threshold
    yield [word.value for word in spec.address], [[word.value for word in group] for group in spec.synonyms]
    for place, reply in enumerate(spec.replies):
        condition = subject.when(place)
        yield reply.id.value, reply.priority, None if condition is None else condition.source
        yield [one.value for one in reply.examples], [one.value for one in reply.counterexamples]
    for placed in subject.triggers:
        text = placed.text
        # Quotation marks count for letters alone (P510).
        yield placed.place, placed.trigger.kind, text.value, len(text.value) == 1 and is_quoted(subject, text)


def _of_kinds(subject: Subject) -> Iterable[object]:
    for kind in subject.spec.kinds:
        yield kind.name.value, [example.value for example in kind.examples]
