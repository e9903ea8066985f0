from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engine.models.local.threads import available_threads

CORES = len(os.sched_getaffinity(0))
PINNED = """
import os, pathlib, sys
from engine.models.local.threads import available_threads
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
lambda_of_five = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "10240"}
print(available_threads(lambda_of_five, cgroup=pathlib.Path("/nowhere")), available_threads({}))
"""


@pytest.fixture
def group(tmp_path):
    """A cgroup hierarchy of which this process is said to be a member, on a machine of 64 cores."""
    membership = tmp_path / "membership"
    membership.write_text("0::/outer/inner\n4:cpu,cpuacct:/outer\n")

    def threads(files=None, env=None):
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return available_threads(env or {}, cores=64, cgroup=tmp_path, membership=membership)

    return threads


@pytest.mark.parametrize("cores", range(1, min(CORES, 5) + 1))
def test_affinity_bounds_the_threads(cores):
    """A process that may run on so many cores, as under `taskset`, of a Lambda whose memory gives five."""
    done = subprocess.run([sys.executable, "-c", PINNED, str(cores)], check=True, capture_output=True, text=True)
    on_lambda, elsewhere = map(int, done.stdout.split())
    assert on_lambda == cores
    assert elsewhere <= max(1, cores - 1)


def test_here_it_is_within_what_the_machine_gives():
    assert 1 <= available_threads({}) <= CORES


def test_no_bound_but_affinity_leaves_a_core_to_others(group):
    assert group() == 63
    assert group({"cpu.max": "max 100000\n"}) == 63
    assert group({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}) == 63


@pytest.mark.parametrize(("quota", "threads"), [("50000", 1), ("100000", 1), ("199999", 1), ("250000", 2)])
def test_a_quota_is_rounded_down(group, quota, threads):
    assert group({"cpu.max": f"{quota} 100000\n"}) == threads


def test_the_narrowest_group_counts(group):
    assert group({"outer/cpu.max": "300000 100000", "outer/inner/cpu.max": "max 100000"}) == 3
    assert group({"outer/inner/cpu.max": "200000 100000"}) == 2


def test_the_old_interface(group):
    assert group({"cpu/outer/cpu.cfs_quota_us": "200000\n", "cpu/outer/cpu.cfs_period_us": "100000\n"}) == 2


@pytest.mark.parametrize(("memory", "threads"), [("128", 1), ("1769", 1), ("3537", 1), ("3538", 2), ("10240", 5)])
def test_lambda_gives_cores_by_memory(group, memory, threads):
    assert group(env={"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}) == threads


def test_what_is_no_number_bounds_nothing(group):
    assert group({"cpu.max": "nonsense"}, {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "much"}) == 63
