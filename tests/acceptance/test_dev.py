"""`python -m tools.dev`: what is saved takes effect with the next call, in the emulator and for web clients."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.acceptance.processes import ROOT, environment
from tests.children import child
from tools.dev import UNREAD, files, with_model
from tools.lambda_emulator import INVOCATIONS, free_port

PARTS = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in UNREAD and path.name[0] not in "._"]
LOUDER = """
_speak = speak

def speak(*arguments):
    from engine.core.record import replace
    answer = _speak(*arguments)
    return replace(answer, reply=answer.reply + {!r})
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of this repository that may be edited, with a small bot."""
    folder = tmp_path_factory.mktemp("project")
    for name in PARTS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".cache", "__pycache__"))
    shutil.copy(ROOT / "lambda_function.py", folder)
    shutil.copytree(ROOT / "tests/configs/good/bar", folder / "bar")
    return folder


class Running:
    """Both ports, asked over connections that stay open, as those of a browser do."""

    def __init__(self, process: subprocess.Popen[str], client: httpx.Client, ports: tuple[int, int]) -> None:
        self.process, self.client = process, client
        self.addresses = (f"http://127.0.0.1:{ports[0]}{INVOCATIONS}", f"http://127.0.0.1:{ports[1]}/chat")

    def ask(self) -> list[tuple[int, str]]:
        """Status and reply, or the error's code, from each."""
        return [self._ask(address) for address in self.addresses]

    def _ask(self, address: str) -> tuple[int, str]:
        response = self.client.post(address, json={"input": "こんばんは"})
        answer = response.json()
        body = json.loads(answer["body"]) if "body" in answer else answer
        return response.status_code, body.get("reply") or body.get("code") or body["errorType"]


@contextmanager
def develop(project: Path, **env: str) -> Iterator[Running]:
    ports = free_port(), free_port()
    command = [sys.executable, "-m", "tools.dev", "--port", str(ports[0]), "--chat-port", str(ports[1])]
    settings = environment({"MISAKI_PIPELINE": "bar/pipeline.yml", **env})
    with (
        child(
            command, cwd=project, env=settings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
        httpx.Client(timeout=60) as client,
    ):
        next(line for line in process.stdout if line == "dev: ready\n")
        # A pipe that nobody reads would stop it.
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield Running(process, client, ports)


@pytest.fixture(scope="module")
def running(project):
    with develop(project) as running:
        yield running


pytestmark = pytest.mark.needs("the Lambda emulator")


def test_what_is_saved_takes_effect_with_the_next_call(project, running):
    replies, speak = project / "bar" / "replies.yml", project / "engine" / "steps" / "speak.py"
    yaml, python = replies.read_text("utf-8"), speak.read_text("utf-8")
    assert running.ask() == [(200, "いらっしゃい。")] * 2
    for number in range(1, 3):
        replies.write_text(yaml.replace("いらっしゃい。", f"{number}度目ね。"), "utf-8")
        assert running.ask() == [(200, f"{number}度目ね。" + "！" * (number - 1))] * 2
        speak.write_text(python + LOUDER.format("！" * number), "utf-8")
        assert running.ask() == [(200, f"{number}度目ね。" + "！" * number)] * 2
    replies.write_text(yaml, "utf-8")
    speak.write_text(python, "utf-8")
    assert running.ask() == [(200, "いらっしゃい。")] * 2


@pytest.mark.parametrize(
    ("file", "broken"),
    [
        ("bar/replies.yml", "replies:\n  - id: [\n"),
        ("bar/pipeline.yml", "version: 1\nnmae: bar\n"),
        ("engine/app.py", "def load_app(:\n"),
        ("engine/app.py", "import nothing_of_this_name\n"),
    ],
)
def test_what_does_not_start_is_told_and_mended_by_the_next_edit(project, running, file, broken):
    path = project / file
    before = path.read_text("utf-8")
    path.write_text(broken, "utf-8")
    (_, at_the_emulator), at_the_chat_port = running.ask()
    path.write_text(before, "utf-8")
    assert at_the_emulator in {"SyntaxError", "Runtime.UserCodeSyntaxError", "Runtime.ImportModuleError", "ConfigError"}
    assert at_the_chat_port == (503, "unavailable")
    assert running.ask() == [(200, "いらっしゃい。")] * 2


def test_a_page_of_another_origin_may_talk_to_it(running):
    chat = running.addresses[1]
    headers = {"Origin": "http://localhost:3000"}
    asked = headers | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    preflight = running.client.options(chat, headers=asked)
    assert preflight.status_code == 204
    answer = running.client.post(chat, json={"input": "こんばんは"}, headers=headers)
    assert {preflight.headers["access-control-allow-origin"], answer.headers["access-control-allow-origin"]} <= {
        "*",
        "http://localhost:3000",
    }


def test_its_end_is_the_end_of_all_that_it_started(project):
    with develop(project) as running:
        running.ask()
        pid = running.process.pid
        children = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        assert len(children) == 2
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0
        assert not [one for one in children if Path(f"/proc/{one}").exists()]


def test_files_that_no_bot_is_made_of_are_not_looked_at(tmp_path):
    for name in (
        "engine/a.py",
        "replies/a.yml",
        "pipelines/prompts/a.j2",
        ".env",
        "tests/a.py",
        ".venv/a.py",
        "engine/a.pyc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    seen = {os.path.relpath(path, tmp_path) for path in files(tmp_path)}
    assert seen == {"engine/a.py", "replies/a.yml", "pipelines/prompts/a.j2", ".env"}


@pytest.mark.parametrize(
    ("env", "model"),
    [
        ({}, "{}/gemma3-270m-q4_k_m.gguf"),
        ({"LOCAL_LLM_MODEL": "mine.gguf"}, "{}/mine.gguf"),
        ({"LOCAL_LLM_MODEL": ".models/mine.gguf"}, "{}/mine.gguf"),
        ({"LOCAL_LLM_MODEL": "/home/somebody/bot/.models/mine.gguf"}, "{}/mine.gguf"),
        ({"LOCAL_LLM_MODEL": "{}/mine.gguf"}, "{}/mine.gguf"),
        ({"LOCAL_LLM_MODEL": "/elsewhere/other.gguf"}, "/elsewhere/other.gguf"),
        ({"USE_LOCAL_LLM": "false"}, None),
        ({"USE_LOCAL_LLM": "true", "LOCAL_LLM_MODEL": "mine.gguf"}, "{}/mine.gguf"),
    ],
)
def test_a_model_in_the_folder_of_models_is_found(tmp_path, env, model):
    for name in ("mine.gguf", "gemma3-270m-q4_k_m.gguf"):
        (tmp_path / name).write_bytes(b"GGUF")
    given = {name: value.format(tmp_path) for name, value in env.items()}
    assert with_model(given, tmp_path).get("LOCAL_LLM_MODEL") == (model and model.format(tmp_path))


def test_without_models_no_model_is_named(tmp_path):
    assert with_model({}, tmp_path) == {}
