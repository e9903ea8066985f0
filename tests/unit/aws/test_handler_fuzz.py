"""Whatever JSON arrives, the answer is a well-formed proxy response and nothing is raised."""

import json

from hypothesis import given
from hypothesis import strategies as st

from engine.aws.handler import make_handler
from tests.fakes.bots import FakeBot

HANDLE = make_handler(FakeBot(), {"ALLOW_DEBUG": "true"}, log=lambda _: None)

texts = st.text(st.characters(exclude_categories=()), max_size=40)
keys = st.sampled_from(
    [
        "input",
        "message",
        "conversation",
        "messages",
        "metadata",
        "session_id",
        "debug",
        "role",
        "content",
        "text",
        "type",
        "body",
        "headers",
        "httpMethod",
        "path",
        "rawPath",
        "requestContext",
        "http",
        "elb",
        "stage",
        "method",
        "isBase64Encoded",
        "multiValueHeaders",
        "version",
    ]
)
numbers = st.integers() | st.floats() | st.integers(10**300, 10**400)
scalars = st.none() | st.booleans() | numbers | texts | st.sampled_from(["POST", "/chat", "user", "user: a", "aGk="])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | texts, inner, max_size=5), max_leaves=20
)
bodies = values.map(json.dumps) | texts
events = values | st.builds(
    lambda body, path, method: {
        "rawPath": path,
        "requestContext": {"http": {"method": method}},
        "body": body,
        "headers": {},
    },
    bodies,
    st.sampled_from(["/chat", "/", "/health", "/x"]),
    st.sampled_from(["POST", "GET", "OPTIONS", "HEAD"]),
)


@given(events)
def test_every_event_gets_a_well_formed_response(event):
    response = HANDLE(event, None)
    assert response["statusCode"] in {200, 204, 400, 404, 405, 413}
    json.dumps(response, allow_nan=False).encode()
    response["body"].encode()
    if response["body"]:
        body = json.loads(response["body"])
        assert "reply" in body or {"error", "code"} <= set(body) or body["status"] == "ok"


@given(
    st.dictionaries(st.sampled_from(["input", "message", "conversation", "messages"]), values, min_size=1, max_size=1)
)
def test_a_turn_sees_only_clean_bounded_text(payload):
    bot = FakeBot()
    make_handler(bot, {}, log=lambda _: None)(payload, None)
    for request in bot.requests:
        assert request.text == request.text.strip() != ""
        for text in (request.text, *(message.text for message in request.history)):
            text.encode()
            assert "\x00" not in text
            assert len(text) <= 4000
