from typing import get_args

import pytest

from engine.chat.trace import trace_entries, trace_lines
from engine.core.events import (
    Escalation,
    ModelAnswered,
    ModelAsked,
    ModelFailed,
    NoReply,
    Outcome,
    ReplyChosen,
    ReplyMatched,
    StepEnded,
    StepEvent,
    VariablesSet,
)
from engine.core.record import field_names

FAILED = {"reason": "error", "kind": "unavailable", "problem": "no key"}
AT_PROVIDER = {"name": None, "status": None, "code": None}


@pytest.mark.parametrize(
    ("event", "entry"),
    [
        (
            ReplyMatched(step="s", reply_id="hello", score=98.5, variant=1),
            {"event": "matched", "data": {"reply_id": "hello", "score": 98.5, "variant": 1}},
        ),
        (
            ReplyChosen(step="s", reply_id="a", variant=0, among=("a", "b")),
            {"event": "listened", "data": {"reply_id": "a", "variant": 0, "among": ["a", "b"]}},
        ),
        (NoReply(step="s", threshold=80.0), {"event": "no_match", "data": {"threshold": 80.0}}),
        (NoReply(step="s"), {"event": "no_match", "data": {}}),
        (VariablesSet(step="s", values={"lang": "ja"}), {"event": "set", "data": {"lang": "ja"}}),
        (StepEnded(step="s", end="continued", seconds=0.25), {"event": "continued", "seconds": 0.25, "data": {}}),
        *(
            (
                ModelFailed(step="s", model="large", called=called, **FAILED),
                {"event": event, "data": {"model": "large", **FAILED, **AT_PROVIDER}},
            )
            for called, event in ((True, "failed"), (False, "skipped"))
        ),
    ],
)
def test_an_event_has_its_name_and_data(event, entry):
    assert list(trace_entries(Outcome(reply=None, trace=(event,)))) == [{"step": "s", "seconds": 0.0, **entry}]


def test_every_decision_but_those_that_others_repeat_is_in_the_trace():
    anything = {"seconds": 0.0, "called": True, "values": {}, "among": ()}
    for kind in get_args(StepEvent):
        event = kind(**{name: anything.get(name, "x") for name in field_names(kind)})
        shown = list(trace_entries(Outcome(reply=None, trace=(event,))))
        assert len(shown) == (0 if kind in (ModelAsked, Escalation) else 1), kind


def test_a_line_of_text_holds_the_data():
    answered = ModelAnswered(step="talk", model="small", finish_reason="stop", tokens=7, seconds=0.5)
    [(line, seconds)] = trace_lines(Outcome(reply="x", trace=(answered,)))
    assert line.startswith("talk generated model=small finish_reason=stop")
    assert seconds == 0.5
