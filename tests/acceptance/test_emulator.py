"""The function in AWS's own Runtime Interface Emulator: every event, every way to fail, and what a warm one keeps."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.acceptance.emulators import body_of
from tests.acceptance.processes import ROOT
from tests.faults import behaviours
from tests.faults.peer import Peer

EVENTS = ROOT / "tests" / "events"
LIMIT = 6 * 1024 * 1024
"""Bytes of an invocation, Lambda's own."""

UNKNOWN = "最近、猫を飼い始めたんだ"
"""No canned reply covers it."""

HEALTH = {"version": "2.0", "rawPath": "/health", "requestContext": {"http": {"method": "GET", "path": "/health"}}}


def test_the_curl_of_the_readme(emulate):
    proxy = emulate().invoke({"input": "こんばんは"})
    assert proxy["statusCode"] == 200
    assert body_of(proxy)["engine"] == "canned"


def test_events_of_every_source_in_one_process(emulate):
    emulator = emulate()
    for path in sorted((EVENTS / "accepted").glob("*.json")):
        proxy = emulator.invoke(path.read_bytes())
        assert proxy["statusCode"] == 200 or body_of(proxy)["code"] == "no_answer", path.stem
    for path in sorted((EVENTS / "refused").glob("*.json")):
        assert emulator.invoke(path.read_bytes())["statusCode"] == int(path.stem[:3]), path.stem
    log = emulator.stop()
    assert log.count('"event": "loaded"') == 1
    assert "Traceback" not in log


def test_a_turn_that_nobody_answers_is_an_error_with_its_reasons(emulate):
    proxy = emulate().invoke({"input": UNKNOWN})
    assert proxy["statusCode"] == 503
    body = body_of(proxy)
    assert body["code"] == "no_answer"
    assert {entry["model"] for entry in body["escalations"]} == {"openai", "bedrock", "huggingface"}


@pytest.mark.parametrize("size", [256 * 1024 + 1, LIMIT - 4096])
def test_a_payload_that_lambda_lets_through_and_we_do_not(emulate, size):
    emulator = emulate()
    http = {"method": "POST", "path": "/chat"}
    event = {"version": "2.0", "rawPath": "/chat", "requestContext": {"http": http}}
    proxy = emulator.invoke({**event, "body": json.dumps({"input": "a" * size})})
    assert (proxy["statusCode"], body_of(proxy)["code"]) == (413, "body_too_large")
    direct = emulator.invoke({"input": "a" * size})
    assert (direct["statusCode"], body_of(direct)["code"]) == (413, "input_too_long")


def test_a_payload_over_the_limit_is_refused_before_the_function_and_costs_the_next_one_nothing(emulate):
    emulator = emulate()
    answer = json.loads(emulator.raw(json.dumps({"input": "a" * (LIMIT + 1024)}).encode()))
    assert answer["errorType"] == "Runtime.UnmarshalError"
    assert body_of(emulator.invoke({"input": "こんばんは"}))["engine"] == "canned"


def test_a_provider_that_never_answers_is_given_up_before_lambda_gives_up(emulate):
    """Lambda's own limit is two seconds here, far below the pipeline's deadline."""
    with Peer([behaviours.silence]) as provider:
        emulator = emulate(timeout=2, OPENAI_BASE_URL=provider.url, LOCAL_LLM_ALLOW_FALLBACK="true")
        emulator.invoke({"input": "こんばんは"})
        answer = body_of(emulator.invoke({"input": UNKNOWN}))
    assert answer["engine"] == "fallback"
    assert "Task timed out" not in emulator.stop()


def test_a_function_that_hangs_is_ended_by_lambda_and_a_new_one_answers(emulate):
    emulator = emulate(timeout=2)
    emulator.invoke({"input": "こんばんは"})
    [first] = emulator.functions()
    os.kill(first, signal.SIGSTOP)
    assert emulator.raw(b'{"input": "hi"}') == "Task timed out after 2.00 seconds"
    assert body_of(emulator.invoke({"input": "こんばんは"}))["engine"] == "canned"
    assert first not in emulator.functions()
    assert emulator.stop().count('"event": "loaded"') == 2


def test_a_bad_pipeline_fails_the_start_with_the_problem_in_the_log(emulate, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("version: 1\nnmae: tiny\n", encoding="utf-8")
    emulator = emulate(MISAKI_PIPELINE=str(bad))
    status, answer = emulator.post({"input": "こんばんは"})
    assert (status, answer["errorType"]) == (502, "ConfigError")
    log = emulator.stop()
    assert "config_problem" in log
    assert "bad.yml:2:1" in log


def test_fifty_warm_invocations_load_the_model_once(emulate, tmp_path, smollm2_path):
    """A real model, asked by a short prompt, so that fifty turns take seconds."""
    (tmp_path / "prompt.j2").write_text("Answer in a few words.", encoding="utf-8")
    pipeline = tmp_path / "small.yml"
    pipeline.write_text(
        "version: 1\n"
        "name: small\n"
        "locale: en\n"
        "persona: {name: Sam}\n"
        "models:\n"
        f"  small: {{backend: llama.cpp, path: '{smollm2_path}', max_tokens: 4, threads: 1, context: 256}}\n"
        "steps:\n"
        "  - {id: talk, kind: generate, model: small, prompt: prompt.j2, escalate_when: [error]}\n",
        encoding="utf-8",
    )
    emulator = emulate(timeout=60, MISAKI_PIPELINE=str(pipeline), USE_LOCAL_LLM="true")
    _wait_for_the_model(emulator)
    engines = [body_of(emulator.invoke({"input": f"Tell me about the number {turn}."}))["engine"] for turn in range(50)]
    assert engines == ["local"] * 50
    model = body_of(emulator.invoke(HEALTH))["models"]["small"]
    assert (model["state"], model["starts"]) == ("ready", 1)
    log = emulator.stop()
    assert log.count('"event": "loaded"') == 1
    assert sum(metric.get("ModelLoadTime") is not None for metric in emulator.metrics()) == 1


def _wait_for_the_model(emulator):
    """Each look is an invocation, in which the emulated sandbox runs."""
    until = time.monotonic() + 60
    while body_of(emulator.invoke(HEALTH))["models"]["small"]["state"] == "loading":
        assert time.monotonic() < until
