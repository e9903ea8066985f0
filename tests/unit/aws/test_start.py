"""The start of the function, with a small pipeline and without AWS."""

import json
import socket
from pathlib import Path

import pytest

from engine.aws.start import start
from engine.core.errors import ConfigError

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
