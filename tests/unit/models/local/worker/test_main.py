from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from engine.models.local.worker.child import worker_command
from engine.models.local.worker.protocol import encode
from engine.models.local.worker.start import LocalSettings, prompt_to_json, settings_to_json
from tests.children import child
from tests.unit.models.local.worker.test_layout import PROMPT


@pytest.fixture
def worker():
    """A worker that hears some messages and then the end of its parent; gives what it said and its standard error."""
    command = worker_command(os.environ)

    def run(*arguments, orders=(), until="failed"):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with child(arguments or command.arguments, env=dict(command.environment), **pipes) as process:
            process.stdin.write(b"".join(map(encode, orders)))
            process.stdin.flush()
            said = []
            for line in process.stdout:
                said.append(json.loads(line))
                if said[-1]["event"] == until:
                    break
            _, noise = process.communicate(timeout=30)
        return said, noise.decode()

    return run


def order(path, engine="llama.cpp"):
    settings = LocalSettings(path=str(path), context=512, max_tokens=4, cache="off")
    return {"op": "load", "engine": engine, "settings": settings_to_json(settings)}


def test_what_native_code_prints_is_no_message(worker):
    code = (
        "import os, sys; from engine.models.local.worker.__main__ import Pipe; pipe = Pipe();"
        "print('from python', flush=True); os.write(1, b'from native code'); sys.stdin.read();"
        "pipe.send({'event': 'failed'})"
    )
    said, noise = worker(sys.executable, "-c", code)
    assert said == [{"event": "failed"}]
    assert "from python" in noise
    assert "from native code" in noise


def test_a_turn_from_loading_to_answer(worker, tiny_path):
    question = {"op": "generate", "id": 7, "seconds": 30.0, "prompt": prompt_to_json(PROMPT)}
    said, _ = worker(orders=[order(tiny_path), question], until="result")
    assert [message["event"] for message in said] == ["phase", "phase", "phase", "ready", "result"]
    assert said[-1]["id"] == 7
    assert said[-1]["prompt_tokens"] > 0


def test_a_question_that_makes_no_sense_costs_that_turn_only(worker, tiny_path):
    senseless = {"op": "generate", "id": 1, "seconds": None, "prompt": prompt_to_json(PROMPT)}
    question = {"op": "generate", "id": 2, "seconds": 30.0, "prompt": prompt_to_json(PROMPT)}
    said, noise = worker(orders=[order(tiny_path), senseless, question], until="result")
    error = said[-2]
    assert (error["event"], error["kind"], error["id"]) == ("error", "error", 1)
    assert "unexpected error: TypeError: " in error["message"]
    assert "Traceback" in noise


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        ({"system": "a persona that goes on and on " * 100}, "the persona does not fit the context of the model"),
        ({"labels": [None, None]}, "the worker met an unexpected error"),
    ],
)
def test_a_persona_that_cannot_be_read_ahead_costs_no_worker(worker, tiny_path, spoil, problem):
    ahead = {"op": "prepare", "prompt": prompt_to_json(PROMPT) | spoil}
    said, _ = worker(orders=[order(tiny_path), ahead], until="prepared")
    assert problem in said[-1]["problem"]
    question = {"op": "generate", "id": 7, "seconds": 30.0, "prompt": prompt_to_json(PROMPT)}
    said, _ = worker(orders=[order(tiny_path), ahead, question], until="result")
    assert said[-1]["id"] == 7


def test_a_damaged_file_is_told(worker, tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF\x03\x00")
    said, _ = worker(orders=[order(path)])
    assert said[-1] == {"event": "failed", "message": "the metadata of the file is damaged"}
