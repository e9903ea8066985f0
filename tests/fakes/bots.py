"""Applications without a pipeline, for tests of the edges around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.core.deadline import Deadline
from engine.core.events import ChatResult, Escalation, Listen, Outcome, ReplyMatched, Sentence, TurnStarted, ignore
from engine.core.turn import ChatRequest, Completion
from engine.guardrails.placeholders import masked
from engine.text.sentences import sentences

CANNED = Outcome(
    reply="いらっしゃい。",
    engine="canned",
    step="canned",
    reply_id="greet_evening",
    variant=0,
    trace=(ReplyMatched(step="canned", reply_id="greet_evening", score=100.0, variant=0),),
)
LOCAL = Outcome(
    reply="猫ちゃん、いいわね。",
    engine="local",
    step="small_talk",
    completion=Completion(
        text="猫ちゃん、いいわね。",
        finish_reason="stop",
        model="tiny.gguf",
        prompt_tokens=40,
        completion_tokens=9,
        confidence=0.61,
    ),
)
NOTHING = Outcome(
    reply=None,
    escalations=(
        Escalation(step="small_talk", reason="error", model="small", detail="no such file"),
        Escalation(step="ask_large", reason="timeout"),
    ),
)


@dataclass
class FakeBot:
    """Answers every request with `outcome`, or raises `failure`; remembers what it was asked."""

    outcome: Outcome = CANNED
    failure: Exception | None = None
    latency_ms: float = 12.3456
    mask: tuple[str, ...] = ()
    requests: list[ChatRequest] = field(default_factory=list)
    deadlines: list[Deadline | None] = field(default_factory=list)

    def reply(self, request: ChatRequest, deadline: Deadline | None = None, listen: Listen = ignore) -> ChatResult:
        self.requests.append(request)
        self.deadlines.append(deadline)
        listen(TurnStarted(session_id=request.session_id or "new-session", number=1))
        for escalation in self.outcome.escalations:
            listen(escalation)
        if self.failure is not None:
            raise self.failure
        if self.outcome.reply is not None:
            for index, text in enumerate(sentences(self.outcome.reply)):
                listen(Sentence(index=index, text=text))
        return ChatResult(
            text=request.text,
            outcome=self.outcome,
            session_id=request.session_id or "new-session",
            latency_ms=self.latency_ms,
        )

    def left(self, *_):
        return None

    def masked(self, text: str) -> str:
        return masked(text, self.mask)

    def health(self) -> Mapping[str, Any]:
        return {
            "status": "ok",
            "pipeline": "fake",
            "replies": 1,
            "models": {"small": {"state": "ready", "detail": "tiny.gguf"}},
            "notices": [],
        }
