"""The function in AWS's own Runtime Interface Emulator, with AWS's own runtime client."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.emulated import Emulator, body_of, emulated, http
from tests.acceptance.processes import ROOT

pytestmark = pytest.mark.needs("the Lambda emulator")

EVENTS = ROOT / "tests" / "events"
SESAME = "sesame-4c21"
HEALTH = http({}, SESAME, method="GET", path="/health")
LIMIT = 6 * 1024 * 1024
"""Bytes that Lambda takes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
PIPELINE = """\
version: 1
name: trial
locale: en
timezone: UTC
deadline: {deadline}
persona: {{name: Ann}}
models:
  small: {{backend: llama.cpp, path: "${{LOCAL_LLM_MODEL:}}", max_tokens: 2, temperature: 0, threads: 1, cache: "off"}}
  large: {{backend: openai, model: m, base_url: "${{OPENAI_BASE_URL:}}"}}
steps:
  - {{id: chat, kind: generate, models: [{model}], prompt: trial.j2, escalate_when: [error, timeout]}}
"""
PROMPT = "You are Ann, who answers in one short sentence.\n"


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture(scope="module")
def emulator(logs) -> Iterator[Emulator]:
    """The shipped bot without any model; every test of this module that needs nothing else shares it."""
    with emulated(logs / "shipped.log") as running:
        yield running


@pytest.fixture
def trial(tmp_path):
    """Writes a pipeline whose one step asks a model; where it stands."""

    def write(model: str, deadline: str) -> str:
        path = tmp_path / "trial.yml"
        path.write_text(PIPELINE.format(model=model, deadline=deadline), encoding="utf-8")
        (tmp_path / "trial.j2").write_text(PROMPT, encoding="utf-8")
        return str(path)

    return write


def test_the_curl_of_the_readme(emulator):
    proxy = emulator.invoke({"input": "こんばんは"})
    assert proxy["statusCode"] == 200
    assert body_of(proxy)["engine"] == "canned"


def test_every_event_is_answered_or_refused_as_its_name_says(emulator):
    for path in sorted((EVENTS / "accepted").glob("*.json")):
        proxy = emulator.invoke(path.read_bytes())
        assert proxy["statusCode"] == 200, path.stem
    for path in sorted((EVENTS / "refused").glob("*.json")):
        assert emulator.invoke(path.read_bytes())["statusCode"] == int(path.stem[:3]), path.stem


def test_a_turn_that_no_model_answers_says_who_was_asked(emulator):
    proxy = emulator.invoke(http({"input": "最近、猫を飼い始めたんだ"}))
    assert (proxy["statusCode"], body_of(proxy)["step"]) == (200, "listen")
    reasons = {entry["model"]: entry["reason"] for entry in body_of(proxy)["escalations"]}
    assert reasons == {"openai": "error", "bedrock": "error", "huggingface": "error"}


@pytest.mark.parametrize(
    "source",
    ["api_gateway_v1", "api_gateway_v1_base64", "api_gateway_v2", "function_url", "function_url_base64"],
)
def test_api_gateway_and_function_urls_get_what_they_read(emulator, source):
    """https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    proxy = emulator.invoke((EVENTS / "accepted" / f"{source}.json").read_bytes())
    assert proxy.keys() == {"statusCode", "headers", "body"}
    assert proxy["statusCode"] == 200
    assert all(isinstance(value, str) for value in proxy["headers"].values())
    assert proxy["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert (body_of(proxy)["engine"], body_of(proxy)["session_id"]) == ("canned", "seat-7")


@pytest.mark.parametrize("source", ["alb", "alb_base64", "alb_multi_value_headers"])
def test_load_balancers_get_what_they_read(emulator, source):
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html"""
    proxy = emulator.invoke((EVENTS / "accepted" / f"{source}.json").read_bytes())
    assert (proxy["statusCode"], proxy["statusDescription"], proxy["isBase64Encoded"]) == (200, "200 OK", False)
    if "multi_value" in source:
        assert "headers" not in proxy
        assert proxy["multiValueHeaders"]["Content-Type"] == ["application/json; charset=utf-8"]
    else:
        assert proxy["headers"]["Content-Type"] == "application/json; charset=utf-8"
    assert (body_of(proxy)["engine"], body_of(proxy)["session_id"]) == ("canned", "seat-7")


def test_what_lambda_lets_through_and_is_too_large_for_a_turn_is_refused(emulator):
    text = "長" * 1000 + "x" * (LIMIT - 10_000)
    answers = [emulator.invoke({"input": text}), emulator.invoke(http({"input": text}))]
    assert [proxy["statusCode"] for proxy in answers] == [413, 413]
    assert [body_of(proxy)["code"] for proxy in answers] == ["body_too_large"] * 2


