"""Our client of the Runtime API: streams to Function URLs, whole responses to all others, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from engine.app import App
from engine.aws.handler import LambdaHandler, make_handler
from engine.aws.runtime import RuntimeApi, main, serve
from engine.conversations import open_store
from engine.core.deadline import Deadline
from engine.core.errors import Cancelled, Unavailable
from engine.core.plan import NamedDetector
from engine.core.record import replace
from tests.children import child
from tests.fakes.bots import FakeBot
from tests.fakes.plans import StreamingModel, generate_step, plan, replies_step, reply
from tests.fakes.runtime_api import RuntimeApiPeer
from tests.fakes.serving import Serving

URL = {"domainName": "abc123.lambda-url.ap-northeast-1.on.aws", "http": {"method": "POST", "path": "/chat"}}
API = {"domainName": "abc123.execute-api.ap-northeast-1.amazonaws.com", "http": {"method": "POST", "path": "/chat"}}
HELLO = reply("hello", "いらっしゃい。今日は寒いわね。")
TALK = generate_step("talk", "m", detectors=(NamedDetector(name="refusal"),))


def event(body: Any, path: str = "/chat", context: Any = URL, **headers: str) -> dict[str, Any]:
    http = {**context["http"], "path": path}
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers,
        "requestContext": {**context, "http": http},
        "body": json.dumps(body),
    }


def app_of(model: StreamingModel) -> App:
    the_plan = replace(plan(replies_step(), TALK, replies={HELLO: ("こんばんは",)}), closing="またね。")
    return App(the_plan, models={"m": model}, rooms=open_store("memory"))


@pytest.fixture
def peer():
    with RuntimeApiPeer() as opened:
        yield opened


def running(peer: RuntimeApiPeer, handler: LambdaHandler, env: dict[str, str] | None = None) -> threading.Thread:
    def loop() -> None:
        with suppress(OSError, HTTPException), closing(RuntimeApi(peer.address)) as api:
            serve(api, handler, {} if env is None else env)

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def plain(text: str) -> str:
    """A stream without its ids and times."""
    text = re.sub(r'"(session_id|id)": ?"[^"]*"', r'"\1": ""', text)
    return re.sub(r'"(latency_ms|created)": ?[0-9.]+', r'"\1": 0', text)


PIECES = ("まあ、猫ちゃん。", "お名前は？", "今度連れてきてね。")
MESSAGES = [{"role": "user", "content": "猫を飼い始めたんだ"}]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat", {"input": "こんばんは", "stream": True}),
        ("/chat", {"input": "猫を飼い始めたんだ", "stream": True}),
        ("/chat", {"input": "猫を飼い始めたんだ"}),
        ("/chat", {"inputs": 1}),
        ("/v1/chat/completions", {"model": "test", "messages": MESSAGES, "stream": True}),
        ("/v1/models", {}),
        ("/nowhere", {}),
    ],
)
@pytest.mark.parametrize("failure", [(), (Unavailable("gone", backend="b"),), ("お答えできません。", "そうね。")])
def test_the_same_events_as_from_the_server(peer, path, body, failure):
    running(peer, make_handler(app_of(StreamingModel(*PIECES, *failure)), {}, log=lambda _: None))
    prelude, payload = peer.invoke(event(body, path)).streamed
    serving = Serving(app_of(StreamingModel(*PIECES, *failure)), None, "127.0.0.1", {})
    try:
        sent = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
        status, headers, told = _response(serving.raw(head.encode() + sent))
    finally:
        serving.server.stop(30)
    assert (prelude["statusCode"], prelude["cookies"]) == (status, [])
    assert plain(payload) == plain(told)
    ours = {name.lower(): value for name, value in prelude["headers"].items()}
    for name in ("content-type", "cache-control", "x-accel-buffering"):
        assert ours.get(name) == headers.get(name)


def _response(raw: bytes) -> tuple[int, dict[str, str], str]:
    head, _, body = raw.partition(b"\r\n\r\n")
    line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    if headers.get("transfer-encoding") == "chunked":
        whole = b""
        while body:
            size, _, body = body.partition(b"\r\n")
            whole, body = whole + body[: int(size, 16)], body[int(size, 16) + 2 :]
        body = whole
    return int(line.split()[1]), headers, body.decode()


def test_each_sentence_leaves_when_it_is_there(peer):
    seen: list[int] = []
    go = threading.Event()

    def wait() -> None:
        seen.append(1)
        go.wait(10)

    model = StreamingModel(PIECES[0], wait, PIECES[1])
    running(peer, make_handler(app_of(model), {}, log=lambda _: None))
    peer.begin(event({"input": "猫", "stream": True}))
    threading.Timer(0.3, go.set).start()
    answered = peer.answered.get(timeout=20)
    texts = [chunk.decode() for _, chunk in answered.chunks]
    first = next(place for place, text in enumerate(texts) if PIECES[0] in text)
    second = next(place for place, text in enumerate(texts) if PIECES[1] in text)
    assert answered.chunks[second][0] - answered.chunks[first][0] > 0.2
    assert texts[0].endswith("\0" * 8)


@pytest.mark.parametrize("sent", [event({"input": "こんばんは"}, context=API), {"input": "こんばんは"}])
def test_others_get_one_piece(peer, sent):
    env: dict[str, str] = {}
    running(peer, make_handler(FakeBot(), {}, log=lambda _: None), env)
    answered = peer.invoke(sent)
    assert "lambda-runtime-function-response-mode" not in answered.headers
    assert (answered.json["statusCode"], json.loads(answered.json["body"])["reply"]) == (200, "いらっしゃい。")
    assert env["_X_AMZN_TRACE_ID"] == "Root=request-1;Sampled=0"


def test_a_stream_behind_an_http_api_comes_in_one_piece(peer):
    running(peer, make_handler(FakeBot(), {}, log=lambda _: None))
    answered = peer.invoke(event({"input": "こんばんは", "stream": True}, context=API))
    assert answered.json["body"].count("event: ") == 3


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b"null"])
def test_what_is_no_event_is_refused(peer, body):
    running(peer, make_handler(FakeBot(), {}, log=lambda _: None))
    assert peer.invoke(body).json["statusCode"] == 400
    assert peer.invoke({"input": "やあ"}).json["statusCode"] == 200


def test_the_deadline_of_the_function_is_the_turns(peer):
    bot = FakeBot()
    running(peer, make_handler(bot, {}, log=lambda _: None))
    peer.invoke(event({"input": "やあ", "stream": True}))
    [deadline] = bot.deadlines
    assert isinstance(deadline, Deadline)
    assert 18 < deadline.remaining() < 20


def test_a_mistake_of_ours_in_the_middle_is_told_in_the_trailers(peer):
    class Broken(LambdaHandler):
        def respond(self, event, context):
            read, response = super().respond(event, context)

            def stream(send, _gone):
                send("event: turn\n\n")
                raise ZeroDivisionError("secret")

            return read, replace(response, stream=stream)

    handler = make_handler(FakeBot(), {}, log=lambda _: None)
    running(peer, Broken(handler._service))
    answered = peer.invoke(event({"input": "やあ", "stream": True}))
    assert answered.streamed[1] == "event: turn\n\n"
    assert answered.error[0] == "ZeroDivisionError"
    assert "secret" not in json.dumps(answered.error[1])
    whole = peer.invoke(event({"input": "やあ", "stream": True}, context=API))
    assert (whole.path.rpartition("/")[2], whole.json["errorType"]) == ("error", "ZeroDivisionError")
    assert "secret" not in whole.body.decode()


def test_a_connection_that_is_hung_up_ends_the_turn_and_not_the_function(peer):
    ended = threading.Event()
    told: list[Any] = []

    class Patient(StreamingModel):
        def stream(self, prompt, deadline):
            try:
                for _ in range(400):
                    yield from super().stream(prompt, deadline)
                    if deadline.cancelled:
                        raise Cancelled("gone", backend="b")
                    ended.wait(0.01)
            finally:
                ended.set()

    peer.hangs_up_after = 3
    running(peer, make_handler(app_of(Patient("猫。")), {}, log=told.append))
    peer.begin(event({"input": "猫", "stream": True}))
    assert ended.wait(10)
    peer.hangs_up_after = None
    assert peer.invoke({"input": "こんばんは"}).json["statusCode"] == 200
    assert told[0]["code"] == "client_gone"


def test_a_function_that_does_not_load_fails_the_init(peer):
    with pytest.raises(ModuleNotFoundError):
        main(["no.such.handler"], {"AWS_LAMBDA_RUNTIME_API": peer.address})
    answered = peer.answered.get(timeout=10)
    assert answered.path.endswith("/init/error")
    assert answered.headers["lambda-runtime-function-error-type"] == "ModuleNotFoundError"
    assert answered.json["errorType"] == "ModuleNotFoundError"


def test_the_shipped_function_streams(peer, tmp_path):
    env = {
        "AWS_LAMBDA_RUNTIME_API": peer.address,
        "PATH": "",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "HOME": str(tmp_path),
        "METRICS": "false",
    }
    command = [sys.executable, "-m", "engine.aws.runtime", "lambda_function.lambda_handler"]
    with child(command, env=env, cwd=Path(__file__).parents[3], stdout=subprocess.DEVNULL):
        prelude, payload = peer.invoke(event({"input": "こんばんは", "stream": True})).streamed
    assert prelude["statusCode"] == 200
    assert payload.splitlines()[0] == "event: turn"
    assert "event: done" in payload
