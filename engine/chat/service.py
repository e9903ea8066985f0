"""Answers a turn, stage by stage, and tells what happens meanwhile."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from engine.chat.step_runner import run_steps
from engine.chat.talk import next_state, next_turn
from engine.core.deadline import Clock, Deadline
from engine.core.events import ChatResult, Listen, TurnStarted, ignore
from engine.core.plan import Plan
from engine.core.ports import Services, SessionState, SessionStore
from engine.core.record import record
from engine.core.turn import ChatRequest

LOADING = 2.0
"""Seconds that a session store may take to remember, and never more than a quarter of the turn."""


@record
class ChatService:
    """What answering takes; nothing of a turn stays here. `zone` is the persona's."""

    plan: Plan
    zone: ZoneInfo
    services: Services
    sessions: SessionStore
    clock: Clock

    def reply(self, request: ChatRequest, deadline: Deadline | None = None, listen: Listen = ignore) -> ChatResult:
        """Answer one turn, by the earlier of `deadline` and the pipeline's own; the result is the last event told."""
        began = self.clock()
        own = Deadline.after(self.plan.deadline, self.clock)
        until = own if deadline is None else own.within(deadline.remaining())

        state = self._load(request.session_id, until)
        turn = next_turn(request, state, self.zone)
        listen(TurnStarted(session_id=turn.session_id, number=turn.number))
        saving = min(self.sessions.reserve, until.remaining() / 10)
        outcome = run_steps(self.plan, turn, self.services, until.less(saving), listen)
        if outcome.reply is not None:
            after = next_state(state, turn, outcome, outcome.reply)
            self.sessions.save(turn.session_id, after, until.remaining())

        latency_ms = round((self.clock() - began) * 1000, 3)
        result = ChatResult(outcome=outcome, session_id=turn.session_id, latency_ms=latency_ms)
        listen(result)
        return result

    def _load(self, session_id: str | None, until: Deadline) -> SessionState:
        if session_id is None:
            return SessionState()
        return self.sessions.load(session_id, min(LOADING, until.remaining() / 4))
