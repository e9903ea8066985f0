"""A process that has just begun, as Lambda starts one: what it reads, what it leaves unread, and that it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.acceptance.processes import ROOT, environment, misaki

FIRST_ANSWER = """
import json, sys
import lambda_function
responses = [lambda_function.lambda_handler({"input": text}, None) for text in sys.argv[1].splitlines()]
asked = {"httpMethod": "GET", "path": "/health", "headers": {"Authorization": "Bearer open-sesame"}}
health = lambda_function.lambda_handler(asked, None) if sys.argv[2:] else None
json.dump({"responses": responses, "health": health, "modules": sorted(sys.modules)}, sys.stderr)
"""
DEAR = {"yaml", "jsonschema", "jinja2", "dataclasses", "inspect", "pathlib", "hashlib", "uuid", "sqlite3"}
"""What no canned reply needs."""
COMPARING = {"rapidfuzz", "engine.matching.forms", "engine.matching.compare"}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The shipped pipeline in a folder of its own, with dates that can be trusted."""
    folder = tmp_path_factory.mktemp("shipped")
    for part in ("pipelines", "replies", "kinds"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".cache"))
    for file in folder.rglob("*.*"):
        os.utime(file, (time.time() - 100, time.time() - 100))
    return folder / "pipelines" / "snack_misaki.yml"


@pytest.fixture(scope="module")
def built(pipeline):
    """That pipeline compiled, once for all."""
    assert misaki("build", "--pipeline", str(pipeline)).returncode == 0
    return pipeline.parent / ".cache" / "snack_misaki.plan"


@pytest.fixture
def plan(built):
    """Its plan, which is put right again."""
    data = built.read_bytes()
    yield built
    built.write_bytes(data)


@pytest.fixture
def greetings(pipeline):
    """A file of its replies, which is put right again, with its date."""
    file = pipeline.parents[1] / "replies/snack_misaki/greetings.yml"
    text, times = file.read_text("utf-8"), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    yield file
    file.write_text(text, "utf-8")
    os.utime(file, ns=times)


def ask(pipeline: Path, *arguments: str, **env: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-S", "-c", FIRST_ANSWER, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=ROOT,
        env=environment(
            {
                "MISAKI_PIPELINE": str(pipeline),
                "CLIENT_TOKEN": "open-sesame",
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                **env,
            }
        ),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stderr)


def body(answer: dict) -> dict:
    [only] = bodies(answer)
    return only


def bodies(answer: dict) -> list[dict]:
    assert {response["statusCode"] for response in answer["responses"]} == {200}
    return [json.loads(response["body"]) for response in answer["responses"]]


def notices_of_plan(answer: dict) -> list[str]:
    """Without the one that no store keeps what is counted."""
    notices = json.loads(answer["health"]["body"])["notices"]
    return [notice for notice in notices if "SESSION_STORE" not in notice]


@pytest.mark.usefixtures("plan")
def test_the_first_canned_reply_reads_the_plan_and_nothing_dear(pipeline):
    answer = ask(pipeline, "こんばんは")
    assert body(answer)["engine"] == "canned"
    assert not DEAR & set(answer["modules"])
    assert not COMPARING & set(answer["modules"])
    assert not {"sudachipy", "engine.kinds.features"} & set(answer["modules"])


@pytest.mark.usefixtures("plan")
def test_words_that_come_close_are_compared(pipeline):
    answer = ask(pipeline, "こんばんはー、元気だった？")
    assert body(answer)["engine"] == "canned"
    assert set(answer["modules"]) >= COMPARING
    assert not {"yaml", "jsonschema"} & set(answer["modules"])


@pytest.mark.usefixtures("plan")
def test_the_same_is_said_with_and_without_a_plan(pipeline):
    # None whose reply depends on the hour, which may end in between.
    texts = "ありがとう\n疲れたよ\n生ビール下さい\nいつもの"
    with_plan, without = ask(pipeline, texts), ask(pipeline, texts, MISAKI_PLAN="off")
    assert ("yaml" in with_plan["modules"], "yaml" in without["modules"]) == (False, True)
    said, as_well = ([each["reply_id"] for each in bodies(answer)] for answer in (with_plan, without))
    assert said == as_well


@pytest.mark.usefixtures("plan")
def test_sources_that_are_newer_count(pipeline, greetings):
    with greetings.open("a", encoding="utf-8") as file:
        file.write("  - id: brand_new\n    match: [まったく新しい挨拶だよ]\n    say: [まあ。]\n")
    answer = ask(pipeline, "まったく新しい挨拶だよ", "health")
    assert body(answer)["reply_id"] == "brand_new"
    [notice] = notices_of_plan(answer)
    assert "greetings.yml` has changed" in notice
    assert "misaki build" in notice


def test_a_damaged_plan_costs_time_and_no_answer(pipeline, plan):
    data = plan.read_bytes()
    right = body(ask(pipeline, "いつもの"))["reply_id"]
    for damaged in (data[:-1000], b"", data[:9000], data[: len(data) // 2] + bytes(len(data) - len(data) // 2)):
        plan.write_bytes(damaged)
        answer = ask(pipeline, "いつもの", "health")
        assert body(answer)["reply_id"] == right
        assert "misaki build" in str(json.loads(answer["health"]["body"])["notices"])


def test_a_plan_of_another_pipeline_is_left_aside(pipeline, plan):
    answer = ask(pipeline.with_name("helpdesk.yml"), "パスワードを忘れました", "health", MISAKI_PLAN=str(plan))
    assert body(answer)["engine"] == "canned"
    [notice] = notices_of_plan(answer)
    assert "it was made of" in notice
