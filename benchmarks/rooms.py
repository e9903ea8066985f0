"""What knowing guests costs: signing in, long rooms, limits; and that another's room takes no other time than none."""

from __future__ import annotations

import json
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, cycle
from pathlib import Path
from typing import Any

import boto3
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from benchmarks.cold import built
from benchmarks.machine import ROOT, environment, python
from benchmarks.measure import Row, Samples, Take, alternate, run, timed
from benchmarks.peers import install, packages, versions
from engine.api.policy import Policy
from engine.api.request import Request
from engine.api.service import make_service
from engine.app import App, load_app
from engine.aws.handler import make_handler
from engine.conversations import open_store
from engine.conversations.dynamodb import INDEX, DynamoStorage
from engine.conversations.rooms import Rooms
from engine.conversations.turns import Turns
from engine.core.deadline import Deadline
from engine.core.events import Outcome
from engine.core.plan import Limit, Limits
from engine.core.record import replace
from engine.core.rooms import NewTurn
from engine.core.turn import ChatRequest, Principal
from engine.identity.gate import Gate
from tests.acceptance.processes import ministack
from tools.lambda_emulator import free_port

REPLIES = 100
ISSUER, CLIENT = "https://issuer.example", "page"
YUKI, AKI = (Principal(kind="user", id=name) for name in ("yuki", "aki"))
SHORT, LONG = 10, 10_000
BLOCK = 20
GUESSES = 4_000
LANGCHAIN_NEEDS = ("boto3", "langchain-community")
MICROSECONDS = (1e6, "µs")

ANSWER = """
import json, sys
import lambda_function
response = lambda_function.lambda_handler(json.loads(sys.argv[1]), None)
assert '"engine": "canned"' in response["body"], response
"""


LANGCHAIN = """
import os, sys, threading
from concurrent.futures import ThreadPoolExecutor
from langchain_community.chat_message_histories import DynamoDBChatMessageHistory
table, rooms, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
def history(room):
    return DynamoDBChatMessageHistory(table, str(room), endpoint_url=os.environ["AWS_ENDPOINT_URL_DYNAMODB"])
def write(writer):
    for room in range(rooms):
        mine = history(room)
        for number in range(rounds):
            together.wait()
            mine.add_user_message(f"{writer}-{number}")
together = threading.Barrier(2)
with ThreadPoolExecutor(2) as pool:
    list(pool.map(write, range(2)))
print(2 * rooms * rounds - sum(len(history(room).messages) for room in range(rooms)))
"""


def rows(rounds: int) -> Iterator[Row]:
    with key_server() as (settings, token):
        yield from _signed_in(rounds, settings, token)
    yield from _lengths(rounds)
    yield _guessed()
    yield _counted(rounds)
    yield from _lost()


