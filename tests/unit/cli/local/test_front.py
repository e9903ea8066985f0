import json

import pytest

from engine.api.policy import Policy
from engine.aws.handler import make_handler
from engine.cli.local.events import Incoming, LocalContext, function_url_event
from engine.cli.local.front import INVOCATIONS, Front
from tests.fakes.bots import FakeBot

BODY = '{"input": "こんばんは"}'.encode()
SESAME = "open-sesame"


def front(bot: FakeBot | None = None, **env: str) -> Front:
    handler = make_handler(bot or FakeBot(), env, log=lambda _: None)
    return Front(handler, Policy.from_env(env), greeting="post to /chat")


def post(path: str, body: bytes = BODY, **headers: str) -> Incoming:
    return Incoming(method="POST", target=path, headers=headers, body=body)


def test_chat_goes_through_the_handler():
    response = front().answer(post("/chat?x=1"))
    assert (response["statusCode"], json.loads(response["body"])["reply"]) == (200, "いらっしゃい。")


def test_the_invocation_path_answers_with_the_proxy_response():
    response = front().answer(post(INVOCATIONS))
    proxy = json.loads(response["body"])
    assert response["statusCode"] == proxy["statusCode"] == 200
    assert json.loads(proxy["body"])["engine"] == "canned"


def test_an_error_of_an_invocation_is_inside_the_proxy_response():
    response = front().answer(post(INVOCATIONS, b"{}"))
    assert response["statusCode"] == 200
    assert json.loads(response["body"])["statusCode"] == 400


@pytest.mark.parametrize("body", [b"not json", b"[" * 100_000, b"\xff\xfe"])
def test_an_invocation_that_is_no_json(body):
    response = front().answer(post(INVOCATIONS, body))
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (400, "event_not_json")


def test_a_direct_event_over_256_kilobytes_is_refused_before_it_is_parsed():
    response = front().answer(post(INVOCATIONS, b"[" * (256 * 1024 + 1)))
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (413, "body_too_large")


def test_an_event_of_http_may_be_as_large_as_its_escaped_body():
    event = {"httpMethod": "POST", "path": "/chat", "body": '{"input": "a", "x": "' + "い" * 80_000 + '"}'}
    response = front().answer(post(INVOCATIONS, json.dumps(event).encode()))
    assert json.loads(response["body"])["statusCode"] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/2015-03-31/functions/function/invocations/",
        "//2015-03-31/functions/function/invocations",
        "/2015-03-31//functions/function/invocations",
        "/2015-03-31/functions/misaki/invocations",
        "/api/2015-03-31/functions/function/invocations",
        "/a/b/2015-03-31/functions/function/invocations?x=1",
    ],
)
def test_the_invocation_path_behind_a_base_path(path):
    proxy = json.loads(front().answer(post(path))["body"])
    assert proxy["statusCode"] == 200
    assert front().body_limit(path) > 256 * 1024


@pytest.mark.parametrize(
    "path", ["/functions/function/invocations", "/2015-03-31/functions/function", "/x/invocations"]
)
def test_other_paths_are_no_invocation(path):
    assert front().answer(post(path))["statusCode"] == 404


def test_an_invocation_is_posted():
    assert front().answer(Incoming(method="GET", target=INVOCATIONS))["statusCode"] == 405


def test_a_client_token_guards_the_invocation_path_too():
    guarded = front(CLIENT_TOKEN=SESAME)
    assert guarded.answer(post(INVOCATIONS))["statusCode"] == 401
    assert guarded.answer(post(INVOCATIONS, authorization=f"Bearer {SESAME}"))["statusCode"] == 200


def test_the_greeting():
    response = front().answer(Incoming(method="GET", target="/"))
    assert response["body"] == "post to /chat"


def test_bytes_that_are_no_text_are_refused_by_the_handler():
    response = front().answer(post("/chat", b"\xff\xfe\x00"))
    assert (response["statusCode"], json.loads(response["body"])["code"]) == (400, "body_encoding")


def test_who_is_turned_away_is_told_to_come_back():
    refused = front().turn_away(post("/chat", origin="http://page"))
    assert (refused["statusCode"], refused["headers"]["Retry-After"]) == (503, "1")
    assert json.loads(refused["body"])["code"] == "busy"
    assert refused["headers"]["Access-Control-Allow-Origin"] == "*"


def test_the_event_is_that_of_a_function_url():
    incoming = Incoming(method="POST", target="/chat?a=%E5%B8%AD", headers={"user-agent": "curl"}, body=BODY)
    event = function_url_event(incoming, LocalContext("id-1"))
    assert (event["rawPath"], event["rawQueryString"], event["isBase64Encoded"]) == ("/chat", "a=%E5%B8%AD", False)
    assert event["requestContext"]["requestId"] == "id-1"
    assert event["body"] == BODY.decode()
