"""The function in AWS's emulator with its secrets kept by AWS (moto's server): it uses them, and shows none of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from tests.acceptance.emulators import HIDDEN, body_of
from tests.faults import behaviours
from tests.faults.peer import Connection, Peer

REGION = "ap-northeast-1"
KEY = "sk-canary-key-93ac"
SESAME = "canary-token-4b1e"
TEXT = "カナリアの餌は何がいいかしら、と聞いた"
REPLY = "粟と青菜がいいわ、とカナリアに聞いたの"
PROVIDERS = ("openai", "bedrock", "huggingface")


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


def chat(text: str, token: str) -> dict:
    return {
        "version": "2.0",
        "rawPath": "/chat",
        "headers": {"authorization": f"Bearer {token}"},
        "requestContext": {"http": {"method": "POST", "path": "/chat"}, "stage": "$default"},
        "body": json.dumps({"input": text, "session_id": "canary-session"}),
    }


def test_kept_secrets_are_used_and_neither_they_nor_a_user_s_words_are_shown(emulate, aws):
    with provider() as (address, seen):
        emulator = emulate(
            timeout=20,
            **aws,
            OPENAI_API_KEY="secretsmanager:misaki/keys#openai",
            CLIENT_TOKEN="ssm:/misaki/token",  # noqa: S106 - where it is kept, not what it is
            OPENAI_BASE_URL=address,
            MODEL_PRICES='{"openai": [0.15, 0.6]}',
        )
        emulator.hidden |= {KEY, SESAME, REPLY}
        refused = emulator.invoke(chat(TEXT, "guessed"))
        answered = emulator.invoke(chat(TEXT, SESAME))
        canned = emulator.invoke(chat("こんばんは", SESAME))
    emulator.stop()
    assert refused["statusCode"] == 401
    assert body_of(answered)["reply"] == REPLY
    assert body_of(canned)["engine"] == "canned"
    assert seen == [f"Bearer {KEY}"]
    assert emulator.hidden >= {KEY, SESAME, TEXT, REPLY, "こんばんは", "canary-session"}
    metrics = emulator.metrics()
    assert {metric["engine"] for metric in metrics if "engine" in metric} == {"external", "canned"}
    assert sum(metric.get("ColdStart", [0])[0] for metric in metrics) == 1
    [cost] = [metric["EstimatedCost"][0] for metric in metrics if "EstimatedCost" in metric]
    assert cost == pytest.approx((900 * 0.15 + 12 * 0.6) / 1e6)


@pytest.mark.parametrize("status", [401, 429, 500, 200])
def test_a_provider_that_quotes_key_and_words_in_its_error_is_not_quoted(emulate, tmp_path, status):
    """All three providers at once, with the trace that `debug` shows."""

    def quote(connection: Connection) -> None:
        request = connection.read_request()
        said = f"{request.headers.get('authorization')} {request.body.decode()}"
        body = json.dumps({"error": {"message": said}, "message": said}).encode()
        connection.send(behaviours.head(status, {"Content-Type": "application/json"}, len(body)) + body)

    with Peer([quote]) as peer:
        models = {name: {"backend": name, "model": "m", "base_url": peer.url} for name in PROVIDERS}
        models["bedrock"]["region"] = REGION
        ask = {"id": "ask", "kind": "generate", "models": [*PROVIDERS], "prompt": "prompt.j2"}
        pipeline = {
            "version": 1,
            "name": "p",
            "locale": "ja",
            "persona": {"name": "p"},
            "models": models,
            "steps": [ask],
        }
        (tmp_path / "prompt.j2").write_text("p", encoding="utf-8")
        (tmp_path / "p.yml").write_text(json.dumps(pipeline), encoding="utf-8")
        emulator = emulate(MISAKI_PIPELINE=str(tmp_path / "p.yml"), ALLOW_DEBUG="true")
        proxy = emulator.invoke({"input": TEXT, "debug": True, "session_id": "canary-session"})
        asked = len(peer.received)
    emulator.stop()
    assert asked >= len(PROVIDERS)
    assert proxy["statusCode"] == 503
    assert {entry["model"] for entry in body_of(proxy)["escalations"]} == set(PROVIDERS)
    assert body_of(proxy)["trace"]
    for secret in HIDDEN:
        assert secret not in proxy["body"]


def test_a_key_that_is_not_kept_costs_its_model_only(emulate, aws):
    emulator = emulate(**aws, OPENAI_API_KEY="secretsmanager:misaki/nobody")
    assert emulator.invoke({"input": "こんばんは"})["statusCode"] == 200
    assert "ResourceNotFoundException" in emulator.stop()


def test_without_its_token_the_function_lets_nobody_in(emulate, aws):
    emulator = emulate(**aws, CLIENT_TOKEN="ssm:/misaki/nobody")  # noqa: S106 - as above
    status, answer = emulator.post(chat("こんばんは", ""))
    assert (status, answer["errorType"]) == (502, "SecretUnavailable")
    assert "CLIENT_TOKEN: `ssm:/misaki/nobody` cannot be read (ParameterNotFound)" in emulator.stop()
