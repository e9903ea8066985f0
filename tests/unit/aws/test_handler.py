from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from engine.api.body import BODY_LIMIT
from engine.api.policy import Policy
from engine.aws.handler import RESERVE, make_handler, print_record, start
from engine.core.errors import ConfigError, TurnsUsedUp, Unavailable
from engine.core.events import Escalation, ModelAnswered, ModelFailed
from engine.core.record import replace
from tests.fakes.bots import CANNED, LOCAL, NOTHING, FakeBot

SESAME = "open-sesame"
SAID = "美砂樹に言ったこと"
POST = {
    "version": "2.0",
    "rawPath": "/chat",
    "headers": {"origin": "https://bar.example"},
    "requestContext": {"http": {"method": "POST", "path": "/chat"}, "stage": "$default"},
    "body": '{"input": "こんばんは", "session_id": "seat-7"}',
}


class Context:
    aws_request_id = "request-1"

    def __init__(self, milliseconds: int = 10_000) -> None:
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self._milliseconds


def http(method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> dict:
    return POST | {
        "rawPath": path,
        "headers": headers or {},
        "requestContext": {"http": {"method": method, "path": path}},
        "body": body,
    }


def answer(event: object, bot: FakeBot | None = None, context: object = None, **env: str) -> tuple[dict, dict, list]:
    records: list = []
    response = make_handler(bot or FakeBot(), env, log=records.append)(event, context)
    return response, json.loads(response["body"]) if response["body"] else {}, records


def test_a_canned_reply_has_every_field():
    response, body, _ = answer(POST)
    assert response["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert "いらっしゃい" in response["body"]
    assert body == {
        "reply": "いらっしゃい。",
        "message": "いらっしゃい。",
        "response": "いらっしゃい。",
        "engine": "canned",
        "step": "canned",
        "reply_id": "greet_evening",
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        "escalations": [],
        "latency_ms": 12.3,
        "session_id": "seat-7",
        "stored": False,
    }


def test_a_generated_reply_names_its_model_tokens_and_confidence():
    _, body, _ = answer(POST, FakeBot(outcome=LOCAL))
    assert (body["engine"], body["model"], body["confidence"]) == ("local", "tiny.gguf", 0.61)
    assert body["usage"] == {"prompt_tokens": 40, "completion_tokens": 9, "total_tokens": 49}
    assert "reply_id" not in body


def test_no_reply_is_503_with_the_reasons():
    response, body, _ = answer(POST, FakeBot(outcome=NOTHING))
    assert response["statusCode"] == 503
    assert body["code"] == "no_answer"
    assert "`small_talk` with small gave up (error); `ask_large` gave up (timeout)" in body["error"]
    assert body["escalations"] == [
        {"step": "small_talk", "reason": "error", "model": "small"},
        {"step": "ask_large", "reason": "timeout"},
    ]
    assert "reply" not in body


@pytest.mark.parametrize(
    ("allowed", "asked", "shown"), [("true", "true", True), ("", "true", False), ("1", "false", False)]
)
def test_the_trace_needs_to_be_asked_for_and_allowed(allowed, asked, shown):
    event = POST | {"body": f'{{"input": "a", "debug": {asked}}}'}
    _, body, _ = answer(event, ALLOW_DEBUG=allowed)
    assert ("trace" in body) is shown


def test_an_unforeseen_error_is_a_503_without_traceback_or_user_text():
    bot = FakeBot(failure=KeyError("こんばんは secret"))
    response, body, records = answer(POST, bot)
    assert response["statusCode"] == 503
    assert body == {"error": "something went wrong on our side", "code": "internal"}
    [record] = records
    assert record["error"] == "KeyError"
    assert any("bots.py" in frame for frame in record["frames"])
    assert "こんばんは" not in str(record)


def test_messages_of_our_own_errors_are_logged():
    [record] = answer(POST, FakeBot(failure=Unavailable("the worker died", backend="small")))[2]
    assert record["message"] == "the worker died"


def test_the_log_tells_of_the_turn_without_its_words():
    [record] = answer(POST, FakeBot(outcome=LOCAL), Context())[2]
    assert record["request_id"] == "request-1"
    assert (record["engine"], record["model"], record["status"]) == ("local", "tiny.gguf", 200)
    shown = json.dumps(record, ensure_ascii=False)
    for word in ("こんばんは", "猫", "seat-7"):
        assert word not in shown


def test_the_log_tells_which_model_failed_and_how_and_nothing_that_was_said():
    told = {"model": "large", "name": "gpt-x", "kind": "bad_request", "status": 404, "code": "model_not_found"}
    failed = ModelFailed(step="ask", called=True, reason="error", problem=SAID, **told)
    events = (
        failed,
        replace(failed, called=False, status=None),
        ModelAnswered(step="ask", model="small", finish_reason="stop"),
    )
    [record] = answer(POST, FakeBot(outcome=replace(NOTHING, trace=events)))[2]
    assert record["failures"] == [told, {**told, "status": None}]
    assert SAID not in json.dumps(record, ensure_ascii=False)


def test_the_log_holds_words_where_the_operator_wants_them():
    [record] = answer(POST, LOG_TEXT="true")[2]
    assert (record["text"], record["reply"]) == ("こんばんは", "いらっしゃい。")
    [record] = answer(POST, FakeBot(outcome=NOTHING), LOG_TEXT=" TRUE ")[2]
    assert record["details"] == ["no such file", ""]


def test_the_log_holds_words_only_as_external_models_see_them():
    event = POST | {"body": '{"input": "電話は090-1234-5678よ"}'}
    outcome = replace(
        CANNED, reply="090-1234-5678ね。", escalations=(Escalation(step="ask", reason="error", detail="090-1234-5678"),)
    )
    [record] = answer(event, FakeBot(outcome=outcome, mask=("phone",)), LOG_TEXT="true")[2]
    assert (record["text"], record["reply"], record["details"]) == ("電話は[電話1]よ", "[電話1]ね。", ["[電話1]"])
    [record] = answer(event, FakeBot(failure=KeyError("090-1234-5678"), mask=("phone",)), LOG_TEXT="true")[2]
    assert record["message"] == "'[電話1]'"


def test_whoever_had_all_turns_of_a_day_is_told_when_the_next_begins():
    response, body, [record] = answer(POST, FakeBot(failure=TurnsUsedUp(30)))
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (429, "30")
    assert body["code"] == record["code"] == "turns_used_up"


@pytest.mark.parametrize(
    ("proxies", "address"),
    [("", "192.0.2.9"), ("1", "192.0.2.5"), ("2", "192.0.2.1"), ("9", "192.0.2.1"), ("x", "192.0.2.9")],
)
def test_an_address_is_as_far_away_as_there_are_proxies_that_are_trusted(proxies, address):
    event = http("POST", "/chat", {"x-forwarded-for": "192.0.2.1, 192.0.2.5, 192.0.2.9"}, POST["body"])
    event["requestContext"]["http"]["sourceIp"] = "192.0.2.9"
    bot = FakeBot()
    answer(event, bot, TRUSTED_PROXIES=proxies)
    assert bot.requests[0].address == address


@pytest.mark.parametrize("place", ["http", "identity"])
def test_what_a_guest_of_api_gateway_writes_himself_is_not_his_address(place):
    event = http("POST", "/chat", {"x-forwarded-for": "198.51.100.7"}, POST["body"])
    if place == "identity":
        event = {"httpMethod": "POST", "path": "/chat", "headers": event["headers"], "body": POST["body"]}
    event.setdefault("requestContext", {}).setdefault(place, {})["sourceIp"] = "192.0.2.9"
    bot = FakeBot()
    answer(event, bot)
    assert bot.requests[0].address == "192.0.2.9"


def test_a_load_balancer_puts_the_address_that_it_saw_last():
    event = {"httpMethod": "POST", "path": "/chat", "requestContext": {"elb": {}}, "body": POST["body"]}
    event["headers"] = {"x-forwarded-for": "203.0.113.7, 192.0.2.9"}
    bot = FakeBot()
    answer(event, bot)
    assert bot.requests[0].address == "192.0.2.9"


@pytest.mark.parametrize(("event", "status", "level"), [(POST, 503, "error"), (POST | {"body": ""}, 400, "info")])
def test_only_what_is_our_fault_is_an_error_in_the_log(event, status, level):
    [record] = answer(event, FakeBot(failure=RuntimeError("x")))[2]
    assert (record["status"], record["level"]) == (status, level)


def test_the_log_names_the_method_and_how_long_it_took():
    [record] = answer(POST)[2]
    assert (record["method"], record["path"], record["level"]) == ("POST", "/chat", "info")
    assert 0 <= record["milliseconds"] < 60_000
    [record] = answer(http("BREW", "/chat"))[2]
    assert record["method"] == "other"


def test_a_path_that_a_client_made_up_is_not_logged():
    [record] = answer(http("POST", "/こんばんは"))[2]
    assert (record["path"], record["status"]) == ("other", 404)


def test_the_deadline_is_what_lambda_leaves_less_a_reserve():
    bot = FakeBot()
    answer(POST, bot, Context(5_000))
    [deadline] = bot.deadlines
    assert deadline is not None
    assert deadline.remaining() <= 5 - RESERVE


def test_no_time_left_is_a_deadline_that_has_passed():
    bot = FakeBot()
    answer(POST, bot, Context(10))
    [deadline] = bot.deadlines
    assert deadline is not None
    assert deadline.passed


def test_outside_of_lambda_there_is_no_deadline():
    bot = FakeBot()
    answer(POST, bot)
    assert bot.deadlines == [None]


def test_health_has_one_word_for_strangers():
    for headers in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer x"}, {"x-forwarded-for": "127.0.0.1"}):
        for token in ("", SESAME):
            response, body, _ = answer(http("GET", "/health", headers), CLIENT_TOKEN=token)
            assert (response["statusCode"], body) == (200, {"status": "ok"})


def test_health_tells_everything_to_those_with_the_client_token():
    body = answer(http("GET", "/health", {"authorization": f"Bearer {SESAME}"}), CLIENT_TOKEN=SESAME)[1]
    assert body["models"]["small"]["state"] == "ready"


def test_head_of_health_has_no_body():
    assert answer(http("HEAD", "/health"))[0]["body"] == ""


@pytest.mark.parametrize("path", ["/chat", "/", "/health"])
def test_preflight(path):
    response, _, _ = answer(http("OPTIONS", path, {"origin": "https://bar.example"}))
    headers = response["headers"]
    assert (response["statusCode"], response["body"]) == (204, "")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in headers["Access-Control-Allow-Headers"]


def test_405_names_what_is_allowed():
    assert answer(http("GET", "/chat"))[0]["headers"]["Allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("https://bar.example", "https://bar.example"), ("https://evil.example", None), ("", None)],
)
def test_only_listed_origins_may_read(origin, allowed):
    event = POST | {"headers": {"origin": origin}}
    headers = answer(event, ALLOWED_ORIGINS="https://bar.example/, http://localhost:3000")[0]["headers"]
    assert headers.get("Access-Control-Allow-Origin", "not there") == (allowed or "not there")
    assert headers["Vary"] == "Origin"


def test_errors_can_be_read_from_another_origin():
    headers = answer(http("POST", "/nowhere"))[0]["headers"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Vary" not in headers


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer open-sesame", 200),
        ("bearer  open-sesame ", 200),
        ("Bearer wrong", 401),
        ("Basic open-sesame", 401),
        ("", 401),
        ("Bearer ", 401),
        ("Bearer お", 401),
    ],
)
def test_the_client_token(authorization, status):
    event = POST | {"headers": {"Authorization": authorization}}
    response, body, records = answer(event, CLIENT_TOKEN=SESAME)
    assert response["statusCode"] == status
    assert SESAME not in str((response, records))
    if status == 401:
        assert body["code"] == "authorization_invalid"
        assert response["headers"]["WWW-Authenticate"] == "Bearer"


def test_the_client_token_may_have_blanks_around_it_and_is_never_shown():
    event = POST | {"headers": {"Authorization": f"Bearer {SESAME}"}}
    assert answer(event, CLIENT_TOKEN=f" {SESAME}\n")[0]["statusCode"] == 200
    assert SESAME not in repr(Policy.from_env({"CLIENT_TOKEN": SESAME}))


def test_headers_with_several_values_are_read_too():
    rest = {"httpMethod": "POST", "path": "/chat", "body": '{"input": "a"}'}
    event = rest | {"multiValueHeaders": {"Authorization": [f"Bearer {SESAME}"], "Accept": [7, "a"], "Odd": "b"}}
    response, _, _ = answer(event, CLIENT_TOKEN=SESAME)
    assert response["statusCode"] == 200
    assert "headers" in response


@pytest.mark.parametrize(
    ("path", "context", "status"),
    [
        (None, {"http": {"method": "POST", "path": "/chat"}}, 200),
        (None, {"http": {"method": "POST", "path": "/nowhere"}}, 404),
        ("/prod", {"http": {"method": "POST"}, "stage": "prod"}, 200),
        ("/prod/chat/", {"http": {"method": "POST"}, "stage": "prod"}, 200),
        ("/production/chat", {"http": {"method": "POST"}, "stage": "prod"}, 200),
        ("/prod/chatroom", {"http": {"method": "POST"}, "stage": "prod"}, 404),
    ],
)
def test_where_the_path_stands(path, context, status):
    event = {"rawPath": path, "requestContext": context, "body": '{"input": "a"}', "headers": {}}
    assert answer(event)[0]["statusCode"] == status


def test_the_client_token_guards_neither_health_nor_preflight_nor_direct_invocations():
    for event in (http("GET", "/health"), http("OPTIONS", "/chat"), {"input": "a"}):
        assert answer(event, CLIENT_TOKEN=SESAME)[0]["statusCode"] < 300


def test_a_wrong_token_is_told_nothing_about_its_body():
    event = POST | {"body": "not json"}
    assert answer(event, CLIENT_TOKEN=SESAME)[0]["statusCode"] == 401


def test_http_events_are_not_taken_for_direct_ones():
    event = POST | {"input": "direct", "headers": {}}
    assert answer(event, CLIENT_TOKEN=SESAME)[0]["statusCode"] == 401


def test_a_body_over_the_limit():
    event = POST | {"body": '{"input": "' + "a" * 300_000 + '"}'}
    response, body, _ = answer(event)
    assert (response["statusCode"], body["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(("more", "code"), [(0, "input_too_long"), (1, "body_too_large")])
@pytest.mark.parametrize("character", ["a", "あ"])
def test_the_limit_is_one_of_bytes(character, more, code):
    around = '{"input": ""}'
    count, rest = divmod(BODY_LIMIT - len(around), len(character.encode()))
    body = '{"input": "' + character * count + "a" * (rest + more) + '"}'
    assert len(body.encode()) == BODY_LIMIT + more
    assert answer(POST | {"body": body})[1]["code"] == code


def test_a_base64_body_over_the_limit_is_not_decoded():
    event = POST | {"body": "!" * 600_000, "isBase64Encoded": True}
    assert answer(event)[1]["code"] == "body_too_large"


def test_a_load_balancer_gets_its_own_fields():
    plain = {"requestContext": {"elb": {}}, "httpMethod": "POST", "path": "/chat", "body": '{"input": "a"}'}
    response, _, _ = answer(plain | {"headers": {}})
    assert (response["statusDescription"], response["isBase64Encoded"]) == ("200 OK", False)
    response, _, _ = answer(plain | {"multiValueHeaders": {"host": ["bar.example"]}})
    assert "headers" not in response
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json; charset=utf-8"]


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/health/",
        "//health",
        "/prod/health",
        "/bot/health",
        "/api/v1/health",
        "/api//health//",
        "/prod/bot/health",
        "/chat/health",
        "/%E5%BA%97/health",
    ],
)
def test_the_health_behind_a_base_path(path):
    event = {"rawPath": path, "requestContext": {"http": {"method": "GET"}, "stage": "prod"}}
    response, body, _ = answer(event)
    assert (response["statusCode"], body["status"]) == (200, "ok")


@pytest.mark.parametrize(
    ("event", "name", "extra"),
    [
        (
            {"Records": [{"eventSource": "aws:sqs", "messageId": "a"}, {"eventSource": "aws:sqs", "messageId": "b"}]},
            "SQS",
            {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]},
        ),
        (
            [{"eventSource": "aws:sqs", "messageId": "a"}],
            "SQS",
            {"batchItemFailures": [{"itemIdentifier": "a"}]},
        ),
        (
            {"Records": [{"eventSource": "aws:kinesis", "kinesis": {"sequenceNumber": "1"}}]},
            "Kinesis",
            {"batchItemFailures": [{"itemIdentifier": "1"}]},
        ),
        (
            {"Records": [{"eventSource": "aws:dynamodb", "dynamodb": {"SequenceNumber": "2"}}]},
            "DynamoDB Streams",
            {"batchItemFailures": [{"itemIdentifier": "2"}]},
        ),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {}}]}, "SNS", {}),
        ({"Records": [None, 7, {"messageId": 7}]}, "an event source", {}),
        ({"Records": "x"}, "an event source", {}),
        ({"type": "REQUEST", "routeArn": "arn"}, "an API Gateway authorizer", {"isAuthorized": False}),
        ({"requestContext": {"connectionId": "c"}, "body": "{}"}, "a WebSocket API", {}),
        ({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": "{}"}, "EventBridge", {}),
        ({"warmer": True}, "a schedule", {}),
        ({"triggerSource": "PostConfirmation", "request": {}, "response": {}}, "Cognito", {}),
    ],
)
def test_an_event_without_a_turn_is_refused_in_the_form_its_sender_reads(event, name, extra):
    response, body, [record] = answer(event)
    assert (response["statusCode"], body["code"]) == (400, "not_a_turn")
    assert f"an event of {name} is no turn" in body["error"]
    assert {key: response[key] for key in response.keys() - {"statusCode", "headers", "body"}} == extra
    assert (record["level"], record["code"]) == ("info", "not_a_turn")


