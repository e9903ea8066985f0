"""What `tools/deploy.sh` asks of a deployed bot, asked of one that runs here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.acceptance.processes import ROOT, environment, served
from tools.lambda_emulator import free_port

SESAME = "sesame-71be"


def smoke(url: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """The tool, with the outputs of a stack whose API stands at `url`."""
    outputs = [{"OutputKey": "ChatUrl", "OutputValue": f"{url}/chat", "Description": "Where clients post"}]
    outputs.append({"OutputKey": "HealthUrl", "OutputValue": f"{url}/health"})
    return fed(json.dumps(outputs), token)


def fed(text: str, token: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/smoke.py"],
        input=text,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment({"CLIENT_TOKEN": token}),
        timeout=60,
        check=False,
    )


def test_a_bot_that_answers():
    with served() as server:
        done = smoke(server.url)
    assert done.returncode == 0, done.stderr
    assert "health 200" in done.stdout
    assert '"engine": "canned"' in done.stdout


def test_a_bot_with_a_token_is_asked_with_it_and_without_it_shows_that_it_refuses():
    with served(env={"CLIENT_TOKEN": SESAME}) as server:
        known, unknown, wrong = (
            smoke(server.url, SESAME),
            smoke(server.url),
            smoke(server.url, "x"),
        )
    assert (known.returncode, unknown.returncode, wrong.returncode) == (0, 0, 1)
    assert '"engine": "canned"' in known.stdout
    assert "set CLIENT_TOKEN" in unknown.stdout
    assert SESAME not in known.stdout + known.stderr


def test_a_bot_that_is_not_there():
    done = smoke(f"http://127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", "[1]"])
def test_outputs_that_are_none_are_told(text):
    done = fed(text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("standard input is not what `sam list stack-outputs")
