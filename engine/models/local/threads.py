"""How many threads inference may use: what this process is really given, never what the host has.

One thread more than there are free cores is a cliff, not a slope: the threads of an evaluation wait for each other
spinning, and with a busy second core two of them fell from 100 tokens a second to below one. So every bound is
rounded down, and outside of Lambda, where other programs run too, one core is left to them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

_LAMBDA_MB_PER_CORE = 1769
"""Memory at which AWS Lambda gives one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


def available_threads(
    env: Mapping[str, str],
    *,
    cores: int | None = None,
    cgroup: Path = Path("/sys/fs/cgroup"),
    membership: Path = Path("/proc/self/cgroup"),
) -> int:
    """The least of the affinity less one, of the cgroup quotas, and on Lambda of its share instead; at least 1.

    `cores` is the affinity, asked for when not given; `cgroup` is where the hierarchy is mounted, `membership` the file
    that says where in it this process stands.
    """
    quotas = [_quota(folder) for folder in _groups(cgroup, _read(membership))]
    share = _lambda_share(env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""))
    given = cores or _affinity()
    bounds = [given - 1 if share is None else given, share, *quotas]
    return max(1, min(bound for bound in bounds if bound is not None))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(cgroup: Path, membership: str) -> Iterator[Path]:
    """The folders of this process's group and of those around it, by both versions of the interface."""
    places = {("", "/"), ("cpu", "/")}
    for line in membership.splitlines():
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if controllers == "" or "cpu" in controllers.split(","):
            places.add(("cpu" if controllers else "", place))
    for controller, place in places:
        inside = Path(place.lstrip("/"))
        for folder in (inside, *inside.parents):
            yield cgroup / controller / folder


def _quota(folder: Path) -> int | None:
    """Whole cores of the quota, by version 2 (`cpu.max`) or version 1; `None` for no limit."""
    words = _read(folder / "cpu.max").split() or [
        _read(folder / "cpu.cfs_quota_us"),
        _read(folder / "cpu.cfs_period_us"),
    ]
    quota, period = (_number(word) for word in (*words, "", "")[:2])
    return quota // period if quota > 0 and period > 0 else None


def _lambda_share(megabytes: str) -> int | None:
    size = _number(megabytes)
    return max(1, size // _LAMBDA_MB_PER_CORE) if size > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.strip().isdecimal() else 0