@pytest.mark.parametrize(
    "extra", [{"source": "x"}, {"token": "x"}, {"request": {}}, {"Comment": "x"}, {"taskToken": "x"}]
)
def test_what_stands_beside_a_text_does_not_make_it_another_event(extra):
    assert answer({"input": "こんばんは", **extra})[0]["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        {"input": "あ" * 100_000},
        {"input": "a", "metadata": {"x": ["y" * 1000] * 300}},
        {"input": "a", "metadata": {"x" * 300_000: 1}},
        {"messages": [{"role": "user", "content": "b" * 1000}] * 300},
        {"messages": [0] * 300_000},
    ],
)
def test_a_direct_event_over_the_limit_of_a_body_is_refused(event):
    response, body, _ = answer(event)
    assert (response["statusCode"], body["code"]) == (413, "body_too_large")


def test_a_record_is_a_line(capsys):
    print_record({"text": "一\n二"})
    assert capsys.readouterr().out == '{"text": "一\\n二"}\n'


BAR = Path(__file__).parents[2] / "configs" / "good" / "bar" / "pipeline.yml"
CHAT = {"input": "こんばんは"}


def started(**env):
    records = []
    handler = start({"MISAKI_PIPELINE": str(BAR), "USE_LOCAL_LLM": "false", **env}, log=records.append)
    return handler, records


