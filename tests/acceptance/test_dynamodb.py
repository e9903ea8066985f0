"""Rooms and limits in DynamoDB, against ministack's and moto's servers on loopback."""

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from engine.conversations import open_store
from engine.conversations.dynamodb import INDEX, DynamoStorage
from engine.conversations.guard import GuardedStore
from engine.core.deadline import Deadline
from engine.core.errors import StoreFailed
from engine.core.rooms import SessionState
from tests.acceptance.processes import ministack
from tests.children import child, first_line
from tests.fakes.clock import FakeClock
from tests.rooms.cases import *  # noqa: F403  the cases of every store
from tests.rooms.cases import ROOM, YUKI, killed_at_every_step
from tests.rooms.limits import *  # noqa: F403  what limits hold on every store
from tests.unit.api.test_rooms import House, retried
from tests.unit.conversations.test_stores import say
from tools.lambda_emulator import free_port

NUMBERS = itertools.count()


@pytest.fixture(scope="module", params=["moto", "ministack"])
def endpoint_name(request):
    return request.param


@pytest.fixture(scope="module")
def endpoint(endpoint_name, tmp_path_factory):
    if endpoint_name == "ministack":
        with ministack(free_port(), tmp_path_factory.mktemp("ministack")) as url:
            yield url
        return
    command = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with child(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        yield first_line(process.stderr, lambda line: re.search(r"Running on (http://\S+)", line))[1]


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
    yield client
    client.close()


@pytest.fixture
def table(client):
    name = f"misaki-rooms-{next(NUMBERS)}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": kind}
            for each, kind in (("pk", "S"), ("sk", "S"), ("updated", "N"))
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": INDEX,
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "updated", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["data", "version", "expires"]},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    client.get_waiter("table_exists").wait(TableName=name)
    yield name
    client.delete_table(TableName=name)


@pytest.fixture
def clock():
    return FakeClock(1_700_000_000.0)


@pytest.fixture
def storage(table, clock):
    # The servers of the tests are no match for DynamoDB, least of all on a busy machine.
    opened = DynamoStorage(table, now=clock, read_timeout=60.0)
    yield opened
    opened.close()


@pytest.fixture
def interleavings(endpoint_name, pytestconfig):
    """moto copies its whole table in each transaction."""
    if endpoint_name == "moto":
        return 40
    return 1_000 if pytestconfig.getoption("full") else 300


@pytest.fixture
def long(endpoint_name):
    return 10_000 if endpoint_name == "ministack" else 200


@pytest.fixture
def turns_each():
    """Few: neither server is made for many writers of one item."""
    return 5


@pytest.fixture
def store(table):
    opened = open_store(f"dynamodb:{table}")
    yield opened
    opened.close()


@pytest.fixture
def setting(table):
    return f"dynamodb:{table}"


@pytest.fixture
def stores(table):
    """As two processes have it, with time for the servers of the tests."""
    opened = [GuardedStore(DynamoStorage(table, read_timeout=60.0), "") for _ in range(2)]
    yield opened
    for one in opened:
        one.close()


def test_eight_retries_at_once_and_a_late_one_get_the_same_bytes(setting):
    house = House(setting)
    retried(house)
    house.app.close()


def test_who_is_erased_is_erased_though_the_process_is_killed_at_any_step(client, table, clock):
    def scan():
        pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        found = [item for page in pages for item in page["Items"]]
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in found}

    killed_at_every_step(lambda: DynamoStorage(table, now=clock, read_timeout=60.0), scan, clock)


def test_a_turn_is_one_transaction_and_no_more_items_than_it_needs(store, client, table):
    assert say(store)[1]
    assert say(store)[1]
    items = client.scan(TableName=table)["Items"]
    assert sorted((item["pk"]["S"], item["sk"]["S"]) for item in items) == [
        (f"A#{ROOM}", name) for name in (f"R#{ROOM}", f"R#{ROOM}#T#0000000001", f"R#{ROOM}#T#0000000002", "V")
    ]
    assert all(int(item["expires"]["N"]) > 1_700_000_000 for item in items)


@pytest.mark.usefixtures("aws")
def test_a_missing_table_costs_the_memory_only(caplog):
    store = open_store("dynamodb:nobody-made-this")
    assert say(store) == (SessionState(), False)
    with pytest.raises(StoreFailed):
        store.on_rooms(lambda rooms: rooms.listed(YUKI, 5, None))
    store.close()
    assert "dynamodb:nobody-made-this" in caplog.text
    assert "こんばんは" not in caplog.text


def test_a_table_with_other_keys_is_named_with_those_it_needs(client, caplog):
    client.create_table(
        TableName="old-sessions",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    store = open_store("dynamodb:old-sessions")
    assert say(store) == (SessionState(), False)
    store.close()
    client.delete_table(TableName="old-sessions")
    assert "it needs the keys `pk` and `sk`" in caplog.text


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "no address at all"])
def test_no_server_costs_the_memory_only(monkeypatch, caplog, address):
    # Port 9 is the discard service, which no machine has run for decades.
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", address)
    store = open_store("dynamodb:misaki-rooms")
    assert say(store) == (SessionState(), False)
    store.close()
    assert "SESSION_STORE" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"N": "5"}},
        {"data": {"S": "飲み過ぎ"}},
        {"data": {"SS": ["飲み過ぎ"]}},
        {"data": {"M": {"S": {"S": "飲み過ぎ"}}}},
        {"data": {"S": '{"seq": 99999999999999999999999, "turns": 1, "created": 1}'}},
        {"state": {"S": "飲み過ぎ"}},
        {"state": {"B": b"\xff"}},
        {"version": {"S": "飲み過ぎ"}},
        {"expires": {"S": "飲み過ぎ"}},
        {"expires": {"N": "1.5"}},
        {"expires": {"L": []}},
    ],
    ids=str,
)
def test_an_item_that_somebody_else_wrote_costs_the_memory_only(store, client, table, caplog, wrong):
    assert say(store)[1]
    key = {"pk": {"S": f"A#{ROOM}"}, "sk": {"S": f"R#{ROOM}"}}
    item = client.get_item(TableName=table, Key=key)["Item"]
    client.put_item(TableName=table, Item={**item, **wrong})
    assert say(store) == (SessionState(), False)
    assert "飲" not in caplog.text
    assert say(store, room=f"{ROOM}-2")[1]


@pytest.mark.parametrize(
    "answer",
    ["", "飲み過ぎ", "null", "[]", '"飲み過ぎ"', "5", '{"Responses": 5}', '{"Responses": {"misaki-rooms": 5}}']
    + [f'{{"Responses": {{"misaki-rooms": [{item}]}}}}' for item in ("5", "{}", '{"pk": "飲"}', '{"pk": {"S": 5}}')]
    + ['{"UnprocessedKeys": {"x": {"Keys": []}}}', "[" * 100_000],
)
@pytest.mark.usefixtures("aws")
def test_an_answer_that_is_none_of_dynamodb_s_costs_the_memory_only(monkeypatch, caplog, answer):
    with answering(answer.encode()) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
        store = open_store("dynamodb:misaki-rooms")
        until = Deadline.after(5.0)
        store.open(ChatRequest(text="x", session_id=ROOM), (), until)  # noqa: F405  as above
        assert until.remaining() > 0
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
