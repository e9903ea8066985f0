"""What the function does when Lambda imports it."""

from __future__ import annotations

import pytest

from engine.aws.start import start

BAR = "tests/configs/good/bar/pipeline.yml"


def metrics_of(env, capsys):
    """The lines in the embedded metric format that a start writes."""
    start({"MISAKI_PIPELINE": BAR, **env}, log=lambda _: None)
    return [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


@pytest.mark.parametrize("setting", ["true", "1", " Yes "])
def test_metrics_are_written_where_they_are_asked_for(setting, capsys):
    assert metrics_of({"METRICS": setting}, capsys)
    assert metrics_of({"METRICS": setting, "AWS_LAMBDA_FUNCTION_NAME": "misaki"}, capsys)


@pytest.mark.parametrize("setting", ["false", "0", "no"])
def test_metrics_are_not_written_where_they_are_refused(setting, capsys):
    assert not metrics_of({"METRICS": setting}, capsys)
    assert not metrics_of({"METRICS": setting, "AWS_LAMBDA_FUNCTION_NAME": "misaki"}, capsys)


@pytest.mark.parametrize("env", [{}, {"METRICS": ""}])
def test_metrics_are_written_on_lambda_alone_where_nothing_is_said(env, capsys):
    assert not metrics_of(env, capsys)
    assert metrics_of({**env, "AWS_LAMBDA_FUNCTION_NAME": "misaki"}, capsys)