def test_it_answers_and_has_said_how_long_it_took():
    handler, [loaded] = started()
    assert handler(CHAT, None)["statusCode"] == 200
    assert (loaded["level"], loaded["event"]) == ("info", "loaded")
    assert 0 < loaded["milliseconds"] < 60_000


def test_every_problem_of_a_pipeline_is_in_the_log(tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("version: 1\nnmae: tiny\n", encoding="utf-8")
    records = []
    with pytest.raises(ConfigError) as caught:
        start({"MISAKI_PIPELINE": str(bad)}, log=records.append)
    assert [record["message"] for record in records] == [str(problem) for problem in caught.value.problems]
    assert {(record["level"], record["event"]) for record in records} == {("error", "config_problem")}


@pytest.mark.parametrize(
    ("env", "counted"),
    [
        ({}, False),
        ({"METRICS": ""}, False),
        *(({"METRICS": setting}, True) for setting in (" True ", "1", "yes")),
        *(({"METRICS": setting, "AWS_LAMBDA_FUNCTION_NAME": "misaki"}, False) for setting in ("false", "0", "no")),
        ({"METRICS": "", "AWS_LAMBDA_FUNCTION_NAME": "misaki"}, True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "misaki"}, True),
    ],
)
def test_turns_are_counted_on_lambda_or_where_it_is_wanted(env, counted, capsys):
    handler, _ = started(**env)
    handler(CHAT, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ("ColdStart" in str(lines), "TurnTime" in str(lines)) == (counted, counted)
    assert {line["function"] for line in lines} <= {env.get("AWS_LAMBDA_FUNCTION_NAME", "local")}


def test_prices_that_are_none_cost_the_estimate_only(capsys):
    handler, [warning, loaded] = started(METRICS="true", MODEL_PRICES="free")
    assert (warning["level"], warning["event"], loaded["event"]) == ("warning", "no_prices", "loaded")
    assert "MODEL_PRICES" in warning["message"]
    assert handler(CHAT, None)["statusCode"] == 200
    assert "TurnTime" in capsys.readouterr().out


def test_steps_are_shown_to_x_ray_where_it_listens():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        daemon.settimeout(30)
        handler, _ = started(
            AWS_XRAY_DAEMON_ADDRESS=f"127.0.0.1:{daemon.getsockname()[1]}",
            _X_AMZN_TRACE_ID="Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        )
        assert handler(CHAT, None)["statusCode"] == 200
        assert b"1-5759e988-bd862e3fe1be46a994272793" in daemon.recv(65_536)


def test_an_address_that_is_none_costs_the_traces_only():
    handler, _ = started(AWS_XRAY_DAEMON_ADDRESS="nowhere")
    assert handler(CHAT, None)["statusCode"] == 200
