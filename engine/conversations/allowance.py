"""Holds turns, and calls of external models, against the limits of a pipeline: who is counted, and for how much.

Who signed in is counted by his id. All others are counted by room and by address, so that a new room is no new purse.
A store that does not answer costs no turn its words: turns then go uncounted, and no money is spent.
"""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from logging import getLogger
from typing import Any
from zoneinfo import ZoneInfo

from engine.conversations.counters import Bound, Counters, Day
from engine.core.deadline import Deadline
from engine.core.digest import digest
from engine.core.errors import BudgetSpent, StoreFailed, TurnsUsedUp
from engine.core.plan import Limit, Limits, Plan
from engine.core.record import record
from engine.core.turn import ChatRequest, Completion, Principal, Prompt
from engine.usage import Price, Prices, cost, most

_LATE = 5.0
"""Seconds after its deadline that money is held for a call: its end is written down by then."""
_OF_VERSION_4 = bytes(10) + b"\xff\xff"
"""What an address of version 4 begins with where it is written as one of version 6."""
_SECONDS = 1.0
"""Seconds for counting a turn, and for writing down what a call cost."""


@record
class Allowance:
    """The `limits` of `plan`, whose days are those of `zone`."""

    plan: Plan
    limits: Limits
    counters: Counters
    prices: Prices
    zone: ZoneInfo
    now: Callable[[], float] = time.time

    def admit(self, request: ChatRequest, room: str, until: Deadline) -> TurnPurse:
        """Count a turn; what may be spent in it. Raises `TurnsUsedUp`."""
        of_caller = self.limits.user if request.principal.kind == "user" else self.limits.anonymous
        if self.limits.everyone.turns is not None or of_caller.turns is not None:
            self._count(request, room, until)
        return TurnPurse(allowance=self, request=request, room=room)

    def _count(self, request: ChatRequest, room: str, until: Deadline) -> None:
        day = self.day()
        counted = self.counted(request.principal, room, request.address)
        turns = [Bound(who, limit.turns) for who, limit in counted if limit.turns is not None]
        try:
            has_one = self.counters.take_turn(day, turns, until.within(_SECONDS))
        except StoreFailed as error:
            getLogger(__name__).warning("a turn could not be counted: %s", error)
            has_one = True
        if not has_one:
            raise TurnsUsedUp(max(1, math.ceil(day.ends - self.now())))

    def left(self, principal: Principal, until: Deadline) -> Mapping[str, Any]:
        """What a user has left of each limit, his own and everyone's, as JSON values; raises `StoreFailed`."""
        day = self.day()
        counted = tuple(self.counted(principal, "", ""))
        taken = self.counters.taken(day, [who for who, _ in counted], until)
        told: dict[str, Any] = {"until": day.ends}
        for name, (_, limit), (turns, money) in zip(("everyone", "user"), counted, taken, strict=True):
            parts: dict[str, Any] = {}
            if limit.turns is not None:
                parts["turns"] = {"limit": limit.turns, "left": max(0, limit.turns - turns)}
            if limit.external is not None:
                parts["external"] = {"limit": limit.external / 1e6, "left": max(0, limit.external - money) / 1e6}
            if parts:
                told[name] = parts
        return told

    def day(self) -> Day:
        now = datetime.fromtimestamp(self.now(), self.zone)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return Day(pipeline=self.plan.name, name=now.date().isoformat(), ends=midnight.timestamp())

    def counted(self, principal: Principal, room: str, address: str) -> Iterator[tuple[str, Limit]]:
        """The counters that a turn touches, and what each may come to."""
        yield "E", self.limits.everyone
        if principal.kind == "user":
            yield f"U#{digest(principal.id, 16).hex()}", self.limits.user
            return
        yield f"A#{digest(room, 16).hex()}", self.limits.anonymous
        if address:
            yield f"P#{digest(_network(address), 16).hex()}", self.limits.anonymous


def _network(address: str) -> str:
    """`address` in one writing, or of version 6 the network of 64 bits that one household has."""
    try:
        packed = socket.inet_pton(socket.AF_INET6, address)
    except (OSError, ValueError):
        return address
    return socket.inet_ntoa(packed[12:]) if packed[:12] == _OF_VERSION_4 else packed[:8].hex()


@record
class TurnPurse:
    """What may be spent on external models in one turn. Nothing is looked up before one is to be asked."""

    allowance: Allowance
    request: ChatRequest
    room: str

    def reserve(self, model: str, prompt: Prompt, until: Deadline) -> MoneyHold | None:
        """Hold what asking `model` may cost at most; `None` where nothing bounds it. Raises `BudgetSpent`."""
        allowance = self.allowance
        counted = allowance.counted(self.request.principal, self.room, self.request.address)
        money = tuple(Bound(who, limit.external) for who, limit in counted if limit.external is not None)
        if not money:
            return None
        row, price = allowance.plan.models[model], allowance.prices.get(model)
        if price is None:
            raise _spent(row.backend, f"`{model}` has no price, so no limit of money lets it be asked")
        amount, day = most(prompt, row, price), allowance.day()
        try:
            name = allowance.counters.hold(day, money, amount, until.remaining() + _LATE, until)
        except StoreFailed as error:
            raise _spent(row.backend, f"what is left for this day is not known: {error}") from None
        if name is None:
            raise _spent(row.backend, f"what is left for this day does not suffice for `{model}`")
        return MoneyHold(counters=allowance.counters, day=day, money=money, name=name, amount=amount, price=price)


@record
class MoneyHold:
    """So much is held in all the counters that `money` names."""

    counters: Counters
    day: Day
    money: tuple[Bound, ...]
    name: str
    amount: int
    price: Price

    def settle(self, completion: Completion | None) -> None:
        """Take what the answer cost, all of it where that is not known, nothing for `None`; never raises."""
        actual = 0 if completion is None else cost(completion, self.price)
        self._take(self.amount if actual is None else actual)

    def lose(self) -> None:
        """Take all of it: the call may have been paid for, and nobody knows. Never raises."""
        self._take(self.amount)

    def _take(self, amount: int) -> None:
        try:
            self.counters.settle(self.day, self.money, self.name, amount, Deadline.after(_SECONDS))
        except StoreFailed as error:
            getLogger(__name__).warning("what a call cost could not be written down: %s", error)


def _spent(backend: str, message: str) -> BudgetSpent:
    return BudgetSpent(message, backend=backend, called=False)