@contextmanager
def key_server() -> Iterator[tuple[Mapping[str, str], str]]:
    """The settings of an issuer whose keys are on loopback, and a token of it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    keys = json.dumps({"keys": [{**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": "one"}]}).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(keys)))
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, *_: object) -> None: ...

    claims = {"iss": ISSUER, "sub": "yuki", "client_id": CLIENT, "token_use": "access", "exp": time.time() + 24 * 3600}
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/keys"
        settings = {"AUTH": "optional", "AUTH_ISSUER": ISSUER, "AUTH_CLIENT_IDS": CLIENT, "AUTH_JWKS_URL": url}
        yield settings, jwt.encode(claims, key, "RS256", {"kid": "one"})
        server.shutdown()


def _signed_in(rounds: int, settings: Mapping[str, str], token: str) -> Iterator[Row]:
    file, texts = built(REPLIES)
    env = {"MISAKI_PIPELINE": str(file), "USE_LOCAL_LLM": "false"}

    def first(token: str, settings: Mapping[str, str]) -> Take:
        command, given = python(ANSWER, json.dumps(_event(texts[0], token))), environment(**env, **settings)
        return lambda: run(command, given, ROOT).seconds

    def warm(token: str, settings: Mapping[str, str]) -> Take:
        handler = make_handler(load_app(env), {**env, **settings}, log=lambda _: None)
        events = cycle([_event(text, token) for text in texts])
        return timed(lambda: handler(next(events), None))

    cold = alternate({"without": first("", {}), "open": first("", settings), "user": first(token, settings)}, rounds)
    yield Row(id="rooms.cold-plain", what="first reply without AUTH", ours=cold["without"])
    yield _more("rooms.cold-open", "first reply with AUTH, to nobody: more", cold["open"], cold["without"])
    yield _more("rooms.cold-user", "first reply to a signed-in user: more", cold["user"], cold["without"], at_most=60)
    sides = {"without": warm("", {}), "user": warm(token, settings)}
    times = alternate(sides, rounds, blocks=dict.fromkeys(sides, BLOCK))
    yield _more("rooms.warm-user", "warm turn of a signed-in user: more", times["user"], times["without"], at_most=1)


def _more(id: str, what: str, ours: Samples, theirs: Samples, at_most: float | None = None, **more: Any) -> Row:  # noqa: A002  a row's
    """What one side takes more than the other, of samples that were taken in turns."""
    differences = Samples(tuple(one - other for one, other in zip(ours.values, theirs.values, strict=True)))
    return Row(id=id, what=what, ours=differences, peer="without", theirs=theirs, at_most=at_most, **more)


def _event(text: str, token: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/chat",
        "headers": {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})},
        "requestContext": {"http": {"method": "POST", "path": "/chat", "sourceIp": "192.0.2.1"}, "stage": "$default"},
        "body": json.dumps({"input": text}, ensure_ascii=False),
        "isBase64Encoded": False,
    }


@contextmanager
def _app(store: str = "", limits: Limits | None = None) -> Iterator[tuple[App, list[str]]]:
    """Over a SQLite file, unless another store is named."""
    file, texts = built(REPLIES)
    plan = load_app({"MISAKI_PIPELINE": str(file), "USE_LOCAL_LLM": "false"}).plan
    with tempfile.TemporaryDirectory() as folder:
        rooms = open_store(store or f"sqlite:{Path(folder) / 'rooms.db'}")
        app = App(replace(plan, limits=limits), models={}, rooms=rooms, prices={})
        yield app, texts
        app.close()


def _lengths(rounds: int) -> Iterator[Row]:
    """A turn, and the newest page, of a long room beside short ones, each of which takes one turn more only."""
    with _app() as (app, texts):
        said = cycle(texts)

        def turn(room: str) -> None:
            app.reply(ChatRequest(text=next(said), session_id=room, principal=YUKI))

        for room, turns in (("long", LONG), *((f"short-{number}", SHORT) for number in range(10 * rounds + 10))):
            for _ in range(turns):
                turn(room)
        short = (f"short-{number}" for number in count())
        service = make_service(app, Policy(gate=_Known()), lambda _: None, app.rooms)
        sides: dict[str, Take] = {
            "long": timed(lambda: turn("long")),
            "short": timed(lambda: turn(next(short))),
            "page of long": timed(lambda: _get(service, "/rooms/long/turns", "yuki", limit="10")),
            "page of short": timed(lambda: _get(service, "/rooms/short-0/turns", "yuki", limit="10")),
        }
        times = alternate(sides, 10 * rounds)
    yield Row(
        id="rooms.turn",
        what=f"a turn in a room of {LONG:,} turns, in a SQLite file",
        ours=times["long"],
        peer=f"in one of {SHORT}",
        theirs=times["short"],
        at_least=round(1 / 1.1, 3),
        unit=MICROSECONDS,
    )
    yield Row(
        id="rooms.page",
        what=f"the newest ten of {LONG:,} turns",
        ours=times["page of long"],
        peer=f"of {SHORT}",
        theirs=times["page of short"],
        unit=MICROSECONDS,
    )


class _Known(Gate):
    """Knows users by their names."""

    def identify(self, authorization: str, deadline: object = None) -> Principal:  # noqa: ARG002  the gate's
        return {"yuki": YUKI, "aki": AKI}[authorization.removeprefix("Bearer ")]


def _get(service: Callable[..., Any], path: str, who: str, **query: str) -> int:
    request = Request(method="GET", path=path, query=query, headers={"authorization": f"Bearer {who}"})
    status: int = service(request, None, None).status
    return status


def _guessed() -> Row:
    """How often somebody is right who says of two 404s that the slower one was another's room: half of the time is no
    better than a coin. This is the area under the curve of the two samples of times.
    """
    dice = random.Random(5)
    with _app() as (app, texts):
        rooms = [f"{dice.getrandbits(128):032x}" for _ in range(50)]
        for room in rooms:
            app.reply(ChatRequest(text=texts[0], session_id=room, principal=YUKI))
        service = make_service(app, Policy(gate=_Known()), lambda _: None, app.rooms)
        taken: dict[bool, list[float]] = {True: [], False: []}
        for _ in range(2 * GUESSES):
            is_there = dice.random() < 0.5
            room = dice.choice(rooms) if is_there else f"{dice.getrandbits(128):032x}"
            began = time.perf_counter()
            _get(service, f"/rooms/{room}", "aki")
            taken[is_there].append(time.perf_counter() - began)
    ranked = sorted((seconds, is_there) for is_there, times in taken.items() for seconds in times)
    ranks = sum(rank for rank, (_, is_there) in enumerate(ranked, 1) if is_there)
    there, none = len(taken[True]), len(taken[False])
    area = (ranks - there * (there + 1) / 2) / (there * none)
    what = f"guessing by time which of two 404s is another's room, {2 * GUESSES:,} of them"
    return Row(id="rooms.guess", what=what, ours=Samples((max(area, 1 - area),)), at_most=53, unit=(100, "% right"))


def _counted(rounds: int) -> Row:
    """What counting a guest's turns adds to a canned one, by room and by address."""
    bounded = Limits(anonymous=Limit(turns=10**9), user=Limit(), everyone=Limit())
    with _app("memory") as (free, texts), _app("memory", bounded) as (counted, _):
        numbers, said = count(), cycle(texts)

        def turn(app: App) -> Take:
            return timed(lambda: app.reply(ChatRequest(text=next(said), session_id=f"{next(numbers)}", address="::1")))

        sides = {"counted": turn(counted), "free": turn(free)}
        times = alternate(sides, rounds, blocks=dict.fromkeys(sides, BLOCK))
    what = "a canned turn that is counted, in memory: more"
    return _more("rooms.limits", what, times["counted"], times["free"], at_most=100, unit=MICROSECONDS)


