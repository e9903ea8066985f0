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

from tests.acceptance.emulated import CANARIES, SECRETS, body_of, emulated, http
from tests.children import child
from tests.faults import behaviours
from tests.faults.peer import Behaviour, Connection, Peer

pytestmark = pytest.mark.needs("the Lambda emulator")

REGION = "ap-northeast-1"
KEY = SECRETS["OPENAI_API_KEY"]
SESAME = SECRETS["CLIENT_TOKEN"]
TEXT = "カナリアの餌は何がいいかしら、と聞いた"
REPLY = "粟と青菜がいいわ、カナリアの好物なの"
PIPELINE = """\
version: 1
name: canary
locale: ja
timezone: Asia/Tokyo
deadline: 20s
persona: {name: 美砂樹}
models:
  openai: {backend: openai, model: m, base_url: ADDRESS}
  bedrock: {backend: bedrock, model: m, region: ap-northeast-1, base_url: ADDRESS}
  huggingface: {backend: huggingface, model: m, base_url: ADDRESS}
steps:
  - {id: ask, kind: generate, models: [openai, bedrock, huggingface], prompt: canary.j2}
"""

COMPLETION = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": REPLY}}],
    "usage": {"prompt_tokens": 900, "completion_tokens": 12, "total_tokens": 912},
}
TURNS = 6
"""More than a circuit breaker bears."""


@pytest.fixture(scope="module")
def aws() -> Iterator[dict[str, str]]:
    """An AWS whose Secrets Manager holds the key and whose SSM holds the token; the environment that leads there."""
    arguments = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with child(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
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


@contextmanager
def provider() -> Iterator[tuple[str, list[str]]]:
    """A server of chat completions; its address, and the `Authorization` of every request."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers["Content-Length"]))
            data = json.dumps(COMPLETION).encode()
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


def tactless(status: int) -> Behaviour:
    """Says the key and the question back, in an error or in what is no answer."""

    def quote(connection: Connection) -> None:
        request = connection.read_request()
        said = f"{request.headers.get('authorization')} {SECRETS} {request.body.decode()} {TEXT}"
        body = json.dumps({"error": {"message": said, "code": "wrong"}, "message": said}).encode()
        connection.send(behaviours.head(status, {"Content-Type": "application/json"}, len(body)) + body)

    return quote


@pytest.fixture
def log(tmp_path):
    return tmp_path / "emulator.log"


def chat(text: str, token: str) -> dict:
    return http({"input": text, "session_id": "canary-session"}, token)


def test_kept_secrets_are_used_and_neither_they_nor_a_user_s_words_are_shown(aws, log):
    with provider() as (address, seen):
        settings = {
            **aws,
            "OPENAI_API_KEY": "secretsmanager:misaki/keys#openai",
            "CLIENT_TOKEN": "ssm:/misaki/token",
            "OPENAI_BASE_URL": address,
            "MODEL_PRICES": '{"openai": [0.15, 0.6]}',
        }
        with emulated(log, settings) as emulator:
            stranger = emulator.invoke(chat(TEXT, "guessed"))
            answered = emulator.invoke(chat(TEXT, SESAME))
            canned = emulator.invoke(chat("こんばんは", SESAME))
            emulator.keep_private("guessed")
            metrics = emulator.metrics()
    assert stranger["statusCode"] == 401
    assert body_of(answered)["reply"] == REPLY
    assert body_of(canned)["engine"] == "canned"
    assert seen == [f"Bearer {KEY}"]
    assert {metric["engine"] for metric in metrics if "engine" in metric} == {"external", "canned"}
    assert sum(metric.get("ColdStart", [0])[0] for metric in metrics) == 1
    [cost] = [metric["EstimatedCost"][0] for metric in metrics if "EstimatedCost" in metric]
    assert cost == pytest.approx((900 * 0.15 + 12 * 0.6) / 1e6)


@pytest.mark.parametrize("status", [401, 429, 500, 200])
def test_providers_that_say_the_keys_back_get_them_into_no_log_metric_trace_or_answer(log, tmp_path, status):
    """All three fail until their circuit breakers open, with the trace of each turn in its answer."""
    with Peer([tactless(status)]) as peer:
        pipeline = tmp_path / "canary.yml"
        pipeline.write_text(PIPELINE.replace("ADDRESS", peer.url), encoding="utf-8")
        (tmp_path / "canary.j2").write_text("あなたは{{ persona.name }}です。", encoding="utf-8")
        with emulated(log, {**SECRETS, "MISAKI_PIPELINE": str(pipeline), "ALLOW_DEBUG": "true"}) as emulator:
            asked = http({"input": TEXT, "session_id": "canary-session", "debug": True}, SESAME)
            answers = [emulator.invoke(asked) for _ in range(TURNS)]
            health = emulator.invoke(http({}, SESAME, method="GET", path="/health"))
            metrics = emulator.metrics()
        authorizations = {request.headers.get("authorization", "") for request in peer.received}
    assert {f"Bearer {SECRETS[name]}" for name in ("OPENAI_API_KEY", "HUGGINGFACE_TOKEN")} < authorizations
    assert any("AKIACANARY5D20" in authorization for authorization in authorizations)
    assert {proxy["statusCode"] for proxy in answers} == {503}
    assert all(body_of(proxy)["trace"] for proxy in answers)
    said = json.dumps([*answers, health])
    assert not [secret for secret in CANARIES if secret in said]
    assert {metric["reason"] for metric in metrics if "reason" in metric} == {"error"}
    assert {metric["model"] for metric in metrics if "BreakerOpen" in metric} == {"openai", "bedrock", "huggingface"}
    assert {metric["engine"] for metric in metrics if "engine" in metric} == {"none"}


def test_an_operator_may_ask_for_the_words_and_then_the_search_finds_them(log):
    shown = pytest.raises(AssertionError, match="こんばんは")
    with shown, emulated(log, {"LOG_TEXT": "true"}) as emulator:
        emulator.invoke({"input": "こんばんは"})


def test_a_key_that_is_not_kept_costs_its_model_only(aws, log):
    with emulated(log, {**aws, "OPENAI_API_KEY": "secretsmanager:misaki/nobody"}) as emulator:
        assert emulator.invoke({"input": "こんばんは"})["statusCode"] == 200
        [record] = [record for record in emulator.records() if record.get("event") == "secret_unavailable"]
    assert record["variable"] == "OPENAI_API_KEY"
    assert "ResourceNotFoundException" in record["message"]


def test_without_its_token_the_function_lets_nobody_in(aws, log):
    with emulated(log, {**aws, "CLIENT_TOKEN": "ssm:/misaki/nobody"}) as emulator:
        status, answer = emulator.call(chat("こんばんは", ""))
        [record] = [record for record in emulator.records() if record.get("event") == "secret_unavailable"]
    assert (status, answer["errorType"]) == (502, "SecretUnavailable")
    assert "CLIENT_TOKEN: `ssm:/misaki/nobody` cannot be read (ParameterNotFound)" in record["message"]
