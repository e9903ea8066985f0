"""How many threads inference may use: what this process is really given, never what the host has.

One thread more than there are free cores is a cliff, not a slope: the threads of an evaluation wait for each other
spinning, and with a busy second core two of them fell from 100 tokens a second to below one. So every bound is
rounded down.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_LAMBDA_MB_PER_CORE = 1769
"""Memory at which AWS Lambda gives one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""


def available_threads(env: Mapping[str, str], cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """The least of affinity, cgroup quota and Lambda's share, at least 1; `cgroup` is where the hierarchy is
    mounted.
    """
    bounds = [_affinity(), _quota(cgroup), _lambda_share(env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""))]
    return max(1, min(bound for bound in bounds if bound is not None))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quota(cgroup: Path) -> int | None:
    """Whole cores of the quota, by version 2 (`cpu.max`) or version 1 of the interface; `None` for no limit."""
    for quota, period in (_version_2(cgroup), _version_1(cgroup)):
        if quota > 0 and period > 0:
            return quota // period
    return None


def _version_2(cgroup: Path) -> tuple[int, int]:
    words = _read(cgroup / "cpu.max").split()
    return (_number(words[0]), _number(words[1])) if len(words) == 2 else (0, 0)


def _version_1(cgroup: Path) -> tuple[int, int]:
    folder = cgroup / "cpu"
    return _number(_read(folder / "cpu.cfs_quota_us")), _number(_read(folder / "cpu.cfs_period_us"))


def _lambda_share(megabytes: str) -> int | None:
    size = _number(megabytes)
    return max(1, size // _LAMBDA_MB_PER_CORE) if size > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(text: str) -> int:
    return int(text) if text.strip().lstrip("-").isdecimal() else 0
