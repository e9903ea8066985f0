"""No worker outlives its parent, not even one that is stopped and sees nothing of it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.children import child

OPENING = """
import os, signal, sys, threading, time
from engine.models.registry import open_model
from engine.core.plan import ModelRow

settings = {"path": sys.argv[1], "context": 512, "max_tokens": 4, "cache": "off"}
opened = []

def start():
    opened.append(open_model(ModelRow(id="small", backend="llama.cpp", settings=settings), {}))

def ready(but=None):
    while (status := opened[0].status()).state != "ready" or status.data["pid"] == but:
        time.sleep(0.01)
    return status.data["pid"]
"""
TELLING = "print(pid, flush=True); time.sleep(3600)"
STARTED = {
    "by the main thread": "start(); pid = ready()",
    "by a thread that has ended": "one = threading.Thread(target=start); one.start(); one.join(); pid = ready()",
    "anew after a loss": "start(); lost = ready(); os.kill(lost, signal.SIGKILL); pid = ready(but=lost)",
}


@pytest.mark.parametrize("started", STARTED)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_stopped_worker_dies_with_its_parent(tiny_path, started, how):
    program = f"{OPENING}\n{STARTED[started]}\n{TELLING}"
    command = [sys.executable, "-c", program, str(tiny_path)]
    with child(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = int(parent.stdout.readline())
        worker = os.pidfd_open(pid)
        try:
            signal.pidfd_send_signal(worker, signal.SIGSTOP)
            while " T " not in Path(f"/proc/{pid}/stat").read_text():
                pass
            parent.send_signal(how)
            parent.wait()
            assert select.select([worker], [], [], 10.0)[0] == [worker]
        finally:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(worker, signal.SIGKILL)
            os.close(worker)
