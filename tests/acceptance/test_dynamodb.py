"""Sessions in DynamoDB, against moto's server on loopback."""

import logging
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from engine.conversations import open_store
from engine.core.ports import SessionState
from engine.core.turn import Message
from tests.children import child

TABLE = "misaki-sessions"
STATE = SessionState(2, (Message("user", "こんばんは"), Message("assistant", "いらっしゃい。")), {"greet": (0,)})


@pytest.fixture(scope="module")
def endpoint():
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        running = (re.search(r"Running on (http://\S+)", line) for line in process.stderr)
        yield next(found[1] for found in running if found)


@pytest.fixture
def aws(monkeypatch, endpoint):
    for name, value in {
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    return endpoint


@pytest.fixture
def client(aws):
    client = boto3.client("dynamodb", endpoint_url=aws)
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield client
    client.delete_table(TableName=TABLE)
    client.close()


@pytest.fixture
def store(client):
    client.get_waiter("table_exists").wait(TableName=TABLE)
    opened = open_store(f"dynamodb:{TABLE}")
    yield opened
    opened.close()


def test_a_session_is_remembered(store):
    store.save("seat-7", STATE)
    assert store.load("seat-7") == STATE
    assert store.load("seat-8") == SessionState()


def test_an_earlier_turn_does_not_undo_a_later_one(store, caplog):
    store.save("seat-7", SessionState(5))
    store.save("seat-7", SessionState(4))
    assert store.load("seat-7").turns == 5
    store.save("seat-7", SessionState(6))
    assert store.load("seat-7").turns == 6
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_items_expire(store, client):
    store.save("seat-7", STATE)
    key = {"id": {"S": "seat-7"}}
    item = client.get_item(TableName=TABLE, Key=key)["Item"]
    assert time.time() < float(item["expires"]["N"]) < time.time() + 366 * 24 * 3600
    client.put_item(TableName=TABLE, Item=item | {"expires": {"N": "1"}})
    assert store.load("seat-7") == SessionState()
    store.save("seat-7", SessionState(1))
    assert store.load("seat-7").turns == 1


def test_long_conversations_fit_an_item(store):
    history = tuple(Message("assistant", "🍇" * 4_000) for _ in range(20))
    store.save("seat-7", SessionState(40, history))
    assert store.load("seat-7").history


def test_an_item_of_somebody_else_is_no_session(store, client):
    client.put_item(TableName=TABLE, Item={"id": {"S": "seat-7"}})
    client.put_item(TableName=TABLE, Item={"id": {"S": "seat-8"}, "expires": {"N": f"{2**40}"}})
    assert store.load("seat-7") == store.load("seat-8") == SessionState()


@pytest.mark.usefixtures("aws")
def test_a_missing_table_costs_the_memory_only(caplog):
    store = open_store("dynamodb:nobody-made-this")
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "dynamodb:nobody-made-this" in caplog.text
    assert "こんばんは" not in caplog.text


@pytest.mark.usefixtures("aws")
def test_no_server_costs_the_memory_only(monkeypatch, caplog):
    # Port 9 is the discard service, which no machine has run for decades.
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    store = open_store(f"dynamodb:{TABLE}")
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "SESSION_STORE" in caplog.text


@pytest.mark.usefixtures("aws")
def test_an_endpoint_that_is_none_costs_the_memory_only(monkeypatch, caplog):
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "no address at all")
    store = open_store(f"dynamodb:{TABLE}")
    store.save("seat-7", STATE)
    assert store.load("seat-7") == SessionState()
    store.close()
    assert "SESSION_STORE" in caplog.text


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"state": {"N": "5"}},
        {"state": {"B": b"\xff"}},
        {"state": {"SS": ["飲み過ぎ"]}},
        {"state": {"M": {"S": {"S": "飲み過ぎ"}}}},
        {"state": {"S": "飲み過ぎ"}},
        {"state": {"S": '{"turns": 99999999999999999999999, "history": [], "said": {}}'}},
        {"state": {"S": "{}"}, "turns": {"S": "飲み過ぎ"}},
        {"state": {"S": "{}"}, "expires": {"S": "飲み過ぎ"}},
        {"state": {"S": "{}"}, "expires": {"N": "1e125"}},
        {"state": {"S": "{}"}, "expires": {"L": []}},
        {"state": {"NULL": True}},
    ],
    ids=str,
)
def test_an_item_that_somebody_else_wrote_costs_the_memory_only(store, client, caplog, item):
    kept = {"id": {"S": "seat-7"}, "turns": {"N": "1"}, "expires": {"N": "99999999999"}, **item}
    client.put_item(TableName=TABLE, Item=kept)
    assert store.load("seat-7") == SessionState()
    store.save("seat-7", STATE)
    assert store.load("seat-7") in (STATE, SessionState())
    assert "飲" not in caplog.text


@pytest.mark.parametrize(
    "answer",
    ["", "飲み過ぎ", "null", "[]", '"飲み過ぎ"', "5", '{"Item": 5}', '{"Item": []}', '{"Item": {"expires": 5}}']
    + [f'{{"Item": {{"expires": {{"N": "9e9"}}, "state": {state}}}}}' for state in ("5", "null", '{"S": 5}', '["飲"]')]
    + ['{"Item": {"expires": {"N": "飲み過ぎ"}}}', '{"Item": {"expires": {"N": 5}}}', "[" * 100_000],
)
@pytest.mark.usefixtures("aws")
def test_an_answer_that_is_none_of_dynamodb_s_costs_the_memory_only(monkeypatch, caplog, answer):
    with answering(answer.encode()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        store = open_store(f"dynamodb:{TABLE}")
        assert store.load("seat-7") == SessionState()
        store.save("seat-7", STATE)
        store.close()
    assert "飲" not in caplog.text


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that gives every request this answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
