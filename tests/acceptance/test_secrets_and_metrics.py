"""The function in AWS's emulator with its secrets kept by AWS (moto's server): it uses them, and shows none of them."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from jsonschema import Draft202012Validator

from tests.acceptance.processes import ROOT, environment, post
from tools.lambda_emulator import INVOCATIONS, command
from tools.lambda_emulator import environment as lambda_environment

REGION = "ap-northeast-1"
KEY = "sk-canary-key-93ac"
SESAME = "canary-token-4b1e"
TEXT = "カナリアの餌は何がいいかしら、と聞いた"
REPLY = "粟と青菜がいいわ、とカナリアに聞いたの"
SCHEMA = Draft202012Validator(json.loads((ROOT / "tests" / "data" / "emf.schema.json").read_text()))


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """An AWS whose Secrets Manager holds the key and whose SSM holds the token; the environment that leads there."""
    arguments = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        running = (re.search(r"Running on (http://\S+)", line) for line in process.stderr)
        endpoint = next(found[1] for found in running if found)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
        secrets = boto3.client("secretsmanager", endpoint_url=endpoint, **keys)
        secrets.create_secret(Name="misaki/keys", SecretString=json.dumps({"openai": KEY}))
        parameters = boto3.client("ssm", endpoint_url=endpoint, **keys)
        parameters.put_parameter(Name="/misaki/token", Value=SESAME, Type="SecureString")
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        process.terminate()
        process.stderr.read()


@contextmanager
def provider() -> Iterator[tuple[str, list[str]]]:
    """A server of chat completions; its address, and the `Authorization` of every request."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"]))
            choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": REPLY}}
            usage = {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912}
            body = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [choice],
                "usage": usage,
            }
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keeps the test's output free of requests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", seen
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def function(env: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of the function in the emulator, and the emulator's process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        command("127.0.0.1", port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=lambda_environment(20, 1024, environment(env)),
    ) as process:
        try:
            assert process.stdout is not None
            next(line for line in process.stdout if "exec" in line)
            yield f"http://127.0.0.1:{port}{INVOCATIONS}", process
        finally:
            process.kill()


def chat(text: str, token: str) -> dict:
    return {
        "version": "2.0",
        "rawPath": "/chat",
        "headers": {"authorization": f"Bearer {token}"},
        "requestContext": {"http": {"method": "POST", "path": "/chat"}, "stage": "$default"},
        "body": json.dumps({"input": text, "session_id": "canary-session"}),
    }


def test_kept_secrets_are_used_and_neither_they_nor_a_user_s_words_are_shown(aws):
    with provider() as (address, seen):
        settings = {
            **aws,
            "OPENAI_API_KEY": "secretsmanager:misaki/keys#openai",
            "CLIENT_TOKEN": "ssm:/misaki/token",
            "OPENAI_BASE_URL": address,
            "MODEL_PRICES": '{"openai": [0.15, 0.6]}',
        }
        with function(settings) as (url, process):
            _, refused = post(url, chat(TEXT, "guessed"))
            _, answered = post(url, chat(TEXT, SESAME))
            _, canned = post(url, chat("こんばんは", SESAME))
            process.terminate()
            log = process.communicate(timeout=60)[0]
    assert refused["statusCode"] == 401
    assert json.loads(answered["body"])["reply"] == REPLY
    assert json.loads(canned["body"])["engine"] == "canned"
    assert seen == [f"Bearer {KEY}"]
    for secret in (KEY, SESAME, TEXT, REPLY, "こんばんは", "canary-session"):
        assert secret not in log
        assert json.dumps(secret)[1:-1] not in log
    metrics = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    for metric in metrics:
        SCHEMA.validate(metric)
    assert {metric["engine"] for metric in metrics if "engine" in metric} == {"external", "canned"}
    assert sum(metric.get("ColdStart", [0])[0] for metric in metrics) == 1
    [cost] = [metric["EstimatedCost"][0] for metric in metrics if "EstimatedCost" in metric]
    assert cost == pytest.approx((900 * 0.15 + 12 * 0.6) / 1e6)


def test_a_key_that_is_not_kept_costs_its_model_only(aws):
    with function({**aws, "OPENAI_API_KEY": "secretsmanager:misaki/nobody"}) as (url, process):
        _, canned = post(url, {"input": "こんばんは"})
        process.terminate()
        log = process.communicate(timeout=60)[0]
    assert canned["statusCode"] == 200
    assert "ResourceNotFoundException" in log


def test_without_its_token_the_function_lets_nobody_in(aws):
    with function({**aws, "CLIENT_TOKEN": "ssm:/misaki/nobody"}) as (url, process):
        status, answer = post(url, chat("こんばんは", ""))
        process.terminate()
        log = process.communicate(timeout=60)[0]
    assert (status, answer["errorType"]) == (502, "SecretUnavailable")
    assert "CLIENT_TOKEN: `ssm:/misaki/nobody` cannot be read (ParameterNotFound)" in log
