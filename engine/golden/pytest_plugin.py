"""Lets pytest collect golden files.

Registered as an entry point, so it is loaded into every pytest of every project that has this package installed: what
is not needed to recognise a file is imported when the first golden is met.
"""

from __future__ import annotations

from pathlib import Path

import pytest

_SUFFIX = ".golden.yml"


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Takes the files whose names end as golden files do."""
    if not file_path.name.endswith(_SUFFIX):
        return None
    from engine.golden.pytest_items import GoldenItems

    return GoldenItems.from_parent(parent, path=file_path)
