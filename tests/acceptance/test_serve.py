"""`misaki serve`, `misaki chat` and `misaki invoke` as a user starts them, with the shipped pipeline."""

import fcntl
import io
import json
import os
import pty
import signal
import socket
import sys

import httpx
import pytest

from tests.acceptance.processes import ROOT, compiled, environment, misaki, post, served
from tests.chaos import load
from tests.children import child
from tools.lambda_emulator import free_port

INVOCATIONS = "/2015-03-31/functions/function/invocations"


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@pytest.mark.parametrize("path", ["/chat", "/"])
@pytest.mark.parametrize("field", ["input", "message", "conversation"])
def test_a_greeting_gets_a_canned_reply(server, path, field):
    status, body = post(server.url + path, {field: "こんばんは"})
    assert (status, body["engine"]) == (200, "canned")
    assert body["reply"] == body["message"] == body["response"] != ""


def test_the_local_path_of_lambda(server):
    status, proxy = post(server.url + INVOCATIONS, {"input": "こんばんは"})
    assert (status, proxy["statusCode"]) == (200, 200)
    assert json.loads(proxy["body"])["engine"] == "canned"


@pytest.mark.parametrize("name", ["api_gateway_v1_base64", "api_gateway_v2", "function_url", "alb_multi_value_headers"])
def test_events_of_every_source_on_the_local_path(server, name):
    event = (ROOT / "tests" / "events" / "accepted" / f"{name}.json").read_bytes()
    _, proxy = post(server.url + INVOCATIONS, event)
    assert json.loads(proxy["body"])["engine"] == "canned"


def test_health_names_the_pipeline_and_the_models(server):
    health = httpx.get(server.url + "/health", timeout=60).json()
    assert health["pipeline"] == "snack_misaki"
    assert health["models"]["openai"]["state"] == "unavailable"
    assert "OPENAI_API_KEY" in health["models"]["openai"]["detail"]


def test_a_visitor_at_the_root_is_told_what_to_post(server):
    assert "/chat" in httpx.get(server.url, timeout=60).text


def test_where_no_model_answers_she_listens_and_the_answer_says_who_was_asked(server):
    status, body = post(server.url + "/chat", {"input": "量子色力学の繰り込みについて詳しく述べてください"})
    assert (status, body["engine"], body["step"]) == (200, "canned", "listen")
    assert body["escalations"]


def test_the_session_is_remembered(server):
    for _ in range(2):
        status, body = post(server.url + "/chat", {"input": "こんばんは", "session_id": "seat-7"})
        assert (status, body["session_id"]) == (200, "seat-7")


def test_too_many_clients_at_once_are_turned_away_and_none_fails():
    with load.server(*load.SERVERS["misaki serve"]) as address:
        seen = load.loaded(address, 250, 0.5)
    assert seen.errors == 0
    assert seen.answered
    assert seen.turned_away


def test_turns_are_answered_also_when_nobody_reads_what_it_says():
    with served() as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        answers = [post(server.url + "/chat", {"input": "こんばんは"}) for _ in range(3)]
        assert [status for status, _ in answers] == [200, 200, 200]
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 0


def test_turns_are_answered_also_when_the_pipe_is_full():
    with served() as server:
        assert server.process.stdout is not None
        # The smallest pipe there is: some sixty lines fill it.
        fcntl.fcntl(server.process.stdout.fileno(), fcntl.F_SETPIPE_SZ, 4096)
        with httpx.Client(base_url=server.url, timeout=60) as client:
            statuses = {client.post("/chat", json={"input": "こんばんは"}).status_code for _ in range(300)}
        assert statuses == {200}
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=60) == 0


def test_turns_are_answered_with_closed_streams():
    port = free_port()
    command = f'exec "{sys.executable}" -m engine serve --port {port} >&- 2>&-'
    with child(["sh", "-c", command], cwd=ROOT, env=environment()) as process:
        try:
            assert post(f"http://127.0.0.1:{port}/chat", {"input": "こんばんは"})[0] == 200
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0