def test_what_is_larger_than_lambda_takes_never_reaches_the_bot(emulator):
    """Lambda itself refuses it; the emulator cuts it off, so that AWS's runtime client finds no JSON."""
    turns = len(emulator.metrics())
    text = "a word of the user " * (LIMIT // 18)
    for payload in ({"input": text}, http({"input": text})):
        answer = emulator.invoke(payload)
        assert answer["errorType"] == "Runtime.UnmarshalError"
        assert "a word of the user" not in json.dumps(answer) + emulator.log()
    assert len(emulator.metrics()) == turns
    assert emulator.invoke({"input": "こんばんは"})["statusCode"] == 200


def test_all_of_that_was_one_cold_start_without_an_error(emulator):
    emulator.invoke({"input": "こんばんは"})
    records = emulator.records()
    assert [record["event"] for record in records if "event" in record] == ["loaded"]
    assert "Traceback" not in emulator.log()
    assert sum(metric["ColdStart"][0] for metric in emulator.metrics() if "ColdStart" in metric) == 1
    turns = [record for record in records if "request_id" in record and "status" in record]
    assert len({turn["request_id"] for turn in turns}) == len(turns)
    assert all({"level", "method", "path", "milliseconds"} <= turn.keys() for turn in turns)


def test_a_mistake_of_ours_is_answered_and_told_without_the_user_s_words(logs):
    env = {"CLIENT_TOKEN": SESAME}
    with emulated(logs / "broken.log", env, handler="tests.fakes.broken_function.lambda_handler") as emulator:
        before = body_of(emulator.invoke(HEALTH))
        proxies = [emulator.invoke({"input": "カナリアの餌"}), emulator.invoke(http({"input": "カナリアの餌"}, SESAME))]
        assert body_of(emulator.invoke(HEALTH)) == before
        failures = [record for record in emulator.records() if record.get("code") == "internal"]
    for proxy in proxies:
        assert proxy["statusCode"] == 503
        assert body_of(proxy) == {"error": "something went wrong on our side", "code": "internal"}
    assert [failure["error"] for failure in failures] == ["RuntimeError", "RuntimeError"]
    assert all("broken_function.py" in failure["frames"][-1] for failure in failures)


def test_a_turn_ends_before_lambda_s_timeout_and_a_frozen_function_by_it(logs, trial):
    """The provider accepts a connection and never says a word; the pipeline alone would wait for it for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        env = {"MISAKI_PIPELINE": trial("large", "60s"), "OPENAI_BASE_URL": address}
        with emulated(logs / "slow.log", env, timeout=6) as emulator:
            proxy = emulator.invoke({"input": "Where is my glass?"})
            assert (proxy["statusCode"], body_of(proxy)["code"]) == (503, "no_answer")
            assert [entry["reason"] for entry in body_of(proxy)["escalations"]] == ["timeout"]
            pid = runtime_of(emulator)
            os.kill(pid, signal.SIGSTOP)
            assert emulator.told(HEALTH) == "Task timed out after 6.00 seconds"
            health = body_of(emulator.invoke(HEALTH))
            assert health["status"] == "ok"
            assert runtime_of(emulator) != pid
            starts = [record for record in emulator.records() if record.get("event") == "loaded"]
    assert len(starts) == 2


def test_a_bad_pipeline_fails_the_start_with_the_problem_in_the_log(logs, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("version: 1\nnmae: tiny\n", encoding="utf-8")
    with emulated(logs / "bad.log", {"MISAKI_PIPELINE": str(bad)}) as emulator:
        status, answer = emulator.call({"input": "こんばんは"})
        assert (status, answer["errorType"]) == (502, "ConfigError")
        problems = [record for record in emulator.records() if record.get("event") == "config_problem"]
    assert any("bad.yml:2:1" in problem["message"] for problem in problems)


def test_fifty_warm_invocations_share_one_load_of_a_real_model(logs, trial, smollm2_path):
    env = {
        "MISAKI_PIPELINE": trial("small", "60s"),
        "LOCAL_LLM_MODEL": str(smollm2_path),
        "USE_LOCAL_LLM": "true",
        "CLIENT_TOKEN": SESAME,
    }
    with emulated(logs / "warm.log", env, timeout=120) as emulator:
        replies = [body_of(emulator.invoke({"input": f"Say the number {number}."})) for number in range(50)]
        assert {reply.get("engine") or reply["error"] for reply in replies} == {"local"}
        [model] = [model for model in body_of(emulator.invoke(HEALTH))["models"].values() if "pid" in model]
        loads = [metric for metric in emulator.metrics() if "ModelLoadTime" in metric]
        starts = [record for record in emulator.records() if record.get("event") == "loaded"]
        workers = children(runtime_of(emulator))
    assert (model["state"], model["starts"]) == ("ready", 1)
    assert workers == [model["pid"]]
    assert (len(starts), len(loads)) == (1, 1)
    assert loads[0]["ModelLoadTime"] == [pytest.approx(model["load_seconds"] * 1000)]


def runtime_of(emulator: Emulator) -> int:
    """The process in which AWS's runtime client runs the function."""
    [pid] = children(emulator.process.pid)
    return pid


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]
