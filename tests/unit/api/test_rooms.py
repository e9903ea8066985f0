"""The calls on rooms, from a request to its response, over a real application with its rooms in memory."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from engine.api.openapi import CODES, document
from engine.api.policy import Policy
from engine.api.request import Request, path_without_base
from engine.api.routes import ROUTES, find_path
from engine.api.service import make_service
from engine.app import App
from engine.aws.handler import make_handler
from engine.conversations import open_store
from engine.core.plan import Limit, Limits
from engine.core.record import replace
from engine.core.turn import ANONYMOUS, Principal
from engine.identity.gate import NotIdentified
from engine.web.access import Access
from engine.web.app import Hosted
from engine.web.server import WebServer
from tests.fakes.plans import FakeModel, generate_step, plan, replies_step, reply

HELLO = reply("hello", "いらっしゃい。", "あら、こんばんは。")
EVENING = plan(replies_step(), generate_step("talk", "m"), replies={HELLO: ("こんばんは",)})
USERS = {name: Principal(kind="user", id=name, name=name.title()) for name in ("yuki", "aki", "ken")}
REQUESTS, FULL = 2_000, 20_000


class FakeGate:
    """Knows users by their names."""

    def identify(self, authorization, _deadline=None):
        name = authorization.removeprefix("Bearer ")
        if name and name not in USERS:
            raise NotIdentified("token_malformed", "the token is none")
        return USERS.get(name, ANONYMOUS)

    def holds_client_token(self, _authorization):
        return False


class Slow(FakeModel):
    """Counts its answers, and gives each once it may."""

    def __init__(self):
        super().__init__("まあ、猫ちゃん！")
        self.go_on = threading.Event()
        self.go_on.set()

    def generate(self, prompt, deadline):
        self.go_on.wait(10)
        return super().generate(prompt, deadline)


class House:
    """The API over an application, and what three guests say to it."""

    def __init__(self, store="memory", plan=EVENING):
        self.model, self.records = Slow(), []
        self.app = App(plan, models={"m": self.model}, rooms=open_store(store), prices={})
        self.service = make_service(self.app, Policy(gate=FakeGate()), self.records.append, self.app.rooms)

    def call(self, method, path, body=None, *, who="", **query):
        headers = {"authorization": f"Bearer {who}"} if who else {}
        text = None if body is None else body if isinstance(body, str) else json.dumps(body)
        query = {name: str(value) for name, value in query.items()}
        request = Request(method=method, path=path_without_base(path), query=query, headers=headers, body=text)
        response = self.service(request, None, "r1")
        payload = json.loads(response.body) if response.body else None
        check(method, path, response.status, payload)
        return response, payload

    def say(self, text, *, who="", **more):
        response, payload = self.call("POST", "/chat", {"input": text, **more}, who=who)
        assert response.status == 200, payload
        return payload

    def refused(self, status, code, method, path, body=None, **more):
        response, payload = self.call(method, path, body, **more)
        assert (response.status, payload["code"]) == (status, code)
        return response, payload


DOCUMENT = document()


def check(method, path, status, payload):
    """What is answered is what the document promises."""
    known = find_path(path.split("/")[1:])
    if known is None or method.lower() not in DOCUMENT["paths"][known[0]]:
        return
    responses = DOCUMENT["paths"][known[0]][method.lower()]["responses"]
    assert str(status) in responses, (method, path, status, payload)
    content = responses[str(status)].get("content")
    if content is None:
        assert payload is None
        return
    schema = {**content["application/json"]["schema"], "components": DOCUMENT["components"]}
    jsonschema.validate(payload, schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture
def house():
    opened = House()
    yield opened
    opened.app.close()


def test_the_document_is_valid_and_complete():
    OpenAPIV31SpecValidator(DOCUMENT).validate()
    calls = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
    assert sorted(calls) == sorted((route.path, route.method.lower()) for route in ROUTES)
    assert {code for route in ROUTES for code in route.fails} <= CODES.keys()


def test_the_document_is_served_to_anybody(house):
    response, payload = house.call("GET", "/openapi.json")
    assert response.status == 200
    assert payload == json.loads(json.dumps(DOCUMENT))
    assert house.call("GET", "/prod/openapi.json")[0].status == 200


def test_a_user_finds_his_rooms_again(house):
    first = house.say("こんばんは", who="yuki")
    assert first["stored"] is True
    room = first["session_id"]
    house.say("猫を飼ったよ", who="yuki", session_id=room)
    _, listed = house.call("GET", "/rooms", who="yuki")
    assert [(one["id"], one["title"], one["turns"]) for one in listed["rooms"]] == [(room, "こんばんは", 2)]
    assert listed["cursor"] is None
    _, turns = house.call("GET", f"/rooms/{room}/turns", who="yuki")
    assert [(turn["text"], turn["engine"]) for turn in turns["turns"]] == [
        ("こんばんは", "canned"),
        ("猫を飼ったよ", "external"),
    ]
    assert house.call("GET", f"/rooms/{room}", who="yuki")[1] == listed["rooms"][0]
    assert house.call("PATCH", f"/rooms/{room}", {"title": "猫の話"}, who="yuki")[1]["title"] == "猫の話"
    assert house.call("DELETE", f"/rooms/{room}", who="yuki")[0].status == 204
    house.refused(404, "room_unknown", "GET", f"/rooms/{room}", who="yuki")


def test_rooms_and_turns_come_in_pages(house):
    for number in range(7):
        house.say(f"{number}", who="yuki", session_id="long")
        house.say("こんばんは", who="yuki", session_id=f"room-{number}")
    for path, key, cursor in (("/rooms", "rooms", "cursor"), ("/rooms/long/turns", "turns", "before")):
        found, given = 0, {}
        while True:
            _, page = house.call("GET", path, who="yuki", limit=3, **given)
            found += len(page[key])
            if page[cursor] is None:
                break
            given = {cursor: page[cursor]}
        assert found in (7, 8)
        house.refused(400, f"{cursor}_invalid", "GET", path, who="yuki", **{cursor: "x"})
        for limit in ("0", "101", "-1", "1.5", "x", "", "９", "1" * 400):
            house.refused(400, "limit_invalid", "GET", path, who="yuki", limit=limit)


def test_another_s_room_is_the_same_404_as_none(house):
    room = house.say("秘密", who="yuki")["session_id"]
    answers = set()
    for who in ("aki", ""):
        for one in (room, "no-such-room-far-and-wide"):
            for method, path, body in (
                ("GET", f"/rooms/{one}", None),
                ("GET", f"/rooms/{one}/turns", None),
                ("PATCH", f"/rooms/{one}", {"title": "x"}),
                ("DELETE", f"/rooms/{one}", None),
            ):
                response, _ = house.refused(404, "room_unknown", method, path, body, who=who)
                answers.add(response.body)
    assert len(answers) == 1
    assert house.call("GET", f"/rooms/{room}/turns", who="yuki")[1]["turns"][0]["text"] == "秘密"


def test_who_knows_the_id_of_a_room_without_an_owner_may_use_it(house):
    _, made = house.call("POST", "/rooms", {"title": "猫"})
    house.say("こんばんは", session_id=made["id"])
    assert house.call("GET", f"/rooms/{made['id']}")[1]["turns"] == 1
    assert house.call("DELETE", f"/rooms/{made['id']}")[0].status == 204
    house.say("こんばんは", session_id="seat-7")
    house.refused(404, "room_unknown", "GET", "/rooms/seat-7/turns")


def test_what_only_users_have_asks_to_sign_in(house):
    for route in ROUTES:
        if route.users:
            path = route.path.replace("{name}", "bottle")
            response, _ = house.refused(401, "sign_in_required", route.method, path)
            assert response.headers["WWW-Authenticate"] == "Bearer"
    house.refused(401, "sign_in_required", "POST", "/rooms", {"claim": "x" * 30})
    house.refused(401, "token_malformed", "GET", "/rooms", who="mallory")


def test_a_room_is_claimed_once(house):
    room = house.say("秘密")["session_id"]
    response, claimed = house.call("POST", "/rooms", {"claim": room, "title": "前の話"}, who="yuki")
    assert (response.status, claimed["id"], claimed["title"], claimed["turns"]) == (201, room, "前の話", 1)
    house.refused(404, "room_unknown", "POST", "/rooms", {"claim": room}, who="aki")
    house.refused(404, "room_unknown", "GET", f"/rooms/{room}/turns")
    goes_on = house.say("こんばんは", session_id=room)
    assert goes_on["session_id"] != room
    assert house.call("GET", f"/rooms/{room}/turns", who="yuki")[1]["turns"][0]["text"] == "秘密"


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("x" * 81, "title_too_long"),
        (" x", "title_characters"),
        ("a\nb", "title_characters"),
        ("a\tb", "title_characters"),
        ("a\x00b", "title_characters"),
        ("a\u202eb", "title_characters"),
        ("\ud800", "title_characters"),
        (5, "title_type"),
        (["x"], "title_type"),
    ],
)
def test_a_bad_title_is_named(house, title, code):
    house.refused(400, code, "POST", "/rooms", {"title": title}, who="yuki")
    house.say("こんばんは", who="yuki", session_id="mine")
    house.refused(400, code, "PATCH", "/rooms/mine", {"title": title}, who="yuki")


def test_titles_may_hold_what_can_be_seen(house):
    for title in ("👨‍👩‍👧の話", "ｶﾞ", "x" * 80, None, ""):
        assert house.call("POST", "/rooms", {"title": title}, who="yuki")[1]["title"] == (title or None)
    assert house.call("POST", "/rooms", who="yuki")[0].status == 201
    house.refused(400, "title_missing", "PATCH", "/rooms/mine", {}, who="yuki")
    house.refused(400, "body_not_json", "POST", "/rooms", "{", who="yuki")
    house.refused(400, "body_not_object", "POST", "/rooms", "[]", who="yuki")
    house.refused(400, "claim_type", "POST", "/rooms", {"claim": 5}, who="yuki")


# Retries


def test_a_retry_is_byte_equal_and_asks_no_model_again(house):
    body = {"input": "猫を飼ったよ", "turn_key": "key-1", "session_id": "mine"}
    first, _ = house.call("POST", "/chat", body, who="yuki")
    again, payload = house.call("POST", "/chat", body, who="yuki")
    assert payload.pop("replayed") is True
    assert json.dumps(payload, ensure_ascii=False) == first.body
    assert again.body == first.body[:-1] + ', "replayed": true}'
    assert len(house.model.asked) == 1
    house.refused(409, "turn_key_reused", "POST", "/chat", {**body, "input": "犬を飼ったよ"}, who="yuki")
    assert house.call("GET", "/rooms/mine", who="yuki")[1]["turns"] == 1


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_eight_retries_at_once_and_a_late_one_are_one_turn(store, tmp_path):
    house = House("memory" if store == "memory" else f"sqlite:{tmp_path}/rooms.db")
    retried(house)
    house.app.close()


def retried(house):
    """One turn that is sent eight times at once, and once more, whatever the store is."""
    body = {"input": "猫を飼ったよ", "turn_key": "0123456789abcdef"}
    house.model.go_on.clear()
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(house.call, "POST", "/chat", body) for _ in range(8)]
        while not any(one.running() for one in answers):
            pass
        house.model.go_on.set()
        bodies = [one.result()[0].body for one in answers]
    bodies.append(house.call("POST", "/chat", body)[0].body)
    assert sum(', "replayed": true}' in said for said in bodies) == 8
    assert len({said.replace(', "replayed": true}', "}") for said in bodies}) == 1
    assert len(house.model.asked) == 1
    assert house.call("GET", f"/rooms/{json.loads(bodies[0])['session_id']}")[1]["turns"] == 1


def test_a_turn_without_an_answer_may_be_tried_again():
    house = House()
    body = {"input": "猫を飼ったよ", "turn_key": "0123456789abcdef"}
    broken = App(plan(replies_step(), replies={HELLO: ("こんばんは",)}), models={}, rooms=house.app.rooms)
    service = make_service(broken, Policy(gate=FakeGate()), lambda _: None, house.app.rooms)
    assert service(Request(body=json.dumps(body)), None, None).status == 503
    assert "replayed" not in house.call("POST", "/chat", body)[1]
    house.app.close()


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (5, "turn_key_type"),
        ("x" * 129, "turn_key_too_long"),
        (" x", "turn_key_characters"),
        ("a\nb", "turn_key_characters"),
        ("short", "turn_key_short"),
    ],
)
def test_a_bad_turn_key_is_named(house, key, code):
    house.refused(400, code, "POST", "/chat", {"input": "x", "turn_key": key})


def test_short_keys_do_where_a_room_or_a_user_tells_them_apart(house):
    for more in ({"session_id": "seat-7"}, {"who": "yuki"}):
        assert house.say("こんばんは", turn_key="1", **more)["stored"]


# Whose data it is


def test_a_user_sees_exports_and_erases_what_is_kept(house):
    for number in range(5):
        house.say(f"{number}番", who="yuki", session_id=f"room-{number % 2}")
    house.say("秘密", who="aki", session_id="room-0")
    _, me = house.call("GET", "/me", who="yuki")
    assert (me["id"], me["name"], me["visits"], me["memory"]) == ("yuki", "Yuki", 1, {})
    items, given = [], {}
    while True:
        _, page = house.call("GET", "/me/export", who="yuki", limit=2, **given)
        items += page["items"]
        if page["cursor"] is None:
            break
        given = {"cursor": page["cursor"]}
    assert sorted(one["kind"] for one in items) == ["room"] * 2 + ["turn"] * 5 + ["visits"]
    assert "秘密" not in json.dumps(items, ensure_ascii=False)
    assert house.call("DELETE", "/me/memory/bottle", who="yuki")[0].status == 204
    assert house.call("DELETE", "/me", who="yuki")[0].status == 204
    assert house.call("GET", "/rooms", who="yuki")[1]["rooms"] == []
    assert house.call("GET", "/me/export", who="yuki")[1]["items"] == []
    assert house.call("GET", "/rooms", who="aki")[1]["rooms"][0]["turns"] == 1


# What can go wrong


def test_a_user_sees_what_is_left_of_the_day_s_limits(house):
    assert house.call("GET", "/me", who="yuki")[1]["limits"] is None
    limits = Limits(anonymous=Limit(), user=Limit(turns=3), everyone=Limit(external=5_000_000))
    bounded = House(plan=replace(EVENING, limits=limits))
    bounded.call("POST", "/chat", {"input": "こんばんは"}, who="yuki")
    left = bounded.call("GET", "/me", who="yuki")[1]["limits"]
    assert left.pop("until").endswith("T15:00:00.000Z")
    assert left == {"user": {"turns": {"limit": 3, "left": 2}}, "everyone": {"external": {"limit": 5.0, "left": 5.0}}}


def test_without_a_store_there_are_no_rooms():
    house = House("none")
    assert house.say("こんばんは")["stored"] is False
    house.refused(404, "rooms_off", "GET", "/rooms", who="yuki")
    house.refused(404, "rooms_off", "POST", "/rooms")


def test_a_store_that_fails_costs_no_turn_and_says_so(tmp_path):
    house = House(f"sqlite:{tmp_path / 'nowhere' / 'rooms.db'}")
    assert house.say("こんばんは", turn_key="0123456789abcdef")["stored"] is False
    response, payload = house.refused(503, "store_unavailable", "GET", "/rooms", who="yuki")
    assert response.headers["Retry-After"] == "2"
    assert str(tmp_path) not in payload["error"]


def test_methods_and_paths(house):
    response, _ = house.refused(405, "method_not_allowed", "PUT", "/rooms/x")
    assert response.headers["Allow"] == "GET, PATCH, DELETE, OPTIONS"
    response, _ = house.call("OPTIONS", "/rooms/x")
    assert response.status == 204
    assert {"PATCH", "DELETE"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    house.refused(404, "path_unknown", "GET", "/bottles")
    house.call("GET", "/rooms/some-room-of-somebody", who="yuki")
    assert house.records[-1]["path"] == "/rooms/{id}"
    assert "some-room" not in json.dumps(house.records)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/prod/rooms/abc/turns", "/rooms/abc/turns"),
        ("/a/b/rooms", "/rooms"),
        ("/rooms/rooms", "/rooms/rooms"),
        ("/rooms/chat", "/chat"),
        ("/me/memory/chat", "/me/memory/chat"),
        ("/v1/me/export/", "/me/export"),
        ("//rooms//abc", "/rooms/abc"),
        ("/rooms/%E5%B8%AD", "/rooms/%E5%B8%AD"),
        ("/nothing", "/nothing"),
    ],
)
def test_what_stands_before_a_path_is_a_base_path(path, found):
    assert path_without_base(path) == found


def test_an_id_of_any_letters_is_found_in_a_path(house):
    house.say("こんばんは", who="yuki", session_id="席 7/奥#%")
    assert house.call("GET", "/rooms/%E5%B8%AD%207%2F%E5%A5%A5%23%25", who="yuki")[1]["id"] == "席 7/奥#%"


def test_generated_requests_never_show_another_s_words_and_never_fail(house, pytestconfig):
    """Three users, and somebody who has not signed in, on all routes."""
    dice = random.Random(4)
    guests = (*USERS, "")
    rooms = {who: [f"room-of-{who or 'nobody'}-long-enough-{number}" for number in range(3)] for who in guests}
    every = [room for owned in rooms.values() for room in owned]
    cursors, statuses = ["x", "", "AAAA"], set()
    for _ in range(FULL if pytestconfig.getoption("full") else REQUESTS):
        who = dice.choice(guests)
        words = f"CANARY-{who or 'nobody'}"
        route = dice.choice(ROUTES)
        room = dice.choice(every) if dice.random() < 0.4 else dice.choice(rooms[who])
        path = route.path.replace("{id}", room).replace("{name}", dice.choice(("name", "%00", "席", "x" * 200)))
        body = {
            "POST /chat": {
                "input": dice.choice((words, f"{words} こんばんは")),
                "session_id": dice.choice((room, rooms[who][0], None)) if who else dice.choice(rooms[who]),
                "turn_key": dice.choice((None, f"key-{who}-{dice.randrange(5)}-long-enough")),
            },
            "POST /rooms": dice.choice(
                ({}, {"title": words}, {"claim": dice.choice(rooms[""])} if who == "yuki" else {}, {"title": 5})
            ),
            "POST /v1/chat/completions": {
                "model": dice.choice(("test", "other")),
                "messages": [{"role": "user", "content": f"{words} こんばんは"}],
                "user": room,
            },
            f"PATCH {route.path}": dice.choice(({"title": words}, {}, {"title": "x" * 99})),
        }.get(f"{route.method} {route.path}")
        if route.name in ("erase_me", "delete_room") and dice.random() < 0.9:
            continue
        given = {name: dice.choice((*cursors[-20:], "2", "50")) for name in route.query if dice.random() < 0.4}
        response, payload = house.call(route.method, path, body, who=who, **given)
        statuses.add(response.status)
        assert response.status not in (500, 503), payload
        # Yuki may own by a claim what nobody owned.
        allowed = {"": ("nobody",), "yuki": ("yuki", "nobody")}.get(who, (who,))
        for other in (*USERS, "nobody"):
            assert other in allowed or f"CANARY-{other}" not in response.body
        cursors += [payload[name] for name in ("cursor", "before") if payload and payload.get(name)]
    assert {200, 201, 204, 400, 401, 404, 409} <= statuses


# Hosts


def test_lambda_events_carry_paths_and_queries(house):
    handle = make_handler(house.app, {}, log=lambda _: None, keeper=house.app.rooms)
    for number in range(3):
        house.say(f"{number}", session_id="a-room-that-nobody-guesses")
    path = "/prod/rooms/a-room-that-nobody-guesses/turns"
    events = (
        {
            "rawPath": path,
            "queryStringParameters": {"limit": "2"},
            "requestContext": {"http": {"method": "GET"}, "stage": "prod"},
        },
        {"path": path, "httpMethod": "GET", "queryStringParameters": {"limit": "2"}},
        {"path": path, "httpMethod": "GET", "multiValueQueryStringParameters": {"limit": ["9", "2"]}},
        {
            "path": path,
            "httpMethod": "GET",
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": {"limit": ["2"]},
            "requestContext": {"elb": {}},
        },
    )
    for event in events:
        answer = handle(event, None)
        assert answer["statusCode"] == 200
        assert [turn["text"] for turn in json.loads(answer["body"])["turns"]] == ["1", "2"]


def test_a_server_answers_all_calls(house):
    hosted = Hosted(
        service=house.service,
        invoke=lambda event, _id: event,
        policy=Policy(),
        access=Access(host="127.0.0.1"),
    )
    server = WebServer(("127.0.0.1", 0), hosted)
    server.start()
    try:
        with httpx.Client(base_url=server.url, headers={"authorization": "Bearer yuki"}) as client:
            made = client.post("/rooms", json={"title": "猫"}).json()
            said = client.post("/chat", json={"input": "こんばんは", "session_id": made["id"]}).json()
            assert said["session_id"] == made["id"]
            assert len(client.get("/rooms", params={"limit": 1}).json()["rooms"]) == 1
            assert client.patch(f"/rooms/{made['id']}", json={"title": "犬"}).json()["title"] == "犬"
            deleted = client.delete(f"/rooms/{made['id']}")
            assert (deleted.status_code, deleted.content) == (204, b"")
            assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
            assert client.delete("/me").status_code == 204
    finally:
        server.stop(1.0)


def test_the_page_for_developers_lists_every_call_and_code():
    page = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
    for code, (status, remedy) in CODES.items():
        assert f"| {status} `{code}` | {remedy} |" in page
    for route in ROUTES:
        assert f"`{route.method} {route.path}" in page or route.name == "health"