def test_it_tells_what_to_try_and_what_happened():
    with served() as server:
        curl = server.wait_for(r"curl -s (\S+)/chat -d")
        assert curl == server.url
        server.wait_for(r"model openai is unavailable: .*OPENAI_API_KEY")
        post(server.url + "/chat", {"input": "こんばんは"})
        assert "POST /chat 200 canned" in server.wait_for(r".*POST /chat.*")
        assert "こんばんは" not in server.said[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(number):
    """Also while it still learns the kinds of sentences, which a plan would bring."""
    with served(env={"MISAKI_PLAN": "off"}) as server:
        code, rest = server.stop(number)
    assert code == 0
    assert "Traceback" not in rest


def test_a_signal_after_another_stops_it_as_one_does():
    """As of a second Ctrl-C, or of a signal to the process and to its group."""
    with served() as server:
        for number in (signal.SIGINT, signal.SIGTERM) * 200:
            server.process.send_signal(number)
        assert server.process.wait(timeout=60) == 0


def test_a_port_that_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = misaki("serve", "--port", str(taken.getsockname()[1]), env=compiled())
    assert done.returncode == 1
    assert "--port" in done.stderr


@pytest.mark.parametrize("command", [["serve"], ["chat"], ["invoke", "tests/events/accepted/direct.json"]])
def test_a_pipeline_that_does_not_load(command, tmp_path):
    bad = tmp_path / "bad.yml"
    bad.write_text("version: 1\nnmae: tiny\n", encoding="utf-8")
    done = misaki(*command, "--pipeline", str(bad))
    assert done.returncode == 1
    assert "bad.yml:2:1" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_client_token():
    with served(env={"CLIENT_TOKEN": "open-sesame"}) as server:
        for path in ("/chat", INVOCATIONS):
            assert post(server.url + path, {"input": "こんばんは"})[0] == 401
            assert post(server.url + path, {"input": "こんばんは"}, {"Authorization": "Bearer open-sesame"})[0] == 200


def test_chat_over_a_pipe():
    done = misaki("chat", stdin="こんばんは\n/trace\nこんばんは\n/quit\nありがとう\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("canned ·") == 2
    assert "trace on" in done.stdout


def test_chat_at_a_terminal():
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "engine", "chat"]
    with child(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment(compiled())) as process:
        os.close(theirs)
        with io.FileIO(ours, "r+") as terminal:
            seen = read_up_to(terminal, "お客さん> ")
            terminal.write("こんばんは\n".encode())
            seen += read_up_to(terminal, " ms")
            terminal.write(b"/quit\n")
            assert process.wait(60) == 0
    assert "OPENAI_API_KEY" in seen
    assert "canned · greet" in seen


def read_up_to(terminal: io.FileIO, words: str) -> str:
    seen = b""
    while words.encode() not in seen:
        seen += terminal.read(4096)
    # A read may end within a character.
    return seen.decode(errors="replace")


def test_chat_survives_bytes_that_are_no_text():
    done = misaki("chat", stdin="\x00こんばんは\u200b\x1b\n", env=compiled())
    assert "canned ·" in done.stdout


def test_invoke_prints_the_response():
    done = misaki("invoke", "tests/events/accepted/api_gateway_v2.json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["body"]["engine"] == "canned"


def test_invoke_reads_standard_input_and_tells_of_a_refusal():
    done = misaki("invoke", "-", stdin='{"input": ""}', env=compiled())
    assert done.returncode == 1
    assert json.loads(done.stdout)["body"]["code"] == "input_empty"


@pytest.mark.parametrize(("place", "stdin"), [("-", "not json"), ("nowhere.json", ""), ("tests", "")])
def test_invoke_without_an_event(place, stdin):
    done = misaki("invoke", place, stdin=stdin, env=compiled())
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_edit_takes_effect_while_the_server_runs(tmp_path):
    pipeline = tmp_path / "bar.yml"
    text = (
        "version: 1\nname: bar\nlocale: ja\npersona: {name: 舞}\nreplies: [replies.yml]\nsteps:\n"
        "  - {id: canned, kind: replies}\n"
    )
    pipeline.write_text(text, encoding="utf-8")
    replies = tmp_path / "replies.yml"
    replies.write_text("replies:\n  - {id: hello, match: [こんばんは], say: [どうも。]}\n", encoding="utf-8")
    with served("--pipeline", str(pipeline)) as server:
        assert post(server.url + "/chat", {"input": "こんばんは"})[1]["reply"] == "どうも。"
        replies.write_text("replies:\n  - {id: hello, match: [こんばんは], say: [いらっしゃい。]}\n", encoding="utf-8")
        server.wait_for("reloaded: bar")
        assert post(server.url + "/chat", {"input": "こんばんは"})[1]["reply"] == "いらっしゃい。"
