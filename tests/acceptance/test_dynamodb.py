"""Sessions in DynamoDB, against moto's server on loopback."""

import logging
import re
import subprocess
import sys
import time

import boto3
import pytest

from engine.model.ports import SessionState
from engine.model.turn import Message
from engine.sessions import open_store
from tests.children import child

TABLE = "misaki-sessions"
STATE = SessionState(2, (Message("user", "こんばんは"), Message("assistant", "いらっしゃい。")), {"greet": 0})


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
