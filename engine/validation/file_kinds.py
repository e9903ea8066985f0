"""Which kind of file a YAML file is, told from its name, its modeline, its folder or its top-level keys, unparsed."""

from __future__ import annotations

import re
from pathlib import Path

from engine.pipeline.schema.shape import Kind, schema_of

KINDS: tuple[Kind, ...] = ("pipeline", "replies", "kinds", "golden")
SUFFIXES = (".yml", ".yaml")
_MODELINE = re.compile(r"\$schema=\S*?(pipeline|replies|kinds|golden)\.schema\.json")
_TOP_KEY = re.compile(r"^([A-Za-z_]\w*):", re.MULTILINE)
_ANY_KEY = re.compile(r'"?\b([A-Za-z_]\w*)"?\s*:')
"""In braces, as in JSON, the depth of a key cannot be told from where it stands."""

_FOLDERS: dict[str, Kind] = {"pipelines": "pipeline", "replies": "replies", "kinds": "kinds", "golden": "golden"}


def kind_of(path: Path, text: str) -> Kind | None:
    """The kind of file at `path` that holds `text`, or `None` where nothing tells."""
    if path.name.endswith(tuple(f".golden{suffix}" for suffix in SUFFIXES)):
        return "golden"
    named = _MODELINE.search(text[:2000])
    if named:
        return next(kind for kind in KINDS if kind == named[1])
    keys = set((_ANY_KEY if text.lstrip().startswith("{") else _TOP_KEY).findall(text))
    scores = {kind: len(keys & set(schema_of(kind)["properties"])) for kind in KINDS}
    best = max(scores.values())
    # `replies` and `kinds` are keys of pipelines too, so a tie with nothing but one of them is such a file.
    likely = [kind for kind in ("replies", "kinds", "pipeline", "golden") if scores[kind] == best]
    if best:
        return next(kind for kind in KINDS if kind == likely[0])
    return next((_FOLDERS[part] for part in reversed(path.parts[:-1]) if part in _FOLDERS), None)


def is_cassette(path: Path) -> bool:
    """Whether the file holds what models said for a golden: no editor writes it, so nobody checks it for mistakes."""
    return path.name.endswith(tuple(f".cassette{suffix}" for suffix in SUFFIXES))
