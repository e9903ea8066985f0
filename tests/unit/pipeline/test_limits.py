"""Limits from a pipeline file to a plan, and through a stored one."""

from __future__ import annotations

import pytest

from engine.app import load_app
from engine.core.errors import ConfigError
from engine.core.plan import Limit
from engine.core.turn import ChatRequest
from engine.pipeline.stored.content import from_json, to_json

PIPELINE = """
version: 1
name: bar
persona: {name: 舞}
replies: [replies.yml]
limits:
  anonymous: {turns: 50/day, external: 0 USD/day}
  everyone: {external: 5.25 USD/day}
  reply: tired
  prices: {as_of: 2026-11-30, models: {gpt-4o-mini: [0.15, 1]}}
steps:
  - {id: canned, kind: replies}
  - {id: sorry, kind: say, reply: sorry}
"""
REPLIES = """
replies:
  - {id: hello, match: [こんばんは], say: [いらっしゃい。]}
  - {id: sorry, say: [ごめんなさいね。]}
  - {id: tired, say: [今夜はもう休むわ。]}
"""


def load(tmp_path, text=PIPELINE, **env):
    (tmp_path / "pipeline.yml").write_text(text, "utf-8")
    (tmp_path / "replies.yml").write_text(REPLIES, "utf-8")
    return load_app({"MISAKI_PIPELINE": str(tmp_path / "pipeline.yml"), **env})


def test_amounts_are_read_and_stored(tmp_path):
    limits = load(tmp_path).plan.limits
    assert limits.anonymous == Limit(turns=50, external=0)
    assert limits.everyone == Limit(external=5_250_000)
    assert limits.user == Limit()
    assert limits.step.replies == (2,)
    assert (limits.prices, limits.priced) == ({"gpt-4o-mini": (0.15, 1.0)}, "2026-11-30")
    assert from_json(to_json(limits)) == limits


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("50/day", "50/hour", "P206"),
        ("5.25 USD/day", "5.25 EUR/day", "P206"),
        ("anonymous: {", "anonymus: {", "P203"),
        ("reply: tired", "reply: tierd", "P307"),
        ("2026-11-30", "November", "P206"),
        ("[0.15, 1]", "[0.15, -1]", "P204"),
        ("[0.15, 1]", "0.15", "P202"),
    ],
)
def test_what_does_not_fit_is_told(old, new, code, tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, PIPELINE.replace(old, new))
    assert code in {problem.code for problem in caught.value.problems}


def test_limits_hold_in_an_app_that_is_loaded(tmp_path):
    app = load(tmp_path, PIPELINE.replace("50/day", "1/day"), SESSION_STORE="memory")
    request = ChatRequest(text="こんばんは", session_id="a")
    assert [app.reply(request).outcome.reply_id for _ in range(2)] == ["hello", "tired"]


def test_prices_that_cannot_be_read_are_a_notice(tmp_path):
    assert "MODEL_PRICES" in load(tmp_path, MODEL_PRICES="free").plan.notices[0]


@pytest.mark.parametrize(("store", "told"), [("none", 1), ("memory", 0)])
def test_that_limits_count_in_one_process_alone_is_a_notice(tmp_path, store, told):
    notices = load(tmp_path, SESSION_STORE=store).plan.notices
    assert len([notice for notice in notices if "in this process alone" in notice]) == told