def _lost() -> Iterator[Row]:
    """Turns that are lost of two writers who add to one room at the same moment, in DynamoDB's stand-in."""
    rooms, rounds = 100, 10
    environment_of_aws = {
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    with tempfile.TemporaryDirectory() as folder, ministack(free_port(), Path(folder)) as url:
        os.environ |= environment_of_aws | {"AWS_ENDPOINT_URL_DYNAMODB": url}
        what = f"turns lost of {2 * rooms * rounds:,} that two writers add at once"
        ours = Samples((float(_lost_by_ours(_table("ours", "pk", "sk", "updated"), rooms, rounds)),))
        yield Row(id="rooms.lost", what=what, ours=ours, at_most=0, unit=(1, ""))
        install(LANGCHAIN_NEEDS)
        if set(LANGCHAIN_NEEDS) <= versions().keys():
            command = python(LANGCHAIN, _table("theirs", "SessionId"), str(rooms), str(rounds))
            env = environment(str(packages())) | {**environment_of_aws, "AWS_ENDPOINT_URL_DYNAMODB": url}
            said = subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout
            theirs = Samples((float(said.split()[-1]),))
            yield Row(id="rooms.lost-langchain", what=f"{what}, LangChain's chat history", ours=theirs, unit=(1, ""))


def _table(name: str, *keys: str) -> str:
    """A table with these keys; of three, the last one sorts a local index."""
    client = boto3.client("dynamodb")
    schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)]
    index = [schema[0], {"AttributeName": keys[-1], "KeyType": "RANGE"}]
    client.create_table(
        TableName=name,
        KeySchema=schema,
        AttributeDefinitions=[
            {"AttributeName": key, "AttributeType": "N" if key == "updated" else "S"} for key in keys
        ],
        BillingMode="PAY_PER_REQUEST",
        **(
            {}
            if len(keys) < 3
            else {
                "LocalSecondaryIndexes": [
                    {"IndexName": INDEX, "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}
                ]
            }
        ),
    )
    return name


def _lost_by_ours(table: str, rooms: int, rounds: int) -> int:
    together, storage = threading.Barrier(2), DynamoStorage(table, read_timeout=60.0)

    def write(writer: int) -> None:
        turns = Turns(storage)
        for number in range(rooms * rounds):
            request = ChatRequest(text=f"{writer}-{number}", session_id=f"{number // rounds}", principal=YUKI)
            together.wait()
            opened = turns.open(request, (), 60.0)
            said = NewTurn(text=request.text, outcome=Outcome(reply="ええ。"), latency_ms=1.0, number=1)
            turns.append(opened, said, Deadline.after(60.0))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    kept = sum(len(Rooms(storage).turns(YUKI, f"{room}", 100, None).items) for room in range(rooms))
    storage.close()
    return 2 * rooms * rounds - kept
