import json

from engine.api.response import result_payload, to_json
from engine.core.events import ChatResult, Outcome
from engine.core.record import replace
from tests.fakes.bots import LOCAL


def payload(outcome):
    return result_payload(ChatResult(text="やあ", outcome=outcome, session_id="s", latency_ms=1.0), with_trace=False)


def test_numbers_that_json_does_not_know_are_null():
    written = to_json({"a": float("nan"), "b": [float("inf"), 0.5, ("x", float("nan"))], "c": {"d": float("-inf")}})
    assert json.loads(written) == {"a": None, "b": [None, 0.5, ["x", None]], "c": {"d": None}}


def test_japanese_stays_and_half_a_character_does_not():
    assert to_json({"a": "あ\ud800"}) == '{"a": "あ?"}'


def test_tokens_that_a_provider_did_not_tell_make_no_total():
    for unknown in ({"prompt_tokens": None}, {"completion_tokens": None}):
        _, body = payload(replace(LOCAL, completion=replace(LOCAL.completion, **unknown)))
        assert body["usage"] == {"prompt_tokens": 40, "completion_tokens": 9, **unknown, "total_tokens": None}


def test_a_turn_in_which_no_step_was_tried():
    status, body = payload(Outcome(reply=None))
    assert (status, body["error"]) == (503, "no step of the pipeline answers this text")
