"""The function in AWS's own Runtime Interface Emulator, with AWS's own runtime client."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.processes import ROOT, environment, post
from tools.lambda_emulator import INVOCATIONS, command
from tools.lambda_emulator import environment as lambda_environment

EVENTS = ROOT / "tests" / "events"


class Emulator:
    def __init__(self, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.url = url
        self.process = process
        self.log = log

    def invoke(self, payload: object) -> dict:
        status, answer = post(self.url + INVOCATIONS, payload)
        assert status == 200
        return answer

    def stop(self) -> str:
        """Ends it and returns its log."""
        self.process.terminate()
        self.process.wait(60)
        return self.log.read_text("utf-8")


@pytest.fixture
def emulate(tmp_path):
    """The log goes to a file: a pipe that nobody reads would fill, and stop the function in the middle of a turn."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(timeout: int = 10, **env: str) -> Emulator:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        log = tmp_path / f"emulator-{len(processes)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command("127.0.0.1", port),
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                env=lambda_environment(timeout, 1024, environment(env)),
            )
        processes.append(process)
        return Emulator(f"http://127.0.0.1:{port}", process, log)

    yield start
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture
def emulator(emulate):
    return emulate()


def body_of(proxy: dict) -> dict:
    return json.loads(proxy["body"])


def test_the_curl_of_the_readme(emulator):
    proxy = emulator.invoke({"input": "こんばんは"})
    assert proxy["statusCode"] == 200
    assert body_of(proxy)["engine"] == "canned"


def test_events_of_every_source_in_one_process(emulator):
    for path in sorted((EVENTS / "accepted").glob("*.json")):
        proxy = emulator.invoke(path.read_bytes())
        assert proxy["statusCode"] == 200 or body_of(proxy)["code"] == "no_answer", path.stem
    for path in sorted((EVENTS / "refused").glob("*.json")):
        assert emulator.invoke(path.read_bytes())["statusCode"] == int(path.stem[:3]), path.stem
    log = emulator.stop()
    assert log.count('"event": "loaded"') == 1
    assert "こんばんは" not in log
    assert "Traceback" not in log


def test_a_bad_pipeline_fails_the_start_with_the_problem_in_the_log(emulate, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("version: 1\nnmae: tiny\n", encoding="utf-8")
    emulator = emulate(MISAKI_PIPELINE=str(bad))
    status, answer = post(emulator.url + INVOCATIONS, {"input": "こんばんは"})
    assert (status, answer["errorType"]) == (502, "ConfigError")
    log = emulator.stop()
    assert "config_problem" in log
    assert "bad.yml:2:1" in log
